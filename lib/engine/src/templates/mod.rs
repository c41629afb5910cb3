//! Jinja templates, bounded in work and output.

mod bound;
mod nesting;
pub mod parts;

use crate::bindings::{self, Marked};
use crate::component::{Fault, Run};
use crate::json::{self, Json};
use crate::log::shorten;
use minijinja::value::{Kwargs, Rest, StringInput, Value, ValueOrKwargs};
use minijinja::{Environment, ErrorKind, State, UndefinedBehavior, filters};
use parts::{Name, names};
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use tidemill_model::pipeline::nearest::nearest;
use tidemill_plan::TextProblem;

/// Instructions of one rendering: some 10,000 items with a few dozen instructions each.
const FUEL: u64 = 5_000_000;

/// The platform's limit for one object.
const OUTPUT_LIMIT: usize = 6_000_000;

/// Operators, filters and brackets under each other, and `elif` of one `if`.
const DEPTH_LIMIT: usize = 250;

/// The widest field of `format`, and the widest indentation.
const WIDTH_LIMIT: usize = 10_000;

const NAME: &str = "template";

/// A compiled template.
pub struct Template {
    compiled: Compiled,
    what: &'static str,
    run: Arc<Run>,
}

/// A template for MiniJinja, and what its placeholders stand for.
struct Compiled {
    environment: Environment<'static>,
    source: String,
    values: Vec<(String, Value)>,
}

impl Template {
    /// Compiles a template for a run; `what` names the config's field in errors.
    pub fn compile(what: &'static str, source: &str, run: &Arc<Run>) -> Result<Template, Fault> {
        let compiled = compile(source, |name| bindings::value_of(run, name));
        let compiled = compiled.map_err(|problem| Fault::of_text(what, problem))?;
        Ok(Template { compiled, what, run: run.clone() })
    }

    pub fn render(&self, variables: &[(&str, &Json)]) -> Result<String, Fault> {
        let variables = variables.iter().map(|(name, value)| (*name, to_value(value)));
        let bound = self.compiled.values.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let context = Value::from_pairs(variables.chain(bound));
        let mut out = Bounded(Vec::new());
        match self.compiled.template().render_captured_to(context, &mut out) {
            Ok(_) => Ok(String::from_utf8(out.0).expect("templates write text")),
            Err(_) if out.0.len() >= OUTPUT_LIMIT => {
                Err(Fault::new(format!("`{}` writes more than 6 MB, the limit of an object", self.what)))
            }
            Err(problem) => {
                let problem = describe(&problem, |detail| self.run.shortened(detail, 200));
                Err(Fault::new(format!("`{}` cannot be rendered: {problem}", self.what)))
            }
        }
    }
}

impl Compiled {
    fn template(&self) -> minijinja::Template<'_, '_> {
        self.environment.get_template(NAME).expect("the template was added when it was compiled")
    }
}

/// Compiles a template in which each `${NAME}` is a variable with the name's value.
fn compile<'v>(source: &str, value: impl Fn(&str) -> Cow<'v, str>) -> Result<Compiled, TextProblem> {
    let marked = Marked::new(source, "");
    let bound = bound::bind(&marked);
    let values = bound.variables.into_iter().zip(marked.names()).map(|(variable, name)| {
        let value = value(name);
        let value = if variable.is_bare { to_value(&bindings::bare(&value)) } else { Value::from(&*value) };
        (variable.name, value)
    });
    let values = values.collect();
    let environment = environment(&bound.source)
        .map_err(|problem| TextProblem { message: marked.unmarked(&problem.message, ""), ..problem })?;
    Ok(Compiled { environment, source: bound.source, values })
}

fn environment(source: &str) -> Result<Environment<'static>, TextProblem> {
    if let Some(offset) = nesting::deeper_than(source, DEPTH_LIMIT) {
        let message = format!("is nested deeper than {DEPTH_LIMIT} levels");
        let hint = "take parts of it into variables with `{% set part = … %}`, or split it into two templates";
        return Err(TextProblem { message, hint: hint.to_owned(), offset: Some(offset) });
    }
    let mut environment = Environment::new();
    environment.add_filter("format", format_bounded);
    environment.add_filter("indent", indent_bounded);
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    match environment.add_template_owned(NAME, source.to_owned()) {
        Ok(()) => Ok(environment),
        Err(problem) => {
            let detail = problem.detail().map(|detail| format!(": {}", shorten(detail, 200))).unwrap_or_default();
            Err(TextProblem {
                message: format!("is not a template: {}{detail}", problem.kind()),
                hint: "write expressions as `{{ value.x }}` and statements as `{% if value.x %}…{% endif %}`"
                    .to_owned(),
                offset: problem.range().map(|range| range.start),
            })
        }
    }
}

/// MiniJinja's `format`, which makes fields of any width and precision.
fn format_bounded(
    state: &mut State,
    format: &Value,
    arguments: Rest<ValueOrKwargs>,
) -> Result<Value, minijinja::Error> {
    let text = format.as_str().unwrap_or_default();
    for field in text.split('%').skip(1) {
        // Flags, width and precision: `-10.3`. `*` would take one from the arguments.
        let end = field.find(|c: char| !c.is_ascii_digit() && !"-+ #.*".contains(c)).unwrap_or(field.len());
        let mut numbers = field[..end].split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
        if field[..end].contains('*') {
            let problem = "`*` as the width of a field of `format` is not available: write the number";
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, problem));
        }
        if numbers.any(|digits| digits.parse().map_or(true, |width: usize| width > WIDTH_LIMIT)) {
            return Err(too_wide("a field of `format`"));
        }
    }
    filters::format(state, format, arguments)
}

/// MiniJinja's `indent`, which makes an indentation of any width.
fn indent_bounded(
    value: StringInput<'_>,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
    named: Kwargs,
) -> Result<Value, minijinja::Error> {
    let width_of_name: Option<usize> = named.peek("width").unwrap_or_default();
    if width.or(width_of_name).is_some_and(|width| width > WIDTH_LIMIT) {
        return Err(too_wide("an indentation"));
    }
    filters::indent(value, width, first, blank, named)
}

fn too_wide(what: &str) -> minijinja::Error {
    let problem = format!("{what} is wider than {WIDTH_LIMIT} characters");
    minijinja::Error::new(ErrorKind::InvalidOperation, problem)
}

/// Says what is wrong with a template. A filter, a test or a function that does not exist is found by rendering only
/// where it is reached; here it is found wherever it stands.
pub fn check(source: &str) -> Result<(), TextProblem> {
    let compiled = compile(source, |_| Cow::Borrowed("1"))?;
    let Compiled { environment, source: bound, .. } = &compiled;
    let undeclared = compiled.template().undeclared_variables(false);
    for name in names(bound) {
        let (what, name, is_known, near) = match name {
            Name::Filter(name) => ("filter", name, knows(environment, "filter", name), &FILTERS[..]),
            Name::Test(name) => ("test", name, knows(environment, "test", name), &TESTS[..]),
            Name::Function(name) => {
                let is_known = !undeclared.contains(name) || environment.globals().any(|(global, _)| global == name);
                ("function", name, is_known, &FUNCTIONS[..])
            }
        };
        if !is_known {
            let hint = match nearest(name, near.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("see the {what}s of MiniJinja"),
            };
            let offset = (name.as_ptr() as usize).checked_sub(bound.as_ptr() as usize);
            let name = Marked::new(source, "").unmarked(name, "");
            return Err(TextProblem {
                message: format!("has the unknown {what} `{}`", shorten(&name, 60)),
                hint,
                offset,
            });
        }
    }
    Ok(())
}

/// Asks the engine of templates whether it has a filter or a test.
fn knows(environment: &Environment<'_>, what: &str, name: &str) -> bool {
    let question = format!("name is {what}");
    let asked = environment.compile_expression(&question).expect("the question is an expression");
    asked.eval(Value::from_pairs([("name", name)])).is_ok_and(|answer| answer.is_true())
}

/// For hints alone: the names that people slip at.
const FILTERS: [&str; 40] = [
    "abs",
    "batch",
    "bool",
    "capitalize",
    "count",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
];
const TESTS: [&str; 12] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "even",
    "iterable",
    "mapping",
    "none",
    "number",
    "odd",
    "startingwith",
    "undefined",
];
const FUNCTIONS: [&str; 4] = ["debug", "dict", "namespace", "range"];

fn describe(problem: &minijinja::Error, shown: impl Fn(&str) -> String) -> String {
    let detail = problem.detail().map(|detail| format!(": {}", shown(detail))).unwrap_or_default();
    let line = problem.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    format!("{}{detail}{line}", problem.kind())
}

/// A text that refuses to grow beyond the limit.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.0.len() + text.len() > OUTPUT_LIMIT {
            self.0.resize(OUTPUT_LIMIT, b' ');
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A number beyond the machine's integers. An integer that is too long to calculate with is its digits.
fn number_value(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i128>() {
        return Value::from(integer);
    }
    match text.parse::<f64>() {
        Ok(float) if !json::is_integer(text) => Value::from(float),
        _ => Value::from(text),
    }
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(bool) => Value::from(*bool),
        Json::Num(number) => match number.as_isize() {
            Some(integer) => Value::from(integer as i64),
            None => number_value(&number.to_string()),
        },
        Json::TStr(text) | Json::BStr(text) => Value::from(String::from_utf8_lossy(text).into_owned()),
        Json::Arr(items) => items.iter().map(to_value).collect(),
        Json::Obj(fields) => {
            let name = |name: &Json| json::to_text(name).unwrap_or_default();
            Value::from_pairs(fields.iter().map(|(key, value)| (name(key), to_value(value))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::testing;

    fn render(template: &str, secret: &str) -> Result<String, Fault> {
        let run = Arc::new(testing::run_with("S", secret));
        let value = json::parse(br#"{"n": 7, "a": {"b": "c"}}"#).unwrap();
        Template::compile("template", template, &run)?.render(&[("value", &value)])
    }

    #[test]
    fn a_secret_is_bound_and_never_read_as_a_part_of_the_template() {
        for secret in
            ["{{ 6 * 7 }}", "' ~ 6 * 7 ~ '", "\" }}{% raw %}", "{# a", "a\\n\nb", "5", "__bound_0_", "${S}", ""]
        {
            let length = secret.chars().count();
            for (template, expected) in [
                ("<${S}>", format!("<{secret}>")),
                ("{{ '<${S}>' }}", format!("<{secret}>")),
                ("{{ \"${S}\" | length }}", length.to_string()),
                ("{{ ${S} }}", secret.to_owned()),
                ("{% if '${S}' == value.n %}{% else %}${S}${S}{% endif %}", format!("{secret}{secret}")),
                ("{% raw %}{{ ${S} }}{% endraw %}", format!("{{{{ {secret} }}}}")),
                ("{% macro m(x='${S}') %}{{ x }}${S}{% endmacro %}{{ m() }}", format!("{secret}{secret}")),
                ("{% for i in range(2) %}${S}{% endfor %}", format!("{secret}{secret}")),
                ("{% set s = '${S}' %}{{ s }}", secret.to_owned()),
                ("{{ 'a' is startingwith '${S}b' }}${S}", format!("False{secret}")),
            ] {
                assert_eq!(render(template, secret).unwrap(), expected, "{template} {secret}");
            }
        }
    }

    #[test]
    fn a_secret_that_stands_by_itself_may_be_a_number_or_name_a_field() {
        assert_eq!(render("{{ value.n > ${S} }} {{ ${S} + 1 }}", "5").unwrap(), "True 6");
        assert_eq!(render("{{ value.${S}.b }}{{ value['${S}'].b }}", "a").unwrap(), "cc");
    }

    #[test]
    fn a_refusal_names_a_placeholder_and_no_mark() {
        assert_eq!(check("{{ 1 | ${S} }}").unwrap_err().message, "has the unknown filter `${S}`");
        assert_eq!(check("{{ ${S}(1) }}").unwrap_err().message, "has the unknown function `${S}`");
        assert!(!check("{{ 1 ${S} }}").unwrap_err().message.contains("bound"));
    }

    #[test]
    fn an_error_is_masked_before_it_is_cut() {
        let secret = "s3cret-".repeat(60);

        let templates = ["{{ '${S}' | round }}", "{{ {}['${S}'].x }}", "{{ [1] | sort(**{'${S}': 1}) }}"];
        let errors = templates.map(|template| render(template, &secret).err().map(|fault| fault.message));
        let errors: Vec<_> = errors.into_iter().flatten().collect();

        assert!(errors.iter().any(|message| message.contains("<S>")), "some error repeats its value: {errors:?}");
        assert!(!errors.iter().any(|message| message.contains("s3cret")), "{errors:?}");
    }

    #[test]
    fn a_filter_a_test_or_a_function_that_does_not_exist_is_found_where_no_value_reaches_it() {
        for (template, message, hint, at) in [
            ("{{ value.a | uper }}", "has the unknown filter `uper`", "did you mean `upper`?", 13),
            ("{% if false %}{{ 1 is od }}{% endif %}", "has the unknown test `od`", "did you mean `odd`?", 22),
            ("{{ rnge(3) }}", "has the unknown function `rnge`", "did you mean `range`?", 3),
            ("{{ x | zzzzzz }}", "has the unknown filter `zzzzzz`", "see the filters of MiniJinja", 7),
        ] {
            let expected = TextProblem { message: message.into(), hint: hint.into(), offset: Some(at) };
            assert_eq!(check(template), Err(expected), "{template}");
        }
    }

    #[test]
    fn what_nests_too_deeply_is_refused_and_what_is_just_allowed_compiles_on_an_ordinary_stack() {
        let of = |count: usize| {
            let branches = format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 2 %}".repeat(count));
            let chains = ["1 + ", "1 ~ ", "- ", "not ", "1 if 2 else "].map(|one| one.repeat(count));
            let filters = format!("{{{{ 'a'{} }}}}", " | upper".repeat(count));
            let attributes = format!("{{{{ value{} }}}}", ".a".repeat(count));
            let chains = chains.iter().map(|chain| format!("{{{{ {chain}1 }}}}"));
            chains.chain([branches, filters, attributes]).collect::<Vec<_>>()
        };
        for template in of(20_000) {
            let problem = check(&template).unwrap_err();
            assert_eq!(problem.message, "is nested deeper than 250 levels", "{}", &template[..30]);
            assert!(problem.offset.is_some());
        }
        for template in of(124) {
            assert_eq!(check(&template), Ok(()), "{}", &template[..30]);
        }
    }

    #[test]
    fn a_wide_field_or_indentation_is_an_error_and_not_a_gigabyte() {
        for template in [
            "{{ '%100000000000d' | format(1) }}",
            "{{ '%.1000000000f' | format(1.5) }}",
            "{{ '%*d' | format(1000000000, 1) }}",
            "{{ 'a' | indent(1000000000) }}",
            "{{ 'a' | indent(width=1000000000) }}",
        ] {
            let problem = render(template, "").unwrap_err();
            assert!(problem.message.contains("width") || problem.message.contains("wider"), "{}", problem.message);
        }
        let rendered = |template| render(template, "").unwrap();
        assert_eq!(rendered("{{ '20261130 %5d%%' | format(7) }}"), "20261130     7%");
        assert_eq!(rendered("{{ 'a\nb' | indent(2) }}"), "a\n  b");
    }

    #[test]
    fn what_minijinja_and_the_template_define_passes() {
        for template in [
            "{% macro greet(x) %}{{ x | upper }}{% endmacro %}{{ greet('a') }}",
            "{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}",
            "{{ value.items() }} {{ dict(a=1) | tojson | urlencode }}",
            "{% set f = value.f %}{{ value is not divisibleby 3 }}",
            "{{ value.a | default('') | trim }} is (fine) | really",
        ] {
            assert_eq!(check(template), Ok(()), "{template}");
        }
    }

    #[test]
    fn the_names_for_hints_exist() {
        let environment = environment("").unwrap();
        assert!(FILTERS.iter().all(|name| knows(&environment, "filter", name)));
        assert!(TESTS.iter().all(|name| knows(&environment, "test", name)));
        assert!(FUNCTIONS.iter().all(|name| environment.globals().any(|(global, _)| global == *name)));
        assert!(!knows(&environment, "filter", "odd") && !knows(&environment, "test", "trim"));
    }
}
