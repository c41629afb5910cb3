//! `infra/api-gateway.yaml`: the routes, as API Gateway imports them. It makes a model of each schema, and refuses nulls and
//! keywords of OpenAPI that it does not know, so it gets none of them. What no function takes is refused in [`mocks`].

mod mocks;

use super::camel;
use http::Method;
use std::collections::BTreeMap;
use std::fmt::Write;
use tidemill_protocols::functions::{self, Function};
use tidemill_protocols::route::Route;

/// A quarter of an hour is the most that API Gateway waits, and without streams it is 29 s.
const LONGEST_STREAM: u32 = 900_000;

/// The description, from the table of functions and what API Gateway answers by itself.
pub fn text(gateway_responses: &str) -> String {
    let mut paths: Vec<(&str, String)> = Vec::new();
    let mut taken: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
    for function in functions::all() {
        for (route, _) in function.endpoints() {
            let method = method(function, route);
            taken.entry(route.path).or_default().push(route.method.clone());
            match paths.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, methods)) => methods.push_str(&method),
                None => paths.push((route.path, method)),
            }
        }
    }
    for (path, methods) in &mut paths {
        methods.push_str(&mocks::other_methods(path, &taken[path]));
    }
    let mut text = format!(
        "# Written by `cargo xtask generate` from the table of functions and infra/gateway-responses.yaml.
#
# template.yaml includes it with `AWS::Include`, which wants intrinsic functions in their long form, statuses and times as
# text, and no anchors.
openapi: 3.0.3

info:
  title: Tidemill
  version: {}

{}
paths:
",
        env!("CARGO_PKG_VERSION"),
        without_head(gateway_responses)
    );
    for (path, methods) in paths {
        write!(text, "  {path}:\n{methods}").expect("a text takes more text");
    }
    text + &mocks::nowhere(|path| taken.contains_key(path))
}

/// Without the comment at the file's head.
fn without_head(text: &str) -> &str {
    text.split_once("\n\n").map_or(text, |(_, rest)| rest)
}

fn method(function: &Function, route: &Route) -> String {
    let (version, call) = match function.streams() {
        true => ("2021-11-15", "response-streaming-invocations"),
        false => ("2015-03-31", "invocations"),
    };
    let streams = match function.streams() {
        true => format!("        responseTransferMode: STREAM\n        timeoutInMillis: {LONGEST_STREAM}\n"),
        false => String::new(),
    };
    format!(
        "    {}:
{}      responses:
        '{}': {{ description: The answer of `{}`. }}
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        passthroughBehavior: when_no_match
        credentials:
          Fn::GetAtt: [ApiRole, Arn]
        uri:
          Fn::Sub: arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/{version}/functions/${{{}Function.Arn}}/{call}
{streams}",
        route.method.as_str().to_lowercase(),
        parameters(route),
        route.success,
        function.name,
        camel(function.name),
    )
}

fn parameters(route: &Route) -> String {
    let names: Vec<&str> = route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    if names.is_empty() {
        return String::new();
    }
    let one =
        |name: &&str| format!("        - {{ name: {name}, in: path, required: true, schema: {{ type: string }} }}\n");
    format!("      parameters:\n{}", names.iter().map(one).collect::<String>())
}
