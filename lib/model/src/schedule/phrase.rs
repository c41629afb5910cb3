//! Schedules in English, such as `every 5 minutes`. None is read as a schedule; a refusal shows the expression that it
//! probably means.

use super::field::{MONTH, WEEKDAY};

/// What the words name, as far as they were read.
#[derive(Default)]
struct Meaning {
    minute: Option<String>,
    hour: Option<String>,
    day: Option<String>,
    month: Option<&'static str>,
    weekdays: Vec<&'static str>,
    /// On Sunday, on the 1st, in January: unless the phrase names another.
    is_weekly: bool,
    is_monthly: bool,
    is_yearly: bool,
}

/// The expression that an English phrase means; `None` if the text is no phrase, or cron cannot say it exactly.
pub(super) fn cron(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('@').to_ascii_lowercase().replace(',', " ");
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let mut meaning = Meaning::default();
    let mut rest = (!words.is_empty()).then_some(words.as_slice())?;
    while !rest.is_empty() {
        rest = meaning.read(rest)?;
    }
    meaning.expression()
}

impl Meaning {
    /// Takes the first words in, and gives the others back.
    fn read<'a>(&mut self, words: &'a [&'a str]) -> Option<&'a [&'a str]> {
        match words {
            ["every" | "each", rest @ ..] => self.read_cycle(rest),
            ["at", rest @ ..] => self.read_time(rest),
            ["on" | "and" | "the" | "of" | "a" | "once", rest @ ..] if !rest.is_empty() => Some(rest),
            _ => self.read_cycle(words),
        }
    }

    fn read_cycle<'a>(&mut self, words: &'a [&'a str]) -> Option<&'a [&'a str]> {
        let (first, rest) = words.split_first()?;
        match *first {
            "minute" | "minutely" => self.repeat("*", "*"),
            "hour" | "hourly" => self.repeat("0", "*"),
            "day" | "daily" | "night" | "nightly" | "days" => Some(()),
            "week" | "weekly" => {
                self.is_weekly = true;
                Some(())
            }
            "month" | "monthly" => {
                self.is_monthly = true;
                Some(())
            }
            "year" | "yearly" | "annually" => {
                self.is_yearly = true;
                Some(())
            }
            "weekday" | "weekdays" | "workday" | "workdays" => self.add_weekday("mon-fri"),
            "weekend" | "weekends" => self.add_weekday("sat").and(self.add_weekday("sun")),
            "noon" => self.set_time(12, 0),
            "midnight" => self.set_time(0, 0),
            "half" if rest.first() == Some(&"hour") => return self.repeat("*/30", "*").map(|()| &rest[1..]),
            word => return self.read_number(word, rest).or_else(|| self.read_name(word).map(|()| rest)),
        }
        .map(|()| rest)
    }

    /// `5 minutes`, `5m`, `1st`.
    fn read_number<'a>(&mut self, word: &str, rest: &'a [&'a str]) -> Option<&'a [&'a str]> {
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let number: u32 = word[..digits].parse().ok()?;
        let (unit, rest) = match (&word[digits..], rest) {
            ("", [unit, rest @ ..]) => (*unit, rest),
            (unit, rest) => (unit, rest),
        };
        match unit {
            "m" | "min" | "mins" | "minute" | "minutes" => match number {
                1 => self.repeat("*", "*"),
                60 => self.repeat("0", "*"),
                // A step that does not divide the hour starts again with each hour.
                2..=30 if 60 % number == 0 => self.repeat(&format!("*/{number}"), "*"),
                _ => None,
            },
            "h" | "hr" | "hrs" | "hour" | "hours" => match number {
                1 => self.repeat("0", "*"),
                24 => Some(()),
                2..=12 if 24 % number == 0 => self.repeat("0", &format!("*/{number}")),
                _ => None,
            },
            "day" | "days" | "d" if number == 1 => Some(()),
            // Every 2nd day is no day of the month.
            "st" | "nd" | "rd" | "th" if rest.first().is_some_and(|word| !matches!(*word, "of" | "at")) => None,
            "st" | "nd" | "rd" | "th" if (1..=31).contains(&number) && self.day.is_none() => {
                self.day = Some(number.to_string());
                Some(())
            }
            _ => None,
        }?;
        Some(rest)
    }

    /// A weekday or a month.
    fn read_name(&mut self, word: &str) -> Option<()> {
        let named = |names: &'static [&'static str], long: &[&str]| {
            let singular = word.strip_suffix('s').filter(|word| word.ends_with("day")).unwrap_or(word);
            names
                .iter()
                .zip(long)
                .find(|(short, long)| singular == **short || singular == **long)
                .map(|(short, _)| *short)
        };
        if let Some(weekday) = named(WEEKDAY.names, &WEEKDAYS) {
            return self.add_weekday(weekday);
        }
        let month = named(MONTH.names, &MONTHS)?;
        self.month.replace(month).is_none().then_some(())
    }

    /// `6`, `6:30`, `6am`, `6:30 pm`, `noon`.
    fn read_time<'a>(&mut self, words: &'a [&'a str]) -> Option<&'a [&'a str]> {
        let (first, rest) = words.split_first()?;
        if matches!(*first, "noon" | "midnight") {
            return self.read_cycle(words);
        }
        let letters = first.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(first.len());
        let (clock, half) = first.split_at(letters);
        let (half, rest) = match (half, rest) {
            ("", [half @ ("am" | "pm" | "utc" | "o'clock"), rest @ ..]) => (*half, rest),
            (half, rest) => (half, rest),
        };
        let (hour, minute) = clock.split_once(':').unwrap_or((clock, "0"));
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        let hour = match (half, hour) {
            ("" | "h" | "utc" | "o'clock", 0..=23) => hour,
            ("am", 1..=12) => hour % 12,
            ("pm", 1..=12) => hour % 12 + 12,
            _ => return None,
        };
        self.set_time(hour, minute).map(|()| rest)
    }

    fn set_time(&mut self, hour: u32, minute: u32) -> Option<()> {
        (minute <= 59).then_some(())?;
        self.repeat(&minute.to_string(), &hour.to_string())
    }

    /// Only once: `every 5 minutes at 9:00` is no cron expression.
    fn repeat(&mut self, minute: &str, hour: &str) -> Option<()> {
        self.minute.is_none().then_some(())?;
        (self.minute, self.hour) = (Some(minute.to_owned()), Some(hour.to_owned()));
        Some(())
    }

    fn add_weekday(&mut self, weekday: &'static str) -> Option<()> {
        self.weekdays.push(weekday);
        Some(())
    }

    fn expression(mut self) -> Option<String> {
        if self.is_weekly && self.weekdays.is_empty() {
            self.weekdays.push("sun");
        }
        if self.is_yearly {
            self.month.get_or_insert("jan");
        }
        if (self.is_monthly || self.is_yearly) && self.weekdays.is_empty() {
            self.day.get_or_insert_with(|| "1".into());
        }
        // With both fields, cron is due on a day of either; a month alone names no day.
        match (&self.day, self.weekdays.is_empty(), self.month) {
            (Some(_), false, _) | (None, true, Some(_)) => return None,
            _ => {}
        }
        let part = |given: Option<String>, otherwise: &str| given.unwrap_or_else(|| otherwise.to_owned());
        let weekdays = match self.weekdays.is_empty() {
            true => "*".to_owned(),
            false => self.weekdays.join(","),
        };
        let (minute, hour, day) = (part(self.minute, "0"), part(self.hour, "0"), part(self.day, "*"));
        Some(format!("{minute} {hour} {day} {} {weekdays}", self.month.unwrap_or("*")))
    }
}

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
