//! `POST /task/data`, which is `POST /webhook` too: each field of a form is an object, any other body is one.

use super::envelope::{EnvelopeResult, enveloped};
use super::parameters::{TaskAddress, addressed};
use crate::objects::{self, Form};
use crate::rest::{Arriving, Request, Response};
use crate::route::Route;
use crate::task_refusal::of_task;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::task::pipe::{Ending, Sent};
use tidemill_operations::{Call, Error, Plane};

/// What the object is called that is a whole body.
const BODY: &str = "body";

/// Sends what the body holds, and answers with what became of it. The request is a success also if an object is not.
pub fn send<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, body) = request.split();
    enveloped(request.headers.clone(), async move {
        let TaskAddress { call, token } = addressed(plane, &request, Scope::Data).await?;
        let mut headers = request.headers;
        let body = objects::decoded(&mut headers, body)?;
        match Form::of(&headers, body) {
            Ok(form) => each(plane, &call, &token, form).await,
            Err(body) => {
                let sent = objects::raw(plane, &call, &token, &headers, body).await.map_err(of_task)?;
                Ok(Some(answer(vec![(BODY.to_owned(), Ok(sent))])))
            }
        }
    })
}

/// Sends the fields of a form, one after the other; they are worked on at once, as far as the task's threads go.
async fn each(plane: &Arc<Plane>, call: &Call, token: &str, mut form: Form) -> EnvelopeResult {
    let mut endings: Vec<(String, Result<Ending, Error>)> = Vec::new();
    while let Some(field) = form.next().await? {
        let name = field.name.clone();
        let ending = field.send(plane, call, token).await;
        match ending {
            // Nothing was taken: it is the request that is wrong.
            Err(error) if endings.is_empty() => return Err(of_task(error).into()),
            ending => endings.push((name, ending)),
        }
    }
    let mut sent = Vec::new();
    for (name, ending) in endings {
        let ended = match ending {
            Ok(ending) => ending.sent().await,
            Err(error) => Err(error),
        };
        sent.push((name, ended));
    }
    Ok(Some(answer(sent)))
}

fn answer(sent: Vec<(String, Result<Sent, Error>)>) -> Value {
    let names = distinct(&sent.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    let (mut objects, mut types, mut completed) = (Map::new(), Map::new(), 0);
    for (name, (_, sent)) in names.into_iter().zip(sent) {
        let mut object = match sent {
            Ok(sent) => objects::result(sent),
            Err(error) => {
                error.log();
                Map::from_iter([("error".to_owned(), error.message.into())])
            }
        };
        let failed = object.contains_key("error");
        completed += usize::from(!failed);
        object.insert("status".to_owned(), if failed { "Error" } else { "OK" }.into());
        if let Some(Value::Object(of_object)) = object.get("result_types") {
            types.extend(of_object.clone());
        }
        objects.insert(name, object.into());
    }
    json!({
        "objectsRequested": objects.len(),
        "objectsCompleted": completed,
        "resultTypes": types,
        "objects": objects,
    })
}

/// Names that are there more than once get a number each, from `_0`.
fn distinct(names: &[&str]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut number = |name| {
        let number = numbers.entry(name).or_default();
        *number += 1;
        format!("{name}_{}", *number - 1)
    };
    let distinct = names.iter().map(|name| match counts[name] {
        1 => (*name).to_owned(),
        _ => loop {
            let numbered = number(*name);
            if !counts.contains_key(numbered.as_str()) {
                break numbered;
            }
        },
    });
    distinct.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_get_numbers_that_no_other_has() {
        assert_eq!(distinct(&["a", "b"]), ["a", "b"]);
        assert_eq!(distinct(&["a", "b", "a"]), ["a_0", "b", "a_1"]);
        assert_eq!(distinct(&["a", "a_0", "a", "a_1"]), ["a_2", "a_0", "a_3", "a_1"]);
        assert_eq!(distinct(&["a", "a_0", "a", "a_0"]), ["a_1", "a_0_0", "a_2", "a_0_1"]);
    }
}
