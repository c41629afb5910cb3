//! Routes by `infra/openapi.yaml`, as API Gateway does in the cloud: a request that the description does not know does
//! not reach a function.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_yaml_ng::Value;
use std::collections::HashMap;
use std::sync::LazyLock;
use tidemill_protocols::functions;
use tidemill_protocols::route::{Handler, Route};

const DESCRIPTION: &str = include_str!("../../../infra/openapi.yaml");

/// Finds the function of a path and a method.
pub struct Router {
    paths: matchit::Router<HashMap<Method, Found>>,
}

/// Where a request belongs.
type Found = (&'static Route, Handler);

/// What a request was routed to.
pub enum Routed {
    To(&'static Route, Handler, Vec<(String, String)>),
    /// The path is there for these methods, which stand in the order of their names.
    OtherMethods(Vec<Method>),
    Nowhere,
}

impl Router {
    /// The one router. The description is a part of the binary, so it is read once.
    pub fn get() -> &'static Router {
        static ROUTER: LazyLock<Router> = LazyLock::new(Router::read);
        &ROUTER
    }

    /// Reads the description; what is wrong with it is a bug that tests find.
    fn read() -> Router {
        let description: Value = serde_yaml_ng::from_str(DESCRIPTION).expect("the description is YAML");
        let mut paths = matchit::Router::new();
        for (path, item) in description["paths"].as_mapping().expect("the description has paths") {
            let path = path.as_str().expect("a path is text");
            let methods = item.as_mapping().expect("a path has methods").keys();
            paths.insert(path, methods.filter_map(|method| endpoint(path, method)).collect()).expect("paths differ");
        }
        Router { paths }
    }

    /// Finds the function for a path as it was sent: `%2F` within a name stays a part of the name.
    pub fn route(&self, method: &Method, path: &str) -> Routed {
        let Ok(found) = self.paths.at(path) else { return Routed::Nowhere };
        let decode = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
        let decoded: Option<Vec<_>> =
            found.params.iter().map(|(name, text)| Some((name.to_owned(), decode(text)?))).collect();
        match (found.value.get(method), decoded) {
            (Some((route, handler)), Some(path)) => Routed::To(route, *handler, path),
            (Some(_), None) => Routed::Nowhere,
            (None, _) => {
                let mut methods: Vec<Method> = found.value.keys().cloned().collect();
                methods.sort_by(|one, other| one.as_str().cmp(other.as_str()));
                Routed::OtherMethods(methods)
            }
        }
    }
}

fn endpoint(path: &str, method: &Value) -> Option<(Method, Found)> {
    let method = Method::from_bytes(method.as_str()?.to_uppercase().as_bytes()).ok()?;
    let mut endpoints = functions::all().flat_map(|function| function.endpoints());
    let found = endpoints.find(|(route, _)| route.path == path && route.method == method)?;
    Some((method, found))
}
