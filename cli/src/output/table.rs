//! Tables for people: a header, no frame, a row in a line. What is too wide for the terminal is cut, and columns are
//! given up in an order that each table declares. Where there is no terminal, nothing is cut.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Width, presets};
use console::Term;
use unicode_width::UnicodeWidthStr;

/// Blanks between two columns.
const GAP: usize = 2;
/// A cell that is cut keeps so many columns of the terminal, as long as there is a column to give up.
const SHORTEST: usize = 12;
/// And so many when there is none.
const STUMP: usize = 4;
/// The columns whose cells may be cut. Ids, times and numbers are given up as a whole: half of one is of no use.
const CUT: &[&str] = &[
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
    "GROUP",
    "ENVIRONMENT",
    "SOURCE",
    "OPERATION",
    "TASK",
    "COMPONENT",
    "DROPPED",
    "KNOWN AS",
];
/// Columns whose cells may be broken into lines, in a table that is shown in full.
const BROKEN: &[&str] = &["FINDING", "TYPE", "DEFAULT", "DESCRIPTION"];

/// Names that are shown of a longer list in a sentence.
const NAMED: usize = 10;

/// Rows of cells.
pub struct Table {
    columns: Vec<String>,
    /// The columns that a narrow terminal does without, the first one first.
    given_up: Vec<&'static str>,
    /// Whether cells are cut, or broken into lines.
    is_cut: bool,
    rows: Vec<Vec<Cell>>,
}

/// A table with these columns.
pub fn new(columns: &[impl AsRef<str>]) -> Table {
    let columns = columns.iter().map(|name| name.as_ref().to_owned()).collect();
    Table { columns, given_up: Vec::new(), is_cut: true, rows: Vec::new() }
}

impl Table {
    /// Names the columns that a narrow terminal does without, the first one first. A heading that names a zone is meant
    /// by its first word.
    pub fn gives_up(self, given_up: &[&'static str]) -> Table {
        Table { given_up: given_up.to_vec(), ..self }
    }

    /// Breaks sentences into several lines instead of cutting them: for what has no other place to be read.
    pub fn in_full(self) -> Table {
        Table { is_cut: false, ..self }
    }

    pub fn add_row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The text at some width; `None` is where nothing is cut.
    fn at(&self, width: Option<usize>, styles: Styles) -> String {
        let layout = self.layout(width);
        let mut shown = bare(styles);
        let pick = |cells: &[Cell]| {
            let mut row =
                Row::from(layout.iter().filter_map(|(column, _)| cells.get(*column).cloned()).collect::<Vec<_>>());
            if self.is_cut && width.is_some() {
                row.max_height(1);
            }
            row
        };
        if !self.columns.is_empty() {
            let header = self.columns.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold));
            shown.set_header(pick(&header.collect::<Vec<_>>()));
        }
        for row in &self.rows {
            shown.add_row(pick(row));
        }
        let last = layout.len().saturating_sub(1);
        for (at, (column, (_, wide))) in shown.column_iter_mut().zip(&layout).enumerate() {
            let gap = if at == last { 0 } else { GAP as u16 };
            at_width(column, *wide, gap);
            if self.is_cut {
                // Cells are cut at a character, and not where a word ends.
                column.set_delimiter('\u{0}');
            }
        }
        let lines: Vec<String> = shown.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    /// The columns that are shown, each with its width.
    fn layout(&self, width: Option<usize>) -> Vec<(usize, usize)> {
        let natural = self.widths();
        let mut kept: Vec<usize> = (0..natural.len()).collect();
        let Some(width) = width.filter(|_| !self.columns.is_empty()) else {
            return kept.into_iter().map(|column| (column, natural[column])).collect();
        };
        let least = |column: usize, shortest: usize| match self.may_be_cut(column) {
            true => natural[column].min(shortest.max(self.columns[column].width())),
            false => natural[column],
        };
        let needs = |kept: &[usize], shortest: usize| {
            kept.iter().map(|column| least(*column, shortest)).sum::<usize>() + GAP * kept.len().saturating_sub(1)
        };
        for name in &self.given_up {
            if needs(&kept, SHORTEST) <= width {
                break;
            }
            kept.retain(|column| self.columns[*column].split(" (").next() != Some(name));
        }
        let shortest = if needs(&kept, SHORTEST) <= width { SHORTEST } else { STUMP };
        let mut wide: Vec<(usize, usize)> = kept.iter().map(|column| (*column, natural[*column])).collect();
        let room = width.saturating_sub(GAP * kept.len().saturating_sub(1));
        shrink(&mut wide, room, |column| least(column, shortest));
        // What is still too wide is cut wherever it stands.
        shrink(&mut wide, room, |_| 1);
        wide
    }

    fn may_be_cut(&self, column: usize) -> bool {
        let name = self.columns[column].as_str();
        if self.is_cut { CUT.contains(&name) } else { BROKEN.contains(&name) }
    }

    /// The widest text of each column.
    fn widths(&self) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0).max(self.columns.len());
        let mut widths: Vec<usize> =
            (0..count).map(|column| self.columns.get(column).map_or(0, |name| name.width())).collect();
        for row in &self.rows {
            for (wide, cell) in widths.iter_mut().zip(row) {
                let text = cell.content();
                *wide = (*wide).max(text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0));
            }
        }
        widths
    }
}

/// Takes from the widest column until all have room, or none is wider than its least.
fn shrink(wide: &mut [(usize, usize)], room: usize, least: impl Fn(usize) -> usize) {
    while wide.iter().map(|(_, wide)| wide).sum::<usize>() > room {
        let shrinkable = wide.iter_mut().filter(|(column, wide)| *wide > least(*column));
        let Some((_, widest)) = shrinkable.max_by_key(|(_, wide)| *wide) else { return };
        *widest -= 1;
    }
}

fn at_width(column: &mut comfy_table::Column, wide: usize, gap: u16) {
    column.set_padding((0, gap));
    let wide = u16::try_from(wide).unwrap_or(u16::MAX - gap);
    column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(wide.max(1) + gap)));
}

/// A table of names and values, for one thing. Its values are not cut: the terminal breaks them where a line ends.
pub fn facts(rows: impl IntoIterator<Item = (&'static str, Cell)>) -> Table {
    let mut table = new(&[] as &[&str]).in_full();
    for (name, value) in rows {
        table.add_row([Cell::new(name).add_attribute(Attribute::Dim), value]);
    }
    table
}

/// Whether cells are coloured where there is no terminal, too.
#[derive(Clone, Copy, PartialEq)]
enum Styles {
    OnTerminals,
    #[cfg(test)]
    Always,
}

fn bare(styles: Styles) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_truncation_indicator("…");
    // Else the blanks up to the next column are coloured, too, and stay at the end of a line.
    table.style_text_only();
    match styles {
        Styles::OnTerminals => {}
        #[cfg(test)]
        Styles::Always => _ = table.enforce_styling(),
    }
    table
}

/// The text of a table, as wide as the terminal.
pub fn text(table: &Table) -> String {
    table.at(terminal_width(), Styles::OnTerminals)
}

/// The columns of the terminal that standard output is, if it is one.
fn terminal_width() -> Option<usize> {
    let (_, columns) = Term::stdout().size_checked()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
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
    use super::*;

    #[test]
    fn a_long_list_of_names_is_cut() {
        let names: Vec<String> = (0..352).map(|number| format!("p{number}")).collect();

        assert_eq!(named(&names[..2]), "`p0`, `p1`");
        assert!(!named(&names[..10]).contains("more"));
        assert!(named(&names).ends_with("`p8`, `p9` and 342 more"));
    }

    const ID: &str = "01JD7Z8K3M4N5P6Q7R8S9T0V1W";

    fn runs() -> Table {
        let mut table =
            new(&["RUN", "PROJECT", "V", "TRIGGER", "STATE", "ERROR"]).gives_up(&["V", "TRIGGER", "ERROR", "PROJECT"]);
        let long = "注文の取り込みと集計と通知";
        table.add_row([
            Cell::new(ID),
            Cell::new("orders"),
            Cell::new(1),
            Cell::new("schedule"),
            state("ran"),
            or_dash(None::<u8>),
        ]);
        let error = "post: the server at `example.com` answered 503, and went on to do so for half an hour";
        table.add_row([
            Cell::new(ID),
            Cell::new(long),
            Cell::new(12),
            Cell::new("webhook"),
            state("failed"),
            Cell::new(error),
        ]);
        table
    }

    /// The width that a terminal gives a line, which shows no codes of colours.
    fn shown_width(line: &str) -> usize {
        console::measure_text_width(line)
    }

    #[test]
    fn a_row_is_a_line_that_fits_at_every_width_in_colour_or_not() {
        for width in 30..=160 {
            let (plain, coloured) =
                (runs().at(Some(width), Styles::OnTerminals), runs().at(Some(width), Styles::Always));

            assert_eq!(console::strip_ansi_codes(&coloured), plain, "{width}");
            assert_eq!(plain.lines().count(), 3, "{width}: {plain}");
            for line in plain.lines().chain(coloured.lines()) {
                assert!(shown_width(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn columns_are_given_up_in_their_order_before_ids_are_cut() {
        let columns = |width: usize| {
            let text = runs().at(Some(width), Styles::OnTerminals);
            text.lines().next().unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };

        assert_eq!(columns(120), ["RUN", "PROJECT", "V", "TRIGGER", "STATE", "ERROR"]);
        assert_eq!(columns(75), ["RUN", "PROJECT", "TRIGGER", "STATE", "ERROR"]);
        assert_eq!(columns(65), ["RUN", "PROJECT", "STATE", "ERROR"]);
        assert_eq!(columns(50), ["RUN", "PROJECT", "STATE"]);
        assert!(runs().at(Some(40), Styles::OnTerminals).contains(ID));
        let text = runs().at(Some(80), Styles::OnTerminals);
        assert!(text.contains("注文の取り込…") && text.contains("post: the ser…"), "{text}");
    }

    #[test]
    fn nothing_is_cut_where_there_is_no_terminal() {
        let text = runs().at(None, Styles::OnTerminals);

        assert!(text.contains("for half an hour") && text.contains("集計と通知") && !text.contains('…'), "{text}");
    }

    #[test]
    fn sentences_that_have_no_other_place_are_broken_at_words() {
        let mut table = new(&["CHECK", "FINDING"]).in_full();
        table.add_row(["timer", "its timer is not as its schedule says"]);

        let text = table.at(Some(30), Styles::OnTerminals);

        assert_eq!(text, "CHECK  FINDING\ntimer  its timer is not as its\n       schedule says");
    }
}
