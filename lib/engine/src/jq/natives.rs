//! The native functions of a program: jaq's, less those that see the process, plus the ones that meter.

use crate::json::{self, Json};
use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Bind, DataT, Error, Exn, Lut, Native, ValR, ValX, data};
use std::cell::Cell;

/// The largest string that a program may make, in bytes.
const STRING_LIMIT: usize = 16 * 1024 * 1024;

/// The longest array that adding may make.
const ARRAY_LIMIT: usize = 1_000_000;

/// Levels of nesting that a program may build up: dropping a value recurses, and far deeper ones overflow the stack.
const DEPTH_LIMIT: usize = 1_000;

/// Steps between two looks at how deep a value is. A step adds few levels, and a look costs more than a step.
const DEPTH_EVERY: u64 = 32;

/// Items that one look at a value's depth goes through.
const DEPTH_ITEMS: usize = 4_096;

/// Functions of jaq's library that are left out or replaced.
const REPLACED: [&str; 5] = ["env", "debug_empty", "stderr_empty", "range", "fromjson"];

/// What programs run on: JSON, with a meter.
pub struct Jq;

impl DataT for Jq {
    type V<'a> = Json;
    type Data<'a> = &'a Meter<'a>;
}

impl<'a> data::HasLut<'a, Jq> for &'a Meter<'a> {
    fn lut(&self) -> &'a Lut<Jq> {
        self.lut
    }
}

/// Counts the work of one run of a program.
pub struct Meter<'a> {
    lut: &'a Lut<Jq>,
    fuel: Cell<u64>,
    stack: usize,
    stack_limit: usize,
    exceeded: Cell<Option<&'static str>>,
}

impl<'a> Meter<'a> {
    pub fn new(lut: &'a Lut<Jq>, fuel: u64, stack_limit: usize) -> Meter<'a> {
        Meter { lut, fuel: Cell::new(fuel), stack: stack_position(), stack_limit, exceeded: Cell::new(None) }
    }

    /// Which bound the program ran into.
    pub fn exceeded(&self) -> Option<&'static str> {
        self.exceeded.get()
    }

    fn burn(&self) -> Result<(), Error<Json>> {
        if self.exceeded.get().is_some() {
            return Err(stopped());
        }
        let Some(fuel) = self.fuel.get().checked_sub(1) else {
            return Err(self.stop("did not end within its limit of 5 million steps"));
        };
        self.fuel.set(fuel);
        if self.stack.abs_diff(stack_position()) > self.stack_limit {
            return Err(self.stop("recursed too deeply"));
        }
        Ok(())
    }

    /// Burns, and now and then looks at the value that the program works on.
    fn pass(&self, value: Json) -> ValR<Json> {
        self.burn()?;
        if self.fuel.get().is_multiple_of(DEPTH_EVERY) && is_too_deep(&value) {
            return Err(self.stop("made a value that nests deeper than 1,000 levels"));
        }
        Ok(value)
    }

    fn stop(&self, problem: &'static str) -> Error<Json> {
        self.exceeded.set(Some(problem));
        stopped()
    }
}

/// Goes through some thousand items of a value, not through all of a large one.
fn is_too_deep(value: &Json) -> bool {
    let mut items = DEPTH_ITEMS;
    let mut waiting = vec![(value, 1)];
    while let Some((value, depth)) = waiting.pop() {
        if depth > DEPTH_LIMIT {
            return true;
        }
        let mut look = |child| {
            items = items.saturating_sub(1);
            if items > 0 && matches!(child, &Json::Arr(_) | &Json::Obj(_)) {
                waiting.push((child, depth + 1));
            }
            items > 0
        };
        match value {
            Json::Arr(children) => _ = children.iter().all(&mut look),
            Json::Obj(children) => _ = children.values().all(&mut look),
            _ => {}
        }
    }
    false
}

fn stopped() -> Error<Json> {
    Error::str("the program was stopped")
}

/// About where the stack ends just now.
#[inline(never)]
fn stack_position() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here) as usize
}

pub fn all() -> impl Iterator<Item = Fun<Jq>> {
    let library = jaq_core::funs::<Jq>().chain(jaq_std::funs::<Jq>()).chain(jaq_json::funs::<Jq>());
    library.filter(|(name, ..)| !REPLACED.contains(name)).chain(own())
}

fn own() -> impl Iterator<Item = Fun<Jq>> {
    let fuel: Fun<Jq> = (
        "__fuel",
        v(0),
        Native::<Jq>::new(|cv| bome(cv.0.data().pass(cv.1)))
            .with_paths(|cv| box_once(cv.0.data().burn().map(|()| cv.1).map_err(Exn::from)))
            .with_update(|cv, update| match cv.0.data().burn() {
                Ok(()) => update(cv.1),
                Err(error) => box_once(Err(Exn::from(error))),
            }),
    );
    let two = || [Bind::Var(()), Bind::Var(())].into();
    let rest: [Fun<Jq>; 6] = [
        run(("__add", two(), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            bome(add(cv.0.data(), left, right))
        })),
        run(("__mul", two(), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            bome(multiply(cv.0.data(), left, right))
        })),
        run(("range", v(3), |mut cv| {
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            Box::new(range(cv.0.data(), from, to, by))
        })),
        run(("fromjson", v(0), |cv| bome(from_json(&cv.1)))),
        run(("debug_empty", v(0), |_| Box::new(std::iter::empty()))),
        run(("stderr_empty", v(0), |_| Box::new(std::iter::empty()))),
    ];
    [fuel].into_iter().chain(rest)
}

fn add(meter: &Meter<'_>, left: Json, right: Json) -> ValR<Json> {
    match (&left, &right) {
        (Json::TStr(a) | Json::BStr(a), Json::TStr(b) | Json::BStr(b)) if a.len() + b.len() > STRING_LIMIT => {
            Err(meter.stop("made a string of more than 16 MiB"))
        }
        (Json::Arr(a), Json::Arr(b)) if a.len() + b.len() > ARRAY_LIMIT => {
            Err(meter.stop("made an array of more than 1 million items"))
        }
        _ => left + right,
    }
}

fn multiply(meter: &Meter<'_>, left: Json, right: Json) -> ValR<Json> {
    match (&left, &right) {
        (Json::TStr(text) | Json::BStr(text), Json::Num(times))
        | (Json::Num(times), Json::TStr(text) | Json::BStr(text))
            if text.len().saturating_mul(times.as_isize().unwrap_or(isize::MAX).max(0) as usize) > STRING_LIMIT =>
        {
            Err(meter.stop("made a string of more than 16 MiB"))
        }
        _ => left * right,
    }
}

/// The numbers from `from` until before `to`, each at the price of a step.
fn range<'a>(meter: &'a Meter<'a>, from: Json, to: Json, by: Json) -> impl Iterator<Item = ValX<'a, Json>> {
    let mut next = Some(from);
    let zero = Json::from(0usize);
    std::iter::from_fn(move || {
        let current = next.take()?;
        let more = match by.cmp(&zero) {
            std::cmp::Ordering::Greater => current < to,
            std::cmp::Ordering::Less => current > to,
            std::cmp::Ordering::Equal => current != to,
        };
        if !more {
            return None;
        }
        if let Err(error) = meter.burn() {
            return Some(Err(error.into()));
        }
        match current.clone() + by.clone() {
            Ok(following) => next = Some(following),
            Err(error) => return Some(Err(error.into())),
        }
        Some(Ok(current))
    })
}

/// Strict and bounded in depth, as everything that the engine parses.
fn from_json(text: &Json) -> ValR<Json> {
    match text {
        Json::TStr(text) => {
            json::parse(text).map_err(|problem| Error::str(format_args!("cannot parse as JSON: {problem}")))
        }
        other => Err(Error::typ(other.clone(), "string")),
    }
}
