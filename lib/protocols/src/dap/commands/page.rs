//! Lists as RocketRide's newer clients ask for them: searched, filtered, sorted, and then a page by its number.

use super::arguments::optional;
use super::body;
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// Rows of a page unless the caller says otherwise, and at most.
const PAGE: i64 = 50;
const PAGE_LIMIT: i64 = 100;

#[derive(Deserialize)]
struct Sorter {
    field: String,
    #[serde(default)]
    dir: String,
}

/// The page that a caller asks for. `searched` are the fields that a free text is looked for in.
pub fn page(rows: Vec<Value>, arguments: &Arguments, searched: &[&str]) -> Result<Body, Failure> {
    let search = arguments.text("search")?.unwrap_or_default().to_lowercase();
    let filters: Map<String, Value> = optional(arguments, "filters", "an object")?.unwrap_or_default();
    let sorters: Vec<Sorter> = optional(arguments, "sort", "a list of {field, dir}")?.unwrap_or_default();
    let number: i64 = optional(arguments, "page", "a whole number")?.unwrap_or(1).max(1);
    let size: i64 = optional(arguments, "page_size", "a whole number")?.unwrap_or(PAGE).clamp(1, PAGE_LIMIT);
    let mut rows = rows;
    rows.retain(|row| {
        is_found(row, &search, searched) && filters.iter().all(|(name, wanted)| passes(row, name, wanted))
    });
    rows.sort_by(|one, other| sorters.iter().map(|by| by.compare(one, other)).fold(Ordering::Equal, Ordering::then));
    let total = rows.len();
    let first = (number - 1).saturating_mul(size);
    let shown: Vec<_> =
        rows.into_iter().skip(usize::try_from(first).unwrap_or(usize::MAX)).take(size as usize).collect();
    body(&json!({"rows": shown, "total": total, "page": number, "pageSize": size}))
}

fn is_found(row: &Value, search: &str, searched: &[&str]) -> bool {
    let holds = |field: &&str| row[*field].as_str().is_some_and(|text| text.to_lowercase().contains(search));
    search.is_empty() || searched.iter().any(holds)
}

/// A text is part of `field`, whatever its case; a list has what is equal to it. `field__gte` and `field__lte` are bounds.
fn passes(row: &Value, name: &str, wanted: &Value) -> bool {
    if let Some(field) = name.strip_suffix("__gte") {
        return order(&row[field], wanted).is_ge();
    }
    if let Some(field) = name.strip_suffix("__lte") {
        return order(&row[field], wanted).is_le();
    }
    match wanted {
        Value::Array(any) => any.iter().any(|wanted| order(&row[name], wanted).is_eq()),
        Value::String(part) if row[name].is_string() => text(&row[name]).to_lowercase().contains(&part.to_lowercase()),
        wanted => order(&row[name], wanted).is_eq(),
    }
}

impl Sorter {
    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        let order = order(&one[&self.field], &other[&self.field]);
        if self.dir == "desc" { order.reverse() } else { order }
    }
}

/// Numbers by their size, all else by its text. A number that is request for may be given as a text.
fn order(one: &Value, other: &Value) -> Ordering {
    let request = other.as_f64().or_else(|| other.as_str()?.parse().ok());
    match (one.as_f64(), request) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => text(one).cmp(&text(other)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
