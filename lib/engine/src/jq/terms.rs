//! The parts of a program's syntax tree, for those who look for something in it.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Part, Path};

/// The terms directly below a term, those of definitions and patterns among them.
pub fn children<'t, 's>(term: &'t Term<&'s str>) -> Vec<&'t Term<&'s str>> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => Vec::new(),
        Term::Str(_, parts) => {
            let inside = |part: &'t StrPart<_, _>| if let StrPart::Term(term) = part { Some(term) } else { None };
            parts.iter().filter_map(inside).collect()
        }
        Term::Arr(items) => items.as_deref().into_iter().collect(),
        Term::Obj(fields) => fields.iter().flat_map(|(key, value)| [Some(key), value.as_ref()]).flatten().collect(),
        Term::Neg(term) | Term::Label(_, term) => vec![term],
        Term::BinOp(left, BinaryOp::Pipe(Some(pattern)), right) => {
            let mut children: Vec<&Term<_>> = vec![left, right];
            of_pattern(pattern, &mut children);
            children
        }
        Term::BinOp(left, _, right) => vec![left, right],
        Term::Fold(_, items, pattern, terms) => {
            let mut children: Vec<_> = std::iter::once(&**items).chain(terms).collect();
            of_pattern(pattern, &mut children);
            children
        }
        Term::TryCatch(term, catch) => [Some(&**term), catch.as_deref()].into_iter().flatten().collect(),
        Term::IfThenElse(cases, otherwise) => {
            cases.iter().flat_map(|(condition, then)| [condition, then]).chain(otherwise.as_deref()).collect()
        }
        Term::Def(defs, term) => defs.iter().map(|def| &def.body).chain([&**term]).collect(),
        Term::Call(_, arguments) => arguments.iter().collect(),
        Term::Path(term, Path(parts)) => {
            let of_part = |part: &'t Part<_>| match part {
                Part::Index(index) => [Some(index), None],
                Part::Range(from, to) => [from.as_ref(), to.as_ref()],
            };
            std::iter::once(&**term).chain(parts.iter().flat_map(|(part, _)| of_part(part)).flatten()).collect()
        }
    }
}

fn of_pattern<'t, 's>(pattern: &'t Pattern<&'s str>, children: &mut Vec<&'t Term<&'s str>>) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(items) => items.iter().for_each(|item| of_pattern(item, children)),
        Pattern::Obj(fields) => {
            for (key, pattern) in fields {
                children.push(key);
                of_pattern(pattern, children);
            }
        }
    }
}

/// The same, to be changed.
pub fn children_mut<'t, 's>(term: &'t mut Term<&'s str>) -> Vec<&'t mut Term<&'s str>> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => Vec::new(),
        Term::Str(_, parts) => {
            let inside = |part: &'t mut StrPart<_, _>| if let StrPart::Term(term) = part { Some(term) } else { None };
            parts.iter_mut().filter_map(inside).collect()
        }
        Term::Arr(items) => items.as_deref_mut().into_iter().collect(),
        Term::Obj(fields) => fields.iter_mut().flat_map(|(key, value)| [Some(key), value.as_mut()]).flatten().collect(),
        Term::Neg(term) | Term::Label(_, term) => vec![term],
        Term::BinOp(left, operator, right) => {
            let mut children: Vec<&mut Term<_>> = vec![left, right];
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                of_pattern_mut(pattern, &mut children);
            }
            children
        }
        Term::Fold(_, items, pattern, terms) => {
            let mut children: Vec<_> = std::iter::once(&mut **items).chain(terms).collect();
            of_pattern_mut(pattern, &mut children);
            children
        }
        Term::TryCatch(term, catch) => [Some(&mut **term), catch.as_deref_mut()].into_iter().flatten().collect(),
        Term::IfThenElse(cases, otherwise) => {
            let cases = cases.iter_mut().flat_map(|(condition, then)| [condition, then]);
            cases.chain(otherwise.as_deref_mut()).collect()
        }
        Term::Def(defs, term) => defs.iter_mut().map(|def| &mut def.body).chain([&mut **term]).collect(),
        Term::Call(_, arguments) => arguments.iter_mut().collect(),
        Term::Path(term, Path(parts)) => {
            let of_part = |part: &'t mut Part<_>| match part {
                Part::Index(index) => [Some(index), None],
                Part::Range(from, to) => [from.as_mut(), to.as_mut()],
            };
            let parts = parts.iter_mut().flat_map(|(part, _)| of_part(part)).flatten();
            std::iter::once(&mut **term).chain(parts).collect()
        }
    }
}

fn of_pattern_mut<'t, 's>(pattern: &'t mut Pattern<&'s str>, children: &mut Vec<&'t mut Term<&'s str>>) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(items) => items.iter_mut().for_each(|item| of_pattern_mut(item, children)),
        Pattern::Obj(fields) => {
            for (key, pattern) in fields {
                children.push(key);
                of_pattern_mut(pattern, children);
            }
        }
    }
}
