//! The zone in which the command shows and reads times: that of `TZ` or UTC, unless `--utc` or `--local` is given.

use crate::failure::Failure;
use jiff::tz::TimeZone;
use std::sync::OnceLock;

/// The zone of the command, which it sets once, before it does anything.
static ZONE: OnceLock<Zone> = OnceLock::new();

/// A zone, and its name beside times.
pub struct Zone {
    pub zone: TimeZone,
    pub name: String,
}

impl Zone {
    fn utc() -> Zone {
        Zone { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }

    fn named(zone: TimeZone, otherwise: &str) -> Zone {
        let name = zone.iana_name().unwrap_or(otherwise).to_owned();
        Zone { zone, name }
    }
}

/// Sets the zone of the command.
///
/// # Errors
/// TZ is no zone.
pub fn start(is_utc: bool, is_local: bool) -> Result<(), Failure> {
    let of_variable = std::env::var("TZ").ok().filter(|text| !text.trim().is_empty());
    let zone = match (is_utc, is_local, of_variable) {
        (true, _, _) => Zone::utc(),
        (_, _, Some(text)) => zone_of_variable(&text)?,
        (_, true, None) => Zone::named(TimeZone::system(), "local time"),
        (_, false, None) => Zone::utc(),
    };
    // A command starts once; a second start would keep the zone.
    _ = ZONE.set(zone);
    Ok(())
}

/// An IANA name, or rules as POSIX writes them (`CET-1CEST,M3.5.0,M10.5.0/3`); a colon before it means nothing.
fn zone_of_variable(text: &str) -> Result<Zone, Failure> {
    let name = text.trim().trim_start_matches(':');
    let is_file = name.starts_with('/');
    let found = TimeZone::get(name).or_else(|_| TimeZone::posix(name));
    match found {
        Ok(zone) => Ok(Zone::named(zone, name)),
        Err(_) if is_file => Ok(Zone::named(TimeZone::system(), "local time")),
        Err(_) => {
            let message = format!("`{name}` in TZ is not a time zone");
            Err(Failure::argument(message, "set an IANA name, e.g. `Europe/Madrid`, or give `--utc`"))
        }
    }
}

/// The zone of the command; UTC until it is set.
pub fn shown() -> &'static Zone {
    ZONE.get_or_init(Zone::utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_an_iana_name_or_the_rules_of_one() {
        let named = |text: &str| zone_of_variable(text).map(|zone| zone.name).map_err(|failure| failure.message);

        assert_eq!(named("Asia/Kolkata").unwrap(), "Asia/Kolkata");
        assert_eq!(named(":Europe/Madrid").unwrap(), "Europe/Madrid");
        assert_eq!(named("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(), "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(named("Mars/Olympus").unwrap_err(), "`Mars/Olympus` in TZ is not a time zone");
    }
}
