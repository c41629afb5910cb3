//! What API Gateway answers to requests that no function takes: 404, and 405 with `Allow`, in the form of the path's callers.
//!
//! These are methods of their own, without a function behind them. API Gateway's own answer is 403 if the request has a header
//! `Authorization`, which it takes for a signature of AWS's: <https://github.com/aws/chalice/issues/828>

use http::Method;
use tidemill_protocols::rest::Response;
use tidemill_protocols::{checkly, refused};

/// Types of bodies for which there is a template. API Gateway has no pattern for all; it refuses others as
/// `UNSUPPORTED_MEDIA_TYPE`, for which infra/gateway-responses.yaml has the answer.
const TYPES: [&str; 5] = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/octet-stream",
];

/// Stands for the method that a request names.
const METHOD: &str = "METHOD";

/// Every method of a path that the functions do not take.
pub fn other_methods(path: &str, allowed: &[Method]) -> String {
    let other = Method::from_bytes(METHOD.as_bytes()).expect("it is a token");
    mock(&refused::other_method(path, &other, allowed), path)
}

/// The paths without a function. API Gateway looks for the path that names most of a request's, and lets no two variable parts stand
/// side by side, so those of Checkly's clients begin one part later where a function's path has a variable one.
pub fn nowhere(is_taken: impl Fn(&str) -> bool) -> String {
    let mut paths = vec!["/".to_owned(), "/{proxy+}".to_owned()];
    for place in checkly::PLACES {
        if !is_taken(place) {
            paths.push(place.to_owned());
        }
        let variable = format!("{place}/{{project}}");
        let parent = if is_taken(&variable) { &variable } else { place };
        paths.push(format!("{parent}/{{proxy+}}"));
    }
    paths.iter().map(|path| format!("  {path}:\n{}", mock(&refused::nowhere(path), path))).collect()
}

/// The answer as a method without a function. Bodies count as binary, whatever their type, and a template is text: without
/// `contentHandling` the answer is 500, <https://github.com/aws/chalice/issues/1310>.
fn mock(answer: &Response, path: &str) -> String {
    let status = answer.status;
    let types: Vec<String> = TYPES.iter().map(|kind| format!("{kind}: '{{\"statusCode\": {status}}}'")).collect();
    let allow = answer.headers.get(http::header::ALLOW).map(|allow| allow.to_str().expect("it is text"));
    let described = allow.map_or("", |_| ", headers: { Allow: { schema: { type: string } } }");
    let header = allow
        .map(|allow| format!("            responseParameters: {{ method.response.header.Allow: \"'{allow}'\" }}\n"));
    format!(
        "    x-amazon-apigateway-any-method:
      responses:
        '{status}': {{ description: No function takes it.{described} }}
      x-amazon-apigateway-integration:
        type: mock
        passthroughBehavior: never
        contentHandling: CONVERT_TO_TEXT
        requestTemplates: {{ {} }}
        responses:
          default:
            statusCode: '{status}'
            contentHandling: CONVERT_TO_TEXT
{}            responseTemplates: {{ application/json: '{}' }}
",
        types.join(", "),
        header.unwrap_or_default(),
        template(answer, path),
    )
}

/// The body as API Gateway fills it in. It does not repeat the path, which is the caller's text.
fn template(answer: &Response, path: &str) -> String {
    let body = std::str::from_utf8(&answer.body).expect("it is JSON");
    body.replace(&format!("`{path}`"), "this path").replace(METHOD, "$context.httpMethod").replace('\'', "''")
}
