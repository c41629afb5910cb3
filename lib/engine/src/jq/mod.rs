//! jq programs: compiled once, run for each value, bounded in work, output and recursion.
//!
//! jaq has no bounds of its own, so [`metering`] weaves them into the program and the library before they are compiled.
//! Programs cannot read the process's environment (it holds the plane's credentials) nor files.

mod metering;
mod natives;

use crate::component::{Fault, Run};
use crate::json::{self, Json};
use crate::log::shorten;
use crate::object::Object;
use crate::value::Value;
use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use natives::{Jq, Meter};

/// Values that a program may give for one value.
const OUTPUT_LIMIT: usize = 10_000;

/// Recursive calls and iterated items of one run of a program: about a second of work.
const FUEL: u64 = if cfg!(test) { 200_000 } else { 5_000_000 };

/// Bytes of the stack that a program's recursion may use; runtime threads have 2 MiB.
const STACK_LIMIT: usize = 384 * 1024;

/// A compiled program.
pub struct Program {
    /// The config's field.
    what: String,
    filter: Filter<Jq>,
    uses_object: bool,
    uses_run: bool,
}

impl Program {
    /// Compiles a program; `what` names the config's field in the error.
    pub fn compile(what: &str, code: &str) -> Result<Program, Fault> {
        let refuse = |problem: String| {
            Fault::new(format!("`{what}` is not a jq program: {problem}"))
                .hint("see the jq manual; `$object` and `$run` are defined, `env` and `input` are not")
        };
        // The loader parses once more, for its errors; the metered program is compiled.
        let arena = Arena::default();
        Loader::new([]).load(&arena, File { path: (), code }).map_err(|errors| refuse(syntax(code, errors)))?;
        let term = jaq_core::load::parse(code, |parser| parser.term())
            .ok_or_else(|| refuse("`import`, `include` and `module` are not available".to_owned()))?;

        let main = parse::Def { name: "__program", args: Vec::new(), body: metering::meter(term) };
        let library = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let loader = Loader::new(library.map(metering::meter_def).map(shorter).chain([main]));
        let modules =
            loader.load(&arena, File { path: (), code: "__program" }).map_err(|errors| refuse(syntax(code, errors)))?;
        let filter = Compiler::default()
            .with_funs(natives::all())
            .with_global_vars(["$object", "$run"])
            .compile(modules)
            .map_err(|errors| refuse(undefined(errors)))?;
        Ok(Program {
            what: what.to_owned(),
            filter,
            uses_object: code.contains("$object"),
            uses_run: code.contains("$run"),
        })
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

fn syntax(code: &str, errors: jaq_core::load::Errors<&str, ()>) -> String {
    use jaq_core::load::Error;
    let place = |rest: &str| match code.len().checked_sub(rest.len()) {
        _ if rest.is_empty() => "at the end".to_owned(),
        _ => format!("at `{}`", shorten(rest, 30)),
    };
    let describe = |error: Error<&str>| match error {
        Error::Io(problems) => problems.into_iter().next().map(|(_, problem)| problem),
        Error::Lex(problems) => {
            let describe =
                |(expected, rest): lex::Error<&str>| format!("expected {} {}", expected.as_str(), place(rest));
            problems.into_iter().next().map(describe)
        }
        Error::Parse(problems) => {
            let describe =
                |(expected, rest): parse::Error<&str>| format!("expected {} {}", expected.as_str(), place(rest));
            problems.into_iter().next().map(describe)
        }
    };
    errors.into_iter().find_map(|(_, error)| describe(error)).unwrap_or_else(|| "it cannot be parsed".to_owned())
}

fn undefined(errors: jaq_core::compile::Errors<&str, ()>) -> String {
    let first = errors.into_iter().flat_map(|(_, problems)| problems).next();
    first.map_or_else(String::new, |(name, kind)| format!("the {} `{name}` is not defined", kind.as_str()))
}

#[cfg(test)]
mod tests;
