//! Weaves bounds into a program's syntax tree: each recursive call, iterated item and turn of a `reduce` costs fuel, and
//! sums, products and strings with parts go through functions that bound the size of what they make.

use super::terms::children;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

type Tree = Term<&'static str>;

/// A definition that may call itself pays for each call.
pub fn meter_def(def: Def<&str>) -> Def<&str> {
    let recursive = calls(&def.body, def.name);
    let body = meter(def.body);
    let body = if recursive { pipe(call("__fuel"), body) } else { body };
    Def { body, ..def }
}

pub fn meter<'s>(term: Term<&'s str>) -> Term<&'s str> {
    let boxed = |term: Box<Term<&'s str>>| Box::new(meter(*term));
    match term {
        Term::Recurse => pipe(Term::Recurse, call("__fuel")),
        Term::Str(format, parts) => match parts.iter().any(|part| matches!(part, StrPart::Term(_))) {
            true => join(format, parts.into_iter().map(meter_part).collect()),
            false => Term::Str(format, parts),
        },
        Term::Arr(items) => Term::Arr(items.map(boxed)),
        Term::Obj(fields) => Term::Obj(fields.into_iter().map(|(key, value)| (meter(key), value.map(meter))).collect()),
        Term::Neg(term) => Term::Neg(boxed(term)),
        Term::BinOp(left, BinaryOp::Math(Math::Add), right) => Term::Call("__add", vec![meter(*left), meter(*right)]),
        Term::BinOp(left, BinaryOp::Math(Math::Mul), right) => Term::Call("__mul", vec![meter(*left), meter(*right)]),
        Term::BinOp(left, BinaryOp::UpdateMath(Math::Add), right) => update(*left, "__add", *right),
        Term::BinOp(left, BinaryOp::UpdateMath(Math::Mul), right) => update(*left, "__mul", *right),
        Term::BinOp(left, BinaryOp::Pipe(pattern), right) => {
            Term::BinOp(boxed(left), BinaryOp::Pipe(pattern.map(meter_pattern)), boxed(right))
        }
        Term::BinOp(left, operator, right) => Term::BinOp(boxed(left), operator, boxed(right)),
        Term::Label(name, term) => Term::Label(name, boxed(term)),
        Term::Fold(name, items, pattern, terms) => {
            let mut terms: Vec<_> = terms.into_iter().map(meter).collect();
            // The first is the start, the second makes each next state, a third shapes the output.
            if let Some(update) = terms.get_mut(1) {
                *update = pipe(std::mem::take(update), call("__fuel"));
            }
            Term::Fold(name, boxed(items), meter_pattern(pattern), terms)
        }
        Term::TryCatch(term, catch) => Term::TryCatch(boxed(term), catch.map(boxed)),
        Term::IfThenElse(cases, otherwise) => Term::IfThenElse(
            cases.into_iter().map(|(condition, then)| (meter(condition), meter(then))).collect(),
            otherwise.map(boxed),
        ),
        Term::Def(defs, term) => Term::Def(defs.into_iter().map(meter_def).collect(), boxed(term)),
        Term::Call(name, arguments) => Term::Call(name, arguments.into_iter().map(meter).collect()),
        Term::Path(term, Path(parts)) => {
            let iterates = parts.iter().any(|(part, _)| matches!(part, Part::Range(None, None)));
            let parts = parts.into_iter().map(|(part, opt)| (meter_path_part(part), opt)).collect();
            let path = Term::Path(boxed(term), Path(parts));
            if iterates { pipe(path, call("__fuel")) } else { path }
        }
        Term::Id | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
    }
}

/// `left += right` is `right as $x | left |= . + $x`.
fn update<'s>(left: Term<&'s str>, operator: &'s str, right: Term<&'s str>) -> Term<&'s str> {
    let sum = Term::Call(operator, vec![Term::Id, Term::Var("$__right")]);
    let update = Term::BinOp(Box::new(meter(left)), BinaryOp::Update, Box::new(sum));
    Term::BinOp(Box::new(meter(right)), BinaryOp::Pipe(Some(Pattern::Var("$__right"))), Box::new(update))
}

fn pipe<'s>(first: Term<&'s str>, second: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(second))
}

fn call(name: &'static str) -> Tree {
    Term::Call(name, Vec::new())
}

fn meter_part<'s>(part: StrPart<&'s str, Term<&'s str>>) -> StrPart<&'s str, Term<&'s str>> {
    match part {
        StrPart::Term(term) => StrPart::Term(meter(term)),
        other => other,
    }
}

/// The parts of a string, joined by sums of a bounded size: half by half, so that a string of many parts nests little.
fn join<'s>(format: Option<&'s str>, mut parts: Vec<StrPart<&'s str, Term<&'s str>>>) -> Term<&'s str> {
    if parts.len() < 2 {
        return Term::Str(format, parts);
    }
    let right = parts.split_off(parts.len() / 2);
    Term::Call("__add", vec![join(format, parts), join(format, right)])
}

fn meter_path_part(part: Part<Term<&str>>) -> Part<Term<&str>> {
    match part {
        Part::Index(index) => Part::Index(meter(index)),
        Part::Range(from, to) => Part::Range(from.map(meter), to.map(meter)),
    }
}

fn meter_pattern(pattern: Pattern<&str>) -> Pattern<&str> {
    match pattern {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(meter_pattern).collect()),
        Pattern::Obj(fields) => {
            Pattern::Obj(fields.into_iter().map(|(key, pattern)| (meter(key), meter_pattern(pattern))).collect())
        }
    }
}

/// Whether a term may call the definition around it. A name is enough: too much metering costs only a little time.
fn calls(term: &Term<&str>, name: &str) -> bool {
    matches!(term, Term::Call(called, _) if *called == name)
        || children(term).into_iter().any(|child| calls(child, name))
}
