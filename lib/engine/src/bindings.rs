//! `${NAME}` inside a program or a template. While the text is parsed a mark stands in its place, a name that occurs nowhere
//! else in it; then the mark is bound to the value. So no value is ever read as a part of a program.

use crate::component::Run;
use crate::json::{self, Json};
use crate::secrets::{placeholders, replaced};
use secrecy::ExposeSecret;
use std::borrow::Cow;

/// A program with a mark in the place of each `${NAME}`.
pub struct Marked<'a> {
    pub text: Cow<'a, str>,
    /// How every mark begins; its number and `_` follow.
    mark: String,
    /// By the numbers of the marks.
    names: Vec<&'a str>,
}

/// A piece of a text.
#[derive(Debug, PartialEq)]
pub enum Piece<'t> {
    Text(&'t str),
    /// The mark with this number.
    Mark(usize),
}

impl<'a> Marked<'a> {
    /// Marks a text; `sigil` makes a mark a variable in the text's language.
    pub fn new(source: &'a str, sigil: &str) -> Marked<'a> {
        let names: Vec<&str> = placeholders(source).map(|(_, name)| name).collect();
        let mut mark = "__bound_".to_owned();
        while source.contains(&mark) {
            mark.push('_');
        }
        let text = replaced(source, |number, _| Some(format!("{sigil}{mark}{number}_")));
        Marked { text, mark, names }
    }

    pub fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// How every mark begins.
    pub fn start(&self) -> &str {
        &self.mark
    }

    pub fn mark(&self, number: usize) -> String {
        format!("{}{number}_", self.mark)
    }

    /// The number of the mark that a word is.
    pub fn number(&self, word: &str) -> Option<usize> {
        match self.first(word)? {
            (0, number, end) if end == word.len() => Some(number),
            _ => None,
        }
    }

    /// A text of the marked program in its pieces; `sigil` is that of [`Marked::new`].
    pub fn pieces<'t>(&self, text: &'t str, sigil: &str) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((start, number, end)) = self.first(rest) {
            let before = &rest[..start];
            pieces.push(Piece::Text(before.strip_suffix(sigil).unwrap_or(before)));
            pieces.push(Piece::Mark(number));
            rest = &rest[end..];
        }
        pieces.push(Piece::Text(rest));
        pieces.retain(|piece| *piece != Piece::Text(""));
        pieces
    }

    /// A message about the marked program with the placeholders in it again.
    pub fn unmarked(&self, message: &str, sigil: &str) -> String {
        let shown = |piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Mark(number) => format!("${{{}}}", self.names[number]),
        };
        self.pieces(message, sigil).into_iter().map(shown).collect()
    }

    /// The first mark of a text: where it begins, its number, where it ends.
    fn first(&self, text: &str) -> Option<(usize, usize, usize)> {
        let start = text.find(&self.mark).filter(|_| !self.names.is_empty())?;
        let digits = start + self.mark.len();
        let end = digits + text[digits..].find('_')?;
        let number = text[digits..end].parse().ok().filter(|number| *number < self.names.len())?;
        Some((start, number, end + 1))
    }
}

/// The value of a name in a run. A variable that was not given is what the config has: `${NAME}`.
pub fn value_of<'r>(run: &'r Run, name: &str) -> Cow<'r, str> {
    match find(run, name) {
        Some(value) => Cow::Borrowed(value),
        None => Cow::Owned(format!("${{{name}}}")),
    }
}

/// A caller's variable, or the secret of the name.
pub fn find<'r>(run: &'r Run, name: &str) -> Option<&'r str> {
    let variable = run.context.variables.get(name).map(String::as_str);
    variable.or_else(|| run.context.secrets.get(name).map(|secret| secret.expose_secret()))
}

/// The value that stands in a program by itself, outside of quotes: a number, `true` or `false`, or else a string.
pub fn bare(value: &str) -> Json {
    match json::parse(value.as_bytes()) {
        Ok(read @ (Json::Num(_) | Json::Bool(_))) => read,
        _ => json::string(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_occurs_nowhere_else_and_is_found_again() {
        let marked = Marked::new("a ${A} __bound_0_ $${B}5 ${}", "$");

        assert_eq!(marked.text, "a $__bound__0_ __bound_0_ $$__bound__1_5 ${}");
        let expected =
            [Piece::Text("a "), Piece::Mark(0), Piece::Text(" __bound_0_ $"), Piece::Mark(1), Piece::Text("5 ${}")];
        assert_eq!(marked.pieces(&marked.text, "$"), expected);
        assert_eq!(marked.unmarked(&marked.text, "$"), "a ${A} __bound_0_ $${B}5 ${}");
        assert_eq!((marked.number("__bound__1_"), marked.number("__bound__1_5")), (Some(1), None));
    }

    #[test]
    fn a_text_without_placeholders_has_no_marks() {
        let marked = Marked::new("${} __bound_0_", "");

        assert_eq!(marked.pieces(&marked.text, ""), [Piece::Text("${} __bound_0_")]);
    }

    #[test]
    fn numbers_and_truths_stand_for_themselves_and_all_else_is_a_string() {
        assert_eq!(bare("5"), Json::from(5usize));
        assert_eq!(bare("true"), Json::Bool(true));
        for text in ["", "05", "null", "[1]", "\"a\"", "{{ 6 * 7 }}", "a"] {
            assert_eq!(bare(text), json::string(text));
        }
    }
}
