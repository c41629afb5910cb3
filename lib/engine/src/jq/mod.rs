//! jq programs: compiled once, run for each value, bounded in work, output and recursion.
//!
//! jaq has no bounds of its own, so [`metering`] weaves them into the program and the library before they are compiled.
//! Programs cannot read the process's environment (it holds the plane's credentials) nor files.

mod binding;
mod metering;
mod natives;
mod nesting;
mod regexes;
mod terms;

use crate::bindings::{self, Marked};
use crate::component::{Fault, Run};
use crate::json::{self, Json};
use crate::log::shorten;
use crate::object::Object;
use crate::value::Value;
use binding::{Binding, SIGIL};
use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use natives::{Jq, Meter};
use std::borrow::Cow;
use tidemill_plan::TextProblem;

/// Values that a program may give for one value.
const OUTPUT_LIMIT: usize = 10_000;

/// Recursive calls and iterated items of one run of a program: about a second of work.
const FUEL: u64 = if cfg!(test) { 200_000 } else { 5_000_000 };

/// Bytes of the stack that a program's recursion may use; runtime threads have 2 MiB.
const STACK_LIMIT: usize = 384 * 1024;

/// Bytes of a program.
const CODE_LIMIT: usize = 64 * 1024;

/// Brackets, operators and keywords under each other; a level takes up to 15 KiB of the stack to compile.
const DEPTH_LIMIT: usize = 250;

/// Levels that every thread has the stack for.
const SHALLOW: usize = 30;

/// Bytes of the stack of a thread that compiles what is deeper.
const DEEP_STACK: usize = 16 * 1024 * 1024;

/// A compiled program.
pub struct Program {
    /// The config's field.
    what: String,
    filter: Filter<Jq>,
    uses_object: bool,
    uses_run: bool,
}

impl Program {
    /// Compiles a program of a config for a run; `what` names the config's field in the error.
    pub fn compile(what: &str, code: &str, run: &Run) -> Result<Program, Fault> {
        let filter = compile_bound(code, |name| bindings::value_of(run, name), |_, _| Ok(()));
        Ok(Program::new(what, code, filter.map_err(|problem| Fault::of_text(what, problem))?))
    }

    /// Compiles a program that is not of a config.
    pub fn parse(code: &str) -> Result<Program, TextProblem> {
        Ok(Program::new("the program", code, compile_and(code, None, |_, _| Ok(()))?))
    }

    fn new(what: &str, code: &str, filter: Filter<Jq>) -> Program {
        let (uses_object, uses_run) = (code.contains("$object"), code.contains("$run"));
        Program { what: what.to_owned(), filter, uses_object, uses_run }
    }

    /// All values that the program gives for a value outside of any run; the error is a phrase for a message.
    pub fn values(&self, value: Json) -> Result<Vec<Json>, String> {
        let meter = Meter::new(&self.filter.lut, FUEL, STACK_LIMIT);
        let context = Ctx::<Jq>::new(&meter, Vars::new([Json::Null, Json::Null]));
        let mut outputs = Vec::new();
        for output in self.filter.id.run((context, value)) {
            match (output, meter.exceeded()) {
                (_, Some(problem)) => return Err(problem.to_owned()),
                (Ok(output), None) => outputs.push(output),
                (Err(exception), None) => match exception.get_err() {
                    Ok(error) => return Err(json::to_text(&error.into_val()).unwrap_or_else(|_| "an error".to_owned())),
                    Err(_) => break,
                },
            }
        }
        match meter.exceeded() {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(outputs),
        }
    }

    /// All values that the program gives for one value.
    pub fn run(&self, value: &Value, object: &Object, run: &Run) -> Result<Vec<Json>, Fault> {
        let mut outputs = Vec::new();
        self.each(value, object, run, |output| {
            if outputs.len() == OUTPUT_LIMIT {
                let what = &self.what;
                return Err(Fault::new(format!("`{what}` gave more than {OUTPUT_LIMIT} values for one object"))
                    .hint("give an array, or split the work into two programs"));
            }
            outputs.push(output);
            Ok(true)
        })?;
        Ok(outputs)
    }

    /// The first value that the program gives, if any.
    pub fn first(&self, value: &Value, object: &Object, run: &Run) -> Result<Option<Json>, Fault> {
        let mut first = None;
        self.each(value, object, run, |output| {
            first = Some(output);
            Ok(false)
        })?;
        Ok(first)
    }

    fn each(
        &self,
        value: &Value,
        object: &Object,
        run: &Run,
        mut take: impl FnMut(Json) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let variable = |used: bool, value: &dyn Fn() -> Json| if used { value() } else { Json::Null };
        let object_value = variable(self.uses_object, &|| object.as_json());
        let run_value = variable(self.uses_run, &|| run.facts.clone());
        let meter = Meter::new(&self.filter.lut, FUEL, STACK_LIMIT);
        let context = Ctx::<Jq>::new(&meter, Vars::new([object_value, run_value]));
        for output in self.filter.id.run((context, value.as_json())) {
            match output {
                Ok(output) => {
                    if !take(output)? {
                        return Ok(());
                    }
                }
                Err(exception) => return self.fail(exception, &meter, value, object, run),
            }
        }
        // A `try` in the program may have swallowed the meter's error.
        match meter.exceeded() {
            Some(problem) => Err(self.stopped(problem, object)),
            None => Ok(()),
        }
    }

    /// Runs the program for no value of a run, with two values of its own; what goes wrong, in jaq's words.
    fn alone(&self, object: Json, run: Json) -> Result<(), String> {
        let meter = Meter::new(&self.filter.lut, FUEL, STACK_LIMIT);
        let context = Ctx::<Jq>::new(&meter, Vars::new([object, run]));
        let first = self.filter.id.run((context, Json::Null)).next();
        match first.map(|output| output.map_err(jaq_core::Exn::get_err)) {
            Some(Err(Ok(error))) => {
                let problem = json::to_text(&error.into_val()).unwrap_or_else(|_| "an error".to_owned());
                Err(problem)
            }
            _ => Ok(()),
        }
    }

    fn stopped(&self, problem: &str, object: &Object) -> Fault {
        Fault::new(format!("`{}` {problem} at the object `{}`", self.what, object.id))
    }

    fn fail(
        &self,
        exception: jaq_core::Exn<'_, Json>,
        meter: &Meter<'_>,
        value: &Value,
        object: &Object,
        run: &Run,
    ) -> Result<(), Fault> {
        if let Some(problem) = meter.exceeded() {
            return Err(self.stopped(problem, object));
        }
        match exception.get_err() {
            Ok(error) => {
                let problem = json::to_text(&error.into_val()).unwrap_or_else(|_| "an error".to_owned());
                let (what, id, problem) = (&self.what, &object.id, run.shortened(&problem, 200));
                let value = run.shown(&value.as_json());
                Err(Fault::new(format!("`{what}` failed at the object `{id}` for the value `{value}`: {problem}")))
            }
            // `halt` ends the program for this value.
            Err(_) => Ok(()),
        }
    }
}

/// Lets a definition of the library stand beside those of a program, whose text lives less long.
fn shorter<'s>(def: parse::Def<&'static str>) -> parse::Def<&'s str> {
    def
}

/// Whether jq takes a value for true.
pub fn is_true(value: &Json) -> bool {
    !matches!(value, Json::Null | Json::Bool(false))
}

/// Says what is wrong with a program, with its constant regular expressions, too.
pub fn check(code: &str) -> Result<(), TextProblem> {
    compile_bound(code, |_| Cow::Borrowed("1"), regexes::check).map(drop)
}

pub use regexes::check_one as check_regex;

/// Compiles a program in which each `${NAME}` is a constant with the name's value.
fn compile_bound<'v>(code: &str, value: impl Fn(&str) -> Cow<'v, str>, look: Look) -> Result<Filter<Jq>, TextProblem> {
    let marked = Marked::new(code, SIGIL);
    if marked.names().is_empty() {
        return compile_and(code, None, look);
    }
    let values: Vec<String> = marked.names().iter().map(|name| value(name).into_owned()).collect();
    compile_and(&marked.text, Some(&Binding { marked: &marked, values: &values }), look).map_err(|problem| {
        TextProblem {
            message: marked.unmarked(&problem.message, SIGIL),
            hint: format!("{}; `${{NAME}}` is a value, so a field of that name is `.[\"${{NAME}}\"]`", problem.hint),
            offset: None,
        }
    })
}

/// Looks at a program's syntax tree, too.
type Look = fn(&str, &parse::Term<&str>) -> Result<(), TextProblem>;

fn compile_and<'s>(code: &'s str, binding: Option<&Binding<'s>>, look: Look) -> Result<Filter<Jq>, TextProblem> {
    if code.len() > CODE_LIMIT {
        let message = format!("has {} bytes, the limit of a jq program is {CODE_LIMIT}", code.len());
        return Err(TextProblem { message, hint: "split it into two programs".to_owned(), offset: None });
    }
    if let Some(offset) = nesting::deeper_than(code, DEPTH_LIMIT) {
        let message = format!("is nested deeper than {DEPTH_LIMIT} levels");
        return Err(TextProblem { message, hint: "split it into two programs".to_owned(), offset: Some(offset) });
    }
    if nesting::deeper_than(code, SHALLOW).is_none() {
        return compile_here(code, binding, look);
    }
    let compiled = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(DEEP_STACK)
            .spawn_scoped(scope, || compile_here(code, binding, look));
        thread.map(|thread| thread.join().expect("compiling does not panic"))
    });
    compiled.unwrap_or_else(|_| Err(refusal("there is no thread left to compile it", None)))
}

fn compile_here<'s>(code: &'s str, binding: Option<&Binding<'s>>, look: Look) -> Result<Filter<Jq>, TextProblem> {
    // The loader parses once more, for its errors; the metered program is compiled.
    let arena = Arena::default();
    Loader::new([]).load(&arena, File { path: (), code }).map_err(|errors| syntax(code, errors))?;
    let mut term = jaq_core::load::parse(code, |parser| parser.term())
        .ok_or_else(|| refusal("`import`, `include` and `module` are not available", None))?;
    if let Some(binding) = binding {
        binding.bind(&mut term);
    }
    let looked = look(code, &term);

    let main = parse::Def { name: "__program", args: Vec::new(), body: metering::meter(term) };
    let library = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let loader = Loader::new(library.map(metering::meter_def).map(shorter).chain([main]));
    let modules = loader.load(&arena, File { path: (), code: "__program" }).map_err(|errors| syntax(code, errors))?;
    let compiler = Compiler::default().with_funs(natives::all()).with_global_vars(["$object", "$run"]);
    let filter = compiler.compile(modules).map_err(|errors| undefined(code, errors))?;
    looked.map(|()| filter)
}

fn refusal(problem: &str, offset: Option<usize>) -> TextProblem {
    TextProblem {
        message: format!("is not a jq program: {problem}"),
        hint: "see the jq manual; `$object` and `$run` are defined, `env` and `input` are not".to_owned(),
        offset,
    }
}

/// Where a part of a program stands in it; `None` if it is of the library.
fn offset(code: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(code.as_ptr() as usize)?;
    (offset <= code.len()).then_some(offset)
}

fn syntax(code: &str, errors: jaq_core::load::Errors<&str, ()>) -> TextProblem {
    use jaq_core::load::Error;
    let expected = |what: &str, rest: &str| {
        // What is missing at the end has no place of its own.
        let at = if rest.is_empty() { Some(code.len()) } else { offset(code, rest) };
        refusal(&format!("expected {what}"), at)
    };
    let describe = |error: Error<&str>| match error {
        Error::Io(problems) => problems.into_iter().next().map(|(_, problem)| refusal(&problem, None)),
        Error::Lex(problems) => {
            problems.into_iter().next().map(|(what, rest): lex::Error<&str>| expected(what.as_str(), rest))
        }
        Error::Parse(problems) => {
            problems.into_iter().next().map(|(what, rest): parse::Error<&str>| expected(what.as_str(), rest))
        }
    };
    errors.into_iter().find_map(|(_, error)| describe(error)).unwrap_or_else(|| refusal("it cannot be parsed", None))
}

fn undefined(code: &str, errors: jaq_core::compile::Errors<&str, ()>) -> TextProblem {
    let first = errors.into_iter().flat_map(|(_, problems)| problems).next();
    match first {
        Some((name, kind)) => {
            refusal(&format!("the {} `{}` is not defined", kind.as_str(), shorten(name, 60)), offset(code, name))
        }
        None => refusal("it cannot be compiled", None),
    }
}

#[cfg(test)]
mod tests;
