//! Finds the regular expressions that stand in a program as constants, and says which of them are none. A run would
//! fail only at the first value that reaches one.

use super::terms::children;
use super::{Program, offset};
use crate::json;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use std::collections::HashSet;
use tidemill_plan::TextProblem;

/// The filters that take a regular expression first, by name and number of arguments, and which argument has its flags.
const TAKING: [(&str, usize, Option<usize>); 13] = [
    ("test", 1, None),
    ("test", 2, Some(1)),
    ("match", 1, None),
    ("match", 2, Some(1)),
    ("capture", 1, None),
    ("capture", 2, Some(1)),
    ("scan", 1, None),
    ("scan", 2, Some(1)),
    ("split", 2, Some(1)),
    ("splits", 1, None),
    ("splits", 2, Some(1)),
    ("sub", 3, Some(2)),
    ("gsub", 3, Some(2)),
];

/// `sub` and `gsub` without flags: the second argument is what they write.
const REPLACING: [&str; 2] = ["sub", "gsub"];

/// Says which of a program's constant regular expressions is none. What a `try` catches is left alone.
pub fn check(code: &str, program: &Term<&str>) -> Result<(), TextProblem> {
    let mut own = HashSet::new();
    let mut found = Vec::new();
    find(program, &mut own, &mut found);
    // Of two of one name the program's own may be meant.
    found.retain(|call| !own.contains(&(call.name, call.arguments)));
    if found.is_empty() {
        return Ok(());
    }
    let regexes = Regexes::new();
    found.iter().try_for_each(|call| {
        regexes.check(&call.expression, &call.flags).map_err(|problem| refused(code, call, &problem))
    })
}

/// A call with a constant regular expression.
struct Call<'s> {
    name: &'s str,
    arguments: usize,
    expression: String,
    flags: String,
    /// A piece of the program, at which the expression begins.
    place: &'s str,
}

fn find<'s>(term: &Term<&'s str>, own: &mut HashSet<(&'s str, usize)>, found: &mut Vec<Call<'s>>) {
    match term {
        Term::TryCatch(_, catch) => {
            catch.iter().for_each(|catch| find(catch, own, found));
            return;
        }
        Term::Def(defs, _) => own.extend(defs.iter().map(|def| (def.name, def.args.len()))),
        Term::Call(name, arguments) => found.extend(call(name, arguments)),
        _ => {}
    }
    children(term).into_iter().for_each(|child| find(child, own, found));
}

/// `None` if it takes no regular expression, or one that only a run knows, or its flags.
fn call<'s>(name: &'s str, arguments: &[Term<&'s str>]) -> Option<Call<'s>> {
    let count = arguments.len();
    let flags = match TAKING.iter().find(|(taking, with, _)| (*taking, *with) == (name, count)) {
        Some((.., flags)) => flags.map(|at| constant(&arguments[at])),
        None if REPLACING.contains(&name) && count == 2 => None,
        None => return None,
    };
    let flags = match flags {
        Some(flags) => flags?.0,
        None => String::new(),
    };
    let (expression, place) = constant(&arguments[0])?;
    Some(Call { name, arguments: count, expression, flags, place: place.unwrap_or(name) })
}

/// The text of a string without anything inserted, and the piece of the program in which it begins.
fn constant<'s>(term: &Term<&'s str>) -> Option<(String, Option<&'s str>)> {
    let Term::Str(None, parts) = term else { return None };
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(part) => text.push_str(part),
            StrPart::Char(c) => text.push(*c),
            StrPart::Term(_) => return None,
        }
    }
    let place = match parts.first() {
        Some(StrPart::Str(part)) => Some(*part),
        _ => None,
    };
    Some((text, place))
}

fn refused(code: &str, call: &Call<'_>, problem: &str) -> TextProblem {
    let hint = "correct it; in a string of jq a `\\` is written `\\\\`, as in `test(\"^\\\\d+$\")`";
    TextProblem {
        message: format!("calls `{}` with what is not a regular expression: {problem}", call.name),
        hint: hint.to_owned(),
        offset: offset(code, call.place),
    }
}

/// Says what is wrong with a regular expression, as jq's `test` reads it.
pub fn check_one(expression: &str) -> Result<(), TextProblem> {
    Regexes::new().check(expression, "").map_err(|problem| TextProblem {
        message: format!("is not a regular expression: {problem}"),
        hint: "close its brackets, and write `\\` before a mark that is meant as it is".to_owned(),
        offset: None,
    })
}

/// jq's own `test`, which knows what a regular expression is.
struct Regexes(Program);

impl Regexes {
    fn new() -> Regexes {
        Regexes(Program::parse("\"\" | test($object; $run)").expect("the program is sound"))
    }

    /// What is wrong, in the words of the engine, which repeat nothing of the expression.
    fn check(&self, expression: &str, flags: &str) -> Result<(), String> {
        match self.0.alone(json::string(expression), json::string(flags)) {
            Ok(()) => Ok(()),
            Err(problem) => Err(problem.trim_start_matches("invalid regex: ").to_owned()),
        }
    }
}
