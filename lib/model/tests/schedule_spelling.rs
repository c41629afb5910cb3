//! Spellings of one expression mean the same: names and numbers, 0 and 7, order, repetition, zeros, blanks.

mod schedule_support;

use proptest::prelude::*;
use proptest::sample::subsequence;
use schedule_support::{instants, schedules};
use tidemill_model::schedule::Schedule;

const MONTHS: [&str; 12] = ["Jan", "FEB", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "MON", "tue", "wed", "thu", "fri", "sat"];

/// A set of values, plainly and in another spelling.
fn field(min: usize, max: usize, names: &'static [&'static str]) -> impl Strategy<Value = (String, String)> {
    let all: Vec<usize> = (min..=max).collect();
    let values = subsequence(all, 1..=max.min(9));
    let shuffled = |values: Vec<usize>| {
        (Just(values.clone()).prop_shuffle(), prop::collection::vec(0..5, values.len()), Just(values))
    };
    values.prop_flat_map(shuffled).prop_map(move |(shuffled, spellings, values)| {
        let spelled = shuffled.iter().zip(&spellings).map(|(value, spelling)| match spelling {
            0 if !names.is_empty() => names[value - min].to_owned(),
            1 => format!("{value:02}"),
            2 => format!("{value},{value}"),
            3 if max == 6 && *value == 0 => "7".to_owned(),
            4 => format!("{value}-{value}"),
            _ => value.to_string(),
        });
        (join(values.iter().map(usize::to_string)), join(spelled))
    })
}

fn join(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn spellings_of_the_same_values_are_equal(
        minute in field(0, 59, &[]),
        hour in field(0, 23, &[]),
        day in field(1, 31, &[]),
        month in field(1, 12, &MONTHS),
        weekday in field(0, 6, &WEEKDAYS),
        blank in "[ \t]{1,3}",
    ) {
        let fields = [minute, hour, day, month, weekday];
        let plain = Schedule::parse(&fields.clone().map(|(plain, _)| plain).join(" ")).unwrap();
        let spelled = Schedule::parse(&fields.map(|(_, spelled)| spelled).join(&blank));

        // Repetition may be longer than a schedule may be.
        if let Ok(spelled) = spelled {
            prop_assert_eq!(spelled.canonical(), plain.canonical());
            prop_assert_eq!(spelled.eventbridge(), plain.eventbridge());
        }
    }

    #[test]
    fn case_and_blanks_around_are_free(schedule in schedules(), after in instants()) {
        let loud = format!("\t {} ", schedule.as_str().to_uppercase().replace(' ', " \t "));

        let loud = Schedule::parse(&loud).unwrap();

        prop_assert_eq!(loud.canonical(), schedule.canonical());
        prop_assert_eq!(loud.next_tick(after), schedule.next_tick(after));
    }
}
