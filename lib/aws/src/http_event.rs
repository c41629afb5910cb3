//! Events of an API Gateway REST API, and the answers to them.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tidemill_protocols::refused;
use tidemill_protocols::rest::{self, Request, Response};
use tidemill_protocols::route::Route;

type Many = BTreeMap<String, Vec<String>>;

/// What API Gateway gives. What is absent there is null.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpEvent {
    /// The path as the API's description has it.
    resource: String,
    http_method: String,
    path: String,
    /// As they were sent: API Gateway decodes the query, but not the path.
    path_parameters: Option<BTreeMap<String, String>>,
    multi_value_query_string_parameters: Option<Many>,
    multi_value_headers: Option<Many>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What API Gateway sends on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    status_code: u16,
    multi_value_headers: Many,
    body: String,
    is_base64_encoded: bool,
}

impl HttpEvent {
    pub fn is_for(&self, route: &Route) -> bool {
        route.path == self.resource && route.method == self.http_method.as_str()
    }

    /// The answer to a request that the function has no route for.
    pub fn nowhere(&self) -> Response {
        refused::nowhere(&self.path)
    }

    /// The request in it.
    ///
    /// # Errors
    /// The answer to a request that cannot be one.
    pub fn request(self) -> Result<Request, Box<Response>> {
        let nowhere = || Box::new(self.nowhere());
        let torn = || Box::new(refused::unreadable(&self.path, rest::broken()));
        let method = Method::from_bytes(self.http_method.as_bytes()).map_err(|_| nowhere())?;
        let mut path = Vec::new();
        for (name, text) in self.path_parameters.iter().flatten() {
            let value = percent_decode_str(text).decode_utf8().map_err(|_| nowhere())?;
            path.push((name.clone(), value.into_owned()));
        }
        let body = match (self.body, self.is_base64_encoded) {
            (None, _) => Bytes::new(),
            (Some(text), false) => text.into(),
            (Some(text), true) => STANDARD.decode(text).map_err(|_| torn())?.into(),
        };
        let query = pairs(self.multi_value_query_string_parameters).collect();
        let headers = pairs(self.multi_value_headers).filter_map(header).fold(HeaderMap::new(), |mut headers, one| {
            headers.append(one.0, one.1);
            headers
        });
        Ok(Request { method, peer: None, path, query, headers, body })
    }
}

fn pairs(many: Option<Many>) -> impl Iterator<Item = (String, String)> {
    let each = |(name, values): (String, Vec<String>)| values.into_iter().map(move |value| (name.clone(), value));
    many.into_iter().flatten().flat_map(each)
}

fn header((name, value): (String, String)) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

impl From<Response> for HttpAnswer {
    fn from(response: Response) -> HttpAnswer {
        let mut multi_value_headers = Many::new();
        for (name, value) in &response.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            multi_value_headers.entry(name.to_string()).or_default().push(value);
        }
        let (body, is_base64_encoded) = match String::from_utf8(response.body.into()) {
            Ok(text) => (text, false),
            Err(bytes) => (STANDARD.encode(bytes.as_bytes()), true),
        };
        HttpAnswer { status_code: response.status, multi_value_headers, body, is_base64_encoded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tidemill_protocols::functions;

    fn event(changes: serde_json::Value) -> HttpEvent {
        let mut event = json!({
            "resource": "/v1/deployments/{project}",
            "path": "/v1/deployments/a%2Fb",
            "httpMethod": "PATCH",
            "headers": null,
            "multiValueHeaders": null,
            "queryStringParameters": null,
            "multiValueQueryStringParameters": null,
            "pathParameters": { "project": "a%2Fb" },
            "body": null,
            "isBase64Encoded": false,
        });
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn the_sample_event_is_a_request() {
        let sample: HttpEvent = serde_json::from_str(include_str!("../../../infra/events/http.json")).unwrap();

        let request = sample.request().unwrap();

        assert_eq!((request.method, request.path), (Method::GET, vec![("project".into(), "team/orders".into())]));
        assert!(request.headers["authorization"].to_str().unwrap().starts_with("Bearer tm_live_"));
    }

    #[test]
    fn an_event_is_for_the_route_that_it_came_by() {
        let routes = |function: &str| functions::named(function).unwrap().endpoints().collect::<Vec<_>>();

        let event = event(json!({}));

        assert!(routes("deployment_update").iter().any(|(route, _)| event.is_for(route)));
        assert!(!routes("deployment_get").iter().any(|(route, _)| event.is_for(route)));
    }

    #[test]
    fn a_path_parameter_is_decoded_once() {
        let request = event(json!({ "pathParameters": { "project": "a%252Fb" } })).request().unwrap();

        assert_eq!(request.path, [("project".to_owned(), "a%2Fb".to_owned())]);
    }

    #[test]
    fn a_query_parameter_is_taken_as_it_is_and_as_often_as_it_was_sent() {
        let query = json!({ "multiValueQueryStringParameters": { "limit": ["5%30", "6"] } });

        let request = event(query).request().unwrap();

        assert_eq!(request.query, [("limit".into(), "5%30".into()), ("limit".into(), "6".into())]);
    }

    #[test]
    fn a_body_of_any_bytes_arrives_to_the_byte() {
        let request = event(json!({ "body": "AP8=", "isBase64Encoded": true })).request().unwrap();

        assert_eq!(request.body.as_ref(), [0, 255]);
    }

    #[test]
    fn a_path_that_is_not_utf8_leads_nowhere() {
        let refused = event(json!({ "pathParameters": { "project": "%FF" } })).request().unwrap_err();

        assert_eq!(refused.status, 404);
    }

    #[test]
    fn an_answer_is_text_unless_it_cannot_be() {
        let text = HttpAnswer::from(Response::json(201, &json!({ "a": "ž" })));
        let bytes = HttpAnswer::from(Response { status: 200, headers: HeaderMap::new(), body: vec![0, 255].into() });

        assert_eq!((text.status_code, text.body.as_str(), text.is_base64_encoded), (201, "{\"a\":\"ž\"}", false));
        assert_eq!(text.multi_value_headers["content-type"], ["application/json"]);
        assert_eq!((bytes.body.as_str(), bytes.is_base64_encoded), ("AP8=", true));
    }
}
