//! Tables for people: a header, no frame, as wide as the terminal.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};

/// A narrower terminal breaks the lines itself: cells of a few characters could not be read.
const NARROWEST: u16 = 100;
/// The columns that may be broken into several lines. Ids and times stay whole, so that they can be copied.
const BREAKABLE: &[&str] = &[
    "PROJECT",
    "NAME",
    "SCOPES",
    "NOTE",
    "REASON",
    "FINDING",
    "ERROR",
    "TAKES",
    "GIVES",
    "TITLE",
    "TYPE",
    "DEFAULT",
    "DESCRIPTION",
    "SCHEDULES",
];

/// Names that are shown of a longer list in a sentence.
const NAMED: usize = 10;

/// A table with these columns.
pub fn new(columns: &[&str]) -> Table {
    let mut table = bare();
    table.set_header(columns.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for (column, _) in table.column_iter_mut().zip(columns).filter(|(_, name)| !BREAKABLE.contains(name)) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// A table of names and values, for one thing.
pub fn facts(rows: impl IntoIterator<Item = (&'static str, Cell)>) -> Table {
    let mut table = bare();
    for (name, value) in rows {
        table.add_row([Cell::new(name).add_attribute(Attribute::Dim), value]);
    }
    table
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = table.width() {
        table.set_width(width.max(NARROWEST));
    }
    table
}

/// The text of a table without blanks at the ends of lines.
pub fn text(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let margin = usize::from(lines.iter().all(|line| line.is_empty() || line.starts_with(' ')));
    lines.iter().map(|line| line.get(margin..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A state or an outcome, in the colour of how good it is.
pub fn state(word: &str) -> Cell {
    let cell = Cell::new(word);
    match word {
        "active" | "enabled" | "succeeded" | "ran" | "live" => cell.fg(Color::Green),
        "running" | "queued" | "future" | "pending" => cell.fg(Color::Cyan),
        "paused" | "disabled" | "skipped" | "cancelled" => cell.fg(Color::Yellow),
        "errored" | "failed" | "timed_out" | "missed" | "revoked" | "expired" => cell.fg(Color::Red),
        _ => cell,
    }
}

/// A value that may be absent.
pub fn or_dash<T: ToString>(value: Option<T>) -> Cell {
    value.map_or_else(|| Cell::new("-").add_attribute(Attribute::Dim), |value| Cell::new(value.to_string()))
}

/// `1 finding`, `2 findings`.
pub fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// Names of outside in a sentence: the first of them, and how many more there are.
pub fn named(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{}`", plain(name.as_ref()))).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text of outside on one line, without what could steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Keeps line breaks and drops what could steer a terminal.
pub fn readable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_long_list_of_names_is_cut() {
        let names: Vec<String> = (0..352).map(|number| format!("p{number}")).collect();

        assert_eq!(named(&names[..2]), "`p0`, `p1`");
        assert!(!named(&names[..10]).contains("more"));
        assert!(named(&names).ends_with("`p8`, `p9` and 342 more"));
    }
}
