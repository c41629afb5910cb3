//! `POST /task`, `GET /task` and `DELETE /task`.

use super::envelope::{Refusal, enveloped};
use super::parameters::{TaskAddress, addressed, caller, parameter};
use crate::dap::commands::pipeline::flat;
use crate::rest::{Arriving, Request, Response, whole};
use crate::route::Route;
use crate::{task_refusal, task_status};
use futures::future::BoxFuture;
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_model::task::{THREADS_LIMIT, Trace};
use tidemill_operations::{Operation, Plane, task};

/// Opens a task of the pipeline in the body.
pub fn open<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, body) = request.split();
    enveloped(request.headers.clone(), async move {
        let caller = caller(plane, &request).await?;
        let call = caller.call(Scope::Control, None)?;
        let (token, threads) = (parameter(&request, "token").map(str::to_owned), threads(&request)?);
        let trace = trace(&request)?;
        let pipeline = pipeline(body).await?;
        let input = task::open::Input {
            pipeline,
            source: None,
            token,
            use_existing: false,
            ttl_seconds: None,
            threads,
            name: None,
            variables: Default::default(),
            trace,
        };
        let opened = task::Open::run(plane, call, input).await.map_err(task_refusal::of_opening)?;
        Ok(Some(json!({"token": opened.token})))
    })
}

/// Shows a task's state and counts.
pub fn get<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    enveloped(request.headers.clone(), async move {
        let TaskAddress { call, token } = addressed(plane, &request, Scope::Monitor).await?;
        let input = task::get::Input { token: Some(token), ..task::get::Input::default() };
        let status = task::Get::run(plane, &call, input).await.map_err(task_refusal::of_task)?;
        Ok(Some(task_status::of(&status, plane.now())))
    })
}

/// Ends a task: what it took is finished, new objects are refused.
pub fn end<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    enveloped(request.headers.clone(), async move {
        let TaskAddress { call, token } = addressed(plane, &request, Scope::Control).await?;
        task::End::run(plane, &call, task::end::Input { token }).await.map_err(task_refusal::of_ending)?;
        Ok(None)
    })
}

/// The pipeline that is a request's body.
pub async fn pipeline(body: Arriving) -> Result<Box<RawValue>, Refusal> {
    let body = whole(body).await?;
    let read: Result<Box<RawValue>, _> = serde_json::from_slice(&body);
    match read {
        Ok(read) if read.get().starts_with('{') => Ok(flat(read)),
        Ok(_) => Err(Refusal::Unreadable("pipeline must be an object".to_owned())),
        Err(_) if body.is_empty() => Err(Refusal::Missing("pipeline is required".to_owned())),
        Err(error) => Err(Refusal::Unreadable(format!("the body is not JSON: {error}"))),
    }
}

fn threads(request: &Request<()>) -> Result<Option<u32>, Refusal> {
    let Some(text) = parameter(request, "threads") else { return Ok(None) };
    let threads = text.parse().ok().filter(|threads| (1..=THREADS_LIMIT).contains(threads));
    let wrong = || Refusal::Unreadable(format!("threads must be a number from 1 to {THREADS_LIMIT}"));
    threads.map(Some).ok_or_else(wrong)
}

fn trace(request: &Request<()>) -> Result<Trace, Refusal> {
    let Some(name) = parameter(request, "trace") else { return Ok(Trace::None) };
    let wrong = || Refusal::Unreadable("trace must be one of none, metadata, summary, full".to_owned());
    Trace::named(name).ok_or_else(wrong)
}
