//! Puts the values of a program's `${NAME}` into its syntax tree, as constants: in a string as a part of it, elsewhere as
//! a string or a number. A value is never parsed.

use super::terms::children_mut;
use crate::bindings::{Marked, Piece, bare};
use crate::json::Json;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;

/// What makes a mark a variable of jq.
pub const SIGIL: &str = "$";

/// The marks of a program and their values.
pub struct Binding<'s> {
    pub marked: &'s Marked<'s>,
    /// By the numbers of the marks.
    pub values: &'s [String],
}

impl<'s> Binding<'s> {
    pub fn bind(&self, term: &mut Term<&'s str>) {
        let number = |name: &str| self.marked.number(name.strip_prefix(SIGIL)?);
        match term {
            Term::Var(name) => {
                if let Some(number) = number(name) {
                    *term = constant(&self.values[number]);
                }
            }
            Term::Str(_, parts) => {
                *parts = std::mem::take(parts).into_iter().flat_map(|part| self.parts(part)).collect()
            }
            _ => {}
        }
        children_mut(term).into_iter().for_each(|child| self.bind(child));
    }

    fn parts(&self, part: StrPart<&'s str, Term<&'s str>>) -> Vec<StrPart<&'s str, Term<&'s str>>> {
        let of_piece = |piece| match piece {
            Piece::Text(text) => StrPart::Str(text),
            Piece::Mark(number) => StrPart::Str(self.values[number].as_str()),
        };
        match part {
            StrPart::Str(text) => self.marked.pieces(text, SIGIL).into_iter().map(of_piece).collect(),
            other => vec![other],
        }
    }
}

/// A value that stands by itself.
fn constant(value: &str) -> Term<&str> {
    let number = value.trim();
    match (bare(value), number.strip_prefix('-')) {
        (Json::Num(_), Some(positive)) => Term::Neg(Box::new(Term::Num(positive))),
        (Json::Num(_), None) => Term::Num(number),
        (Json::Bool(true), _) => Term::Call("true", Vec::new()),
        (Json::Bool(false), _) => Term::Call("false", Vec::new()),
        _ => Term::Str(None, vec![StrPart::Str(value)]),
    }
}
