//! A schedule as it was typed.

use crate::failure::Failure;
use tidemill_model::schedule::{ParseError, Schedule, Zone};

/// Reads an expression in a zone.
pub fn parse(expr: &str, zone: &str) -> Result<Schedule, ParseError> {
    let zone = Zone::parse(zone)?;
    Schedule::parse(expr)?.in_zone(zone)
}

/// The problem of an expression, and its place in it. A problem of the zone has none.
pub fn refused(expr: &str, error: &ParseError) -> Failure {
    let is_short = expr.len() <= 80 && error.position() <= expr.len() && expr.is_ascii() && !expr.contains('\n');
    let is_its_own = Schedule::parse(expr).is_err_and(|own| own == *error);
    let marked = match is_its_own && is_short && !expr.is_empty() {
        true => format!("{error}\n  {expr}\n  {}^", " ".repeat(error.position())),
        false => error.to_string(),
    };
    Failure::new("invalid_argument", marked).hint(error.hint())
}
