//! What is refused, where, and what the author reads.

use proptest::prelude::*;
use tidemill_model::schedule::{Schedule, Zone};

#[track_caller]
fn refused(text: &str, position: usize, message: &str, hint: &str) {
    let error = Schedule::parse(text).expect_err(text);
    assert_eq!((error.position(), error.to_string().as_str(), error.hint().as_str()), (position, message, hint));
}

#[test]
fn anything_but_five_fields_is_refused() {
    refused(
        "*/5 * * *",
        9,
        "schedule `*/5 * * *` has 4 fields, expected 5",
        "add the missing fields for minute, hour, day, month and weekday, e.g. `*/5 * * * *`",
    );
    let surplus = "leave out seconds and years: minute, hour, day, month, weekday";
    refused("0 * * * * *", 10, "schedule `0 * * * * *` has 6 fields, expected 5", surplus);
    refused("0 0 * * * 0 2026", 10, "schedule `0 0 * * * 0 2026` has 7 fields, expected 5", surplus);
    let example = "write five fields, e.g. `0 6 * * *`, a preset such as `@daily`, or `manual`";
    refused("", 0, "schedule is empty", example);
    refused(" \t ", 3, "schedule is empty", example);
}

#[test]
fn english_is_refused_with_the_expression_it_means() {
    for (text, meant) in [
        ("every 5 minutes", "*/5 * * * *"),
        ("@every 5m", "*/5 * * * *"),
        ("Every minute", "* * * * *"),
        ("every hour", "0 * * * *"),
        ("every half hour", "*/30 * * * *"),
        ("every 2 hours", "0 */2 * * *"),
        ("15 min", "*/15 * * * *"),
        ("daily", "0 0 * * *"),
        ("every day at 6:30", "30 6 * * *"),
        ("daily at 6 pm", "0 18 * * *"),
        ("at noon every day", "0 12 * * *"),
        ("every monday at 9am", "0 9 * * mon"),
        ("Mondays and Fridays at 7:05", "5 7 * * mon,fri"),
        ("weekly on tuesday", "0 0 * * tue"),
        ("weekly", "0 0 * * sun"),
        ("every weekday at 12am", "0 0 * * mon-fri"),
        ("every 15 minutes on weekdays", "*/15 * * * mon-fri"),
        ("every month on the 15th", "0 0 15 * *"),
        ("on the 1st of january at midnight", "0 0 1 jan *"),
        ("every year", "0 0 1 jan *"),
    ] {
        let message = format!("schedule `{text}` is not written as five fields");
        refused(text, 0, &message, &format!("write `{meant}`"));
        assert!(Schedule::parse(meant).is_ok(), "{meant}");
    }
}

#[test]
fn english_that_cron_cannot_say_is_refused_with_a_schedule_as_an_example() {
    let hint = "write five fields for minute, hour, day, month and weekday, e.g. `*/5 * * * *`";
    for text in ["every 7 minutes", "every 2nd day", "every january", "at 25:00", "every soon"] {
        assert_eq!(Schedule::parse(text).expect_err(text).hint(), hint, "{text}");
    }
}

#[test]
fn presets_are_lower_case_without_blanks() {
    refused("@Daily", 0, "schedule `@Daily` is unknown", "write `@daily`");
    refused("@hourly ", 0, "schedule `@hourly ` is unknown", "write `@hourly`");
    refused("MANUAL", 0, "schedule `MANUAL` is unknown", "write `manual`");
    for unknown in ["@reboot", "@every 5s", "@secondly", "@"] {
        let names = "`@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`";
        let hint = format!("write five fields, e.g. `*/5 * * * *`, or one of {names}");
        refused(unknown, 0, &format!("schedule `{unknown}` is unknown"), &hint);
    }
}

#[test]
fn a_value_outside_of_its_field_is_refused() {
    for (text, position, message) in [
        ("60 * * * *", 0, "minute `60` is not between 0 and 59"),
        ("0 1,24 * * *", 4, "hour `24` is not between 0 and 23"),
        ("0 0 0 * *", 4, "day of month `0` is not between 1 and 31"),
        ("0 0 * 1-13 *", 6, "month `13` is not between 1 and 12"),
        ("0 0 * * 8", 8, "day of week `8` is not between 0 and 7"),
        ("99999999999999999999 * * * *", 0, "minute `99999999999999999999` is not between 0 and 59"),
    ] {
        let error = Schedule::parse(text).expect_err(text);
        assert_eq!((error.position(), error.to_string().as_str()), (position, message));
    }
}

#[test]
fn a_step_is_at_least_one_and_at_most_its_field() {
    let hint = "write e.g. `*/30`, or `0` for one value";
    refused("*/0 * * * *", 0, "minute `*/0` has the step `0`, expected 1 to 60", hint);
    refused("*/61 * * * *", 0, "minute `*/61` has the step `61`, expected 1 to 60", hint);
    refused("*/ * * * *", 0, "minute `*/` has the step ``, expected 1 to 60", hint);
    for text in ["0 */25 * * *", "0 0 */32 * *", "0 0 * */13 *", "0 0 * * */8", "1-5/99 * * * *", "1/2/3 * * * *"] {
        assert!(Schedule::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_other_schedulers_extend_is_named() {
    for (text, what, hint) in [
        ("0 0 L * *", "`L` (the last)", "name a day that every month has, e.g. `28`"),
        ("0 0 L-3 * *", "`L` (the last)", "name a day that every month has, e.g. `28`"),
        ("0 0 * * 5L", "`L` (the last)", "name the weekday, e.g. `fri`"),
        (
            "0 0 15W * *",
            "`W` (the nearest working day)",
            "name the day, e.g. `15 * *`, or every working day in the last field, e.g. `* * mon-fri`",
        ),
        (
            "0 0 * * fri#2",
            "`#` (the nth weekday of the month)",
            "name the weekday, e.g. `* * fri`, or the week's days of the month, e.g. `8-14 * *`",
        ),
        ("0 0 ? * mon", "`?` (no value)", "write `*`"),
        ("H * * * *", "`H` (a value picked by hash)", "choose the minute yourself, e.g. `29`"),
        ("h(0-5)/2 * * * *", "`H` (a value picked by hash)", "choose the minute yourself, e.g. `29`"),
        ("0 r * * *", "`R` or `~` (a random value)", "choose the hour yourself, e.g. `11`"),
    ] {
        let error = Schedule::parse(text).expect_err(text);
        let message = error.to_string();
        assert!(message.contains(&format!("uses {what}, which is not supported")), "{message}");
        assert_eq!(error.hint(), hint, "{text}");
    }
}

#[test]
fn other_words_are_refused() {
    refused("0 0 * * Monday", 8, "day of week `Monday` is not a number or one of `sun` to `sat`", "write `mon`");
    refused("x * * * *", 0, "minute `x` is not a number", "write `*`, or 0 to 59 as in `0,59`");
    refused("1,,2 * * * *", 2, "minute has an empty value", "remove the surplus comma");
    for text in ["mon * * * *", "0 0 * mon *", "0 0 * * jan", "-1 * * * *", "1.5 * * * *", "5- * * * *", "*-5 * * * *"]
    {
        assert!(Schedule::parse(text).is_err(), "{text}");
    }
}

#[test]
fn only_printable_ascii_blanks_and_tabs_are_read() {
    let anew = "type it anew with plain blanks, digits and letters";
    let character = |code| format!("schedule has the character `\\u{{{code}}}`, only ASCII is allowed");
    refused("0\u{a0}0 * * *", 1, &character("a0"), anew);
    refused("٥ * * * *", 0, &character("665"), anew);
    refused("* * * * ５", 8, &character("ff15"), anew);
    refused("* * * * *\0", 9, &character("0"), anew);
    refused("* * * * *\n0 0 * * *", 9, "schedule has a line break", "write one schedule on one line");
    refused("* * * * *\n", 9, "schedule has a line break", "write one schedule on one line");
}

#[test]
fn at_most_256_characters_are_read() {
    let hint = "use ranges and steps, e.g. `0-30/5`, or several deployments";
    let padded = |length: usize| format!("{:<length$}", "* * * * *");
    assert!(Schedule::parse(&padded(256)).is_ok());
    refused(&padded(257), 256, "schedule has 257 characters, at most 256 are allowed", hint);
}

#[test]
fn an_expression_that_never_fires_is_refused() {
    let hint = "choose a day that one of its months has";
    refused("0 0 30 2 *", 4, "schedule `0 0 30 2 *` never fires", hint);
    refused("0 0 31 2,4,6,9,11 *", 4, "schedule `0 0 31 2,4,6,9,11 *` never fires", hint);
    for fires in ["0 0 29 2 *", "0 0 30 2,4 *", "0 0 31 2-3 *", "0 0 30 2 0"] {
        assert!(Schedule::parse(fires).is_ok(), "{fires}");
    }
}

#[test]
fn an_unknown_zone_names_the_nearest() {
    for (name, hint) in [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("europe/berlin", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("America/New York", "did you mean `America/New_York`?"),
        ("utc", "did you mean `UTC`?"),
        ("Middle-earth/Shire", "write an IANA name such as `Europe/Berlin`, or `UTC`"),
        ("", "write an IANA name such as `Europe/Berlin`, or `UTC`"),
        ("Etc/Unknown", "write an IANA name such as `Europe/Berlin`, or `UTC`"),
        ("../etc/passwd", "write an IANA name such as `Europe/Berlin`, or `UTC`"),
    ] {
        let error = Zone::parse(name).expect_err(name);
        assert_eq!((error.to_string(), error.hint()), (format!("timezone `{name}` is unknown"), hint.into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40_000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}") {
        check(&text);
    }

    #[test]
    fn no_text_of_a_schedules_letters_makes_the_parser_panic(text in "[-0-9*/,?#@LWRHamonjsu \\t]{0,30}") {
        check(&text);
    }

    #[test]
    fn no_five_fields_make_the_parser_panic(text in "([-0-9*/,]{1,6}|mon|\\*|L|R){1} [-0-9*/,]{1,4} [0-9*/,]{1,4} [0-9]{1,2} [0-9]") {
        check(&text);
    }
}

/// Text is read or refused at a place in it, with both sentences.
fn check(text: &str) {
    match Schedule::parse(text) {
        Ok(schedule) => assert!(Schedule::parse(&schedule.canonical()).is_ok()),
        Err(error) => {
            assert!(error.position() <= text.chars().count());
            assert!(!error.to_string().is_empty() && !error.hint().is_empty());
        }
    }
}
