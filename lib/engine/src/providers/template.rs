//! `template`: writes text from values with a Jinja template, one by one or all of a run at once.

use super::on_error::{self, OnError};
use super::schema;
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::json::{self, Json};
use crate::object::Object;
use crate::templates::Template;
use crate::value::Value;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value as Tree, json};
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

/// Values that a collecting template keeps.
const ITEM_LIMIT: usize = 10_000;

/// Bytes of JSON that a collecting template keeps; they travel with every checkpoint.
const BYTE_LIMIT: usize = 1024 * 1024;

/// Why a value is dropped.
const FAILED: &str = "`template` failed";

pub fn entry() -> Entry {
    use Lane::*;
    let gives = vec![Text, Documents, Questions, Answers, Table];
    let declaration = Provider {
        name: "template",
        title: "Template",
        description: "Writes text with a Jinja template (MiniJinja). The template sees the value as `value`, its object \
            as `object` and the run as `run`. With `collect` it is rendered once, when the run has no more values, and \
            sees all of them as `items`: that is how a digest is written. On the lane `documents` the text must be JSON.",
        class: Class::Transform,
        lanes: [Text, Documents, Questions, Answers, Table, Tags].map(|lane| (lane, gives.clone())).to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "template",
                    json!({
                        "type": "string", "x-tidemill": "template",
                        "description": "The template, e.g. `{{ value.title }}`. A missing field is an error; write `{{ value.x | default('') }}` where it may be missing.",
                    }),
                ),
                (
                    "collect",
                    json!({
                        "type": "boolean", "default": false,
                        "description": "Render once for all values of the run (at most 10,000 values and 1 MiB).",
                    }),
                ),
                (
                    "always",
                    json!({
                        "type": "boolean", "default": false,
                        "description": "With `collect`: render also if there was no value.",
                    }),
                ),
                ("on_error", on_error::schema("passes null, which is the text `null` on the lane `text`")),
            ],
            &["template"],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        let run = setup.run.facts.clone();
        let template = setup.template("template", &config.template)?;
        let saved = setup.state::<Vec<String>>()?.unwrap_or_default();
        let bytes = saved.iter().map(String::len).sum();
        let items = saved.iter().filter_map(|item| json::reread(item)).collect();
        Ok(Box::new(Writer { config, template, run, items, bytes }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    template: String,
    collect: bool,
    always: bool,
    on_error: OnError,
}

struct Writer {
    config: Config,
    template: Template,
    run: Json,
    items: Vec<Json>,
    bytes: usize,
}

impl Writer {
    fn collect(&mut self, value: Json) -> Result<(), Fault> {
        self.bytes += json::to_compact(&value)?.len();
        self.items.push(value);
        if self.items.len() > ITEM_LIMIT || self.bytes > BYTE_LIMIT {
            return Err(Fault::new(format!("`collect` got more than {ITEM_LIMIT} values or 1 MiB, its limit"))
                .hint("filter the values before, or keep only the needed fields with `json`"));
        }
        Ok(())
    }

    fn render(&self, arrival: &Arrival, call: &mut Call<'_>) -> Result<(), Fault> {
        let value = arrival.value.as_json();
        let object = arrival.object.as_json();
        let give = |call: &mut Call<'_>| {
            let text = self.template.render(&[("value", &value), ("object", &object), ("run", &self.run)])?;
            call.emit(&arrival.object, Value::text(text))
        };
        let give = |call: &mut Call<'_>| {
            give(call).map_err(|fault| {
                let (id, value) = (&arrival.object.id, call.run.shown(&value));
                let message = format!("{} at the object `{id}` for the value `{value}`", fault.message);
                Fault { message, ..fault }
            })
        };
        let null = |call: &mut Call<'_>| call.emit(&arrival.object, Value::Json(Json::Null));
        self.config.on_error.guard(call, FAILED, give, null)
    }

    fn render_items(&mut self, call: &mut Call<'_>) -> Result<(), Fault> {
        if !self.config.collect || self.items.is_empty() && !self.config.always {
            return Ok(());
        }
        let items: Json = std::mem::take(&mut self.items).into_iter().collect();
        self.bytes = 0;
        let object = Arc::new(Object::new(format!("{}:{}", call.run.context.run.run_id, call.id)));
        let give = |call: &mut Call<'_>| {
            let text = self.template.render(&[("items", &items), ("run", &self.run)])?;
            call.emit(&object, Value::text(text))
        };
        let null = |call: &mut Call<'_>| call.emit(&object, Value::Json(Json::Null));
        self.config.on_error.guard(call, FAILED, give, null)
    }
}

impl Component for Writer {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let taken = match self.config.collect {
            true => self.collect(arrival.value.as_json()),
            false => self.render(&arrival, call),
        };
        Box::pin(std::future::ready(taken))
    }

    fn finish<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let rendered = self.render_items(call);
        Box::pin(std::future::ready(rendered))
    }

    fn state(&self) -> Tree {
        let items = self.items.iter().filter_map(|item| json::to_compact(item).ok());
        if self.items.is_empty() { Tree::Null } else { items.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;
    use crate::providers::testing::{Bench, nodes};

    async fn run(config: Tree, body: &str) -> Result<Tree, crate::Error> {
        let plan = nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("template", config, "text"),
            ("response", json!({}), ""),
        ]);
        let input = Input::new("application/json", body.to_owned());
        Ok(Bench::new().input(input).run(&plan).await?.result)
    }

    #[tokio::test]
    async fn each_value_is_rendered_with_its_object_and_run() {
        let config = json!({ "template": "{{ value.a }} {{ object.id }} {{ run.project }} {{ value.l | join('/') }}" });

        let result = run(config, r#"[{"a":1,"l":[2.5,"x"]}]"#).await.unwrap();

        assert_eq!(result["text"], json!(["1 run-1:0 proj 2.5/x\n\n"]));
    }

    #[tokio::test]
    async fn a_digest_is_rendered_once_and_not_for_nothing() {
        let digest = |always: bool| json!({ "template": "{{ items | length }}:{% for i in items %} {{ i.a }}{% endfor %}", "collect": true, "always": always });

        assert_eq!(run(digest(false), r#"[{"a":1},{"a":"<b>"}]"#).await.unwrap()["text"], json!(["2: 1 <b>\n\n"]));
        assert_eq!(run(digest(false), "[]").await.unwrap(), json!({}));
        assert_eq!(run(digest(true), "[]").await.unwrap()["text"], json!(["0:\n\n"]));
    }

    #[tokio::test]
    async fn bounds_and_mistakes_are_errors() {
        let many = format!("[{}]", vec!["{}"; 10_001].join(","));
        for (config, body, expected) in [
            (json!({ "template": "{{ value.nope }}" }), "[{}]", "undefined"),
            (json!({ "template": "{% for" }), "[{}]", "is not a template"),
            (
                json!({ "template": "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}" }),
                "[{}]",
                "fuel",
            ),
            (json!({ "template": "{% for a in range(10000) %}{{ 'x' * 1000 }}{% endfor %}" }), "[{}]", "6 MB"),
            (json!({ "template": "{% include 'x' %}" }), "[{}]", "template"),
            (json!({ "template": "", "collect": true }), many.as_str(), "10000 values"),
        ] {
            let error = run(config.clone(), body).await.unwrap_err();

            assert!(error.message.contains(expected), "{config}: {}", error.message);
        }
    }

    #[tokio::test]
    async fn a_template_that_fails_names_the_value_drops_it_or_passes_null() {
        let of = |on_error: &str| json!({ "template": "{{ value.a.b }}", "on_error": on_error });
        let body = r#"[{"a":{"b":1}},{"x":2}]"#;

        let failed = run(of("fail"), body).await.unwrap_err();

        let ending = r#" at the object `run-1:0` for the value `{"x":2}`"#;
        assert!(failed.message.starts_with("`template` cannot be rendered: "), "{}", failed.message);
        assert!(failed.message.ends_with(ending), "{}", failed.message);
        assert_eq!(run(of("skip"), body).await.unwrap()["text"], json!(["1\n\n"]));
        assert_eq!(run(of("null"), body).await.unwrap()["text"], json!(["1\n\nnull\n\n"]));
    }

    #[tokio::test]
    async fn text_that_one_of_its_lanes_does_not_take_goes_on_along_none() {
        let config = json!({ "template": "{{ value }}", "on_error": "skip" });
        let plan = nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("template", config, "text documents"),
            ("response", json!({}), ""),
        ]);

        let end = Bench::new().input(Input::new("application/json", r#"[7, "no JSON"]"#)).run(&plan).await.unwrap();

        assert_eq!((&end.result["text"], &end.result["documents"]), (&json!(["7\n\n"]), &json!([7])));
        assert_eq!(end.counted("template_2"), (2, 1, 0, "1: `template` failed".to_owned()));
    }

    #[tokio::test]
    async fn integers_of_any_length_keep_their_digits() {
        let config = json!({ "template": "{{ value.id }} {{ value.id + 1 }} {{ value.long }} {{ value.id == 15878708649682983132 }}" });
        let body = r#"[{"id":15878708649682983132,"long":-1234567890123456789012345678901234567890123}]"#;

        let result = run(config, body).await.unwrap();

        let rendered = "15878708649682983132 15878708649682983133 -1234567890123456789012345678901234567890123 True";
        assert_eq!(result["text"], json!([format!("{rendered}\n\n")]));
    }

    #[tokio::test]
    async fn what_a_caller_gives_as_a_variable_is_no_secret() {
        let config = json!({ "template": "lang=${ROCKETRIDE_LANG} {{ value }}" });
        let plan = nodes(&[("webhook", json!({}), "text"), ("template", config, "text"), ("response", json!({}), "")]);
        let mut bench = Bench::new().secret("OTHER", "s3cret").input(Input::new("text/plain", "Say hello-world"));
        bench.context.variables.insert("ROCKETRIDE_LANG".to_owned(), "hello-world".to_owned());

        let end = bench.run(&plan).await.unwrap();

        assert_eq!(end.result["text"], json!(["lang=hello-world Say hello-world\n\n"]));
    }
}
