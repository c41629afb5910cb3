//! The Lambda runtime around one function of the table.

use crate::bell_event::{self, Receiver};
use crate::clients::Clients;
use crate::configuration::{self, Configuration};
use crate::{http_event, socket_event, streamed};
use lambda_runtime::{Diagnostic, FunctionResponse, LambdaEvent, service_fn};
use serde_json::Value;
use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tidemill_operations::plane::layout;
use tidemill_operations::{Error, Plane};
use tidemill_protocols::functions::{self, BellHandler, Function, InvokeHandler, MinuteHandler, On, SocketHandler};
use tidemill_protocols::invoke;
use tidemill_protocols::rest::{self, RestResponse};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What API Gateway waits for at most. `cargo lambda watch` gives a deadline in 1970, which says nothing.
const LONGEST_ANSWER: Duration = Duration::from_secs(29);
/// Kept back for the answer that a frame was not answered in time.
const LATE_ANSWER: Duration = Duration::from_secs(3);

/// What names the function of a process, the first that is set: on Lambda nothing but the handler is.
const NAMES: [&str; 2] = ["TIDEMILL_FUNCTION", "_HANDLER"];

/// The name of the function that this process is to serve: its first argument, or `TIDEMILL_FUNCTION`, or the handler
/// that Lambda names. Empty if none of them is set.
pub fn function_name() -> String {
    first_name(std::env::args().nth(1), |name| std::env::var(name).ok())
}

fn first_name(argument: Option<String>, variable: impl Fn(&str) -> Option<String>) -> String {
    argument.or_else(|| NAMES.into_iter().find_map(variable)).unwrap_or_default()
}

/// Answers the events of the function `name` until Lambda ends the process.
pub fn serve(name: &str) -> ExitCode {
    log_to_stdout();
    let Some(function) = functions::named(name) else {
        let names = functions::all().map(|function| function.name).collect::<Vec<_>>().join(", ");
        tracing::error!(function = name, "there is no function `{name}`; the functions are {names}");
        return ExitCode::FAILURE;
    };
    // Lambda gives one event at a time, so one thread serves it.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime did not start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(answer_events(function)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the function `{name}` cannot go on");
            ExitCode::FAILURE
        }
    }
}

/// One JSON object for each line, which is what CloudWatch Logs Insights finds fields in.
fn log_to_stdout() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    // Below it libraries log the events and bodies that they read and write, with the keys in them.
    log.finish().with(LevelFilter::DEBUG).init();
}

async fn answer_events(function: &'static Function) -> Result<(), lambda_runtime::Error> {
    let clients = Arc::new(Clients::from_environment().await);
    let configuration = Arc::new(Configuration::from_environment());
    let plane = Arc::new(configuration::plane(configuration.clone(), clients.clone())?);
    layout::check(&plane).await?;
    let receiver =
        |queue, handle: BellHandler| Receiver { plane: plane.clone(), clients, configuration, queue, handle };
    match &function.on {
        On::Http { .. } => answer_http(&plane, function).await,
        On::Bell(queue, handle) => answer_bells(receiver(*queue, *handle)).await,
        On::Minute(handle) => answer_minutes(&plane, *handle).await,
        On::Socket(handle) => answer_sockets(&plane, *handle).await,
        On::Invoke(handle) => answer_calls(&plane, *handle).await,
    }
}

async fn answer_http(plane: &Arc<Plane>, function: &'static Function) -> Result<(), lambda_runtime::Error> {
    let service = |event: LambdaEvent<http_event::HttpEvent>| async move {
        let deadline = event.context.deadline();
        let response = match answered(plane, function, event.payload).await {
            RestResponse::Whole(response) if !function.streams() => {
                FunctionResponse::BufferedResponse(http_event::HttpAnswer::from(response))
            }
            // API Gateway takes nothing but streams of a function that streams, also where it refuses.
            answered => FunctionResponse::StreamingResponse(streamed::until(deadline, answered)),
        };
        Ok::<_, Infallible>(response)
    };
    lambda_runtime::run(service_fn(service)).await
}

async fn answered(plane: &Arc<Plane>, function: &'static Function, event: http_event::HttpEvent) -> RestResponse {
    let Some((route, handler)) = function.endpoints().find(|(route, _)| event.is_for(route)) else {
        return event.nowhere().into();
    };
    match event.request() {
        Ok(request) => {
            let (head, body) = request.split();
            handler.answer(plane, route, head.with_body(rest::arrived(body))).await
        }
        Err(refused) => (*refused).into(),
    }
}

async fn answer_bells(receiver: Receiver) -> Result<(), lambda_runtime::Error> {
    let receiver = &receiver;
    let service = |event: LambdaEvent<bell_event::BellEvent>| async move {
        receiver.receive(event.payload, event.context.deadline()).await.map_err(|error| failure(&error))
    };
    lambda_runtime::run(service_fn(service)).await
}

async fn answer_minutes(plane: &Plane, handle: MinuteHandler) -> Result<(), lambda_runtime::Error> {
    let service = |_: LambdaEvent<Value>| async move {
        handle(plane).await.map(|()| Value::Null).map_err(|error| failure(&error))
    };
    lambda_runtime::run(service_fn(service)).await
}

async fn answer_sockets(plane: &Arc<Plane>, handle: SocketHandler) -> Result<(), lambda_runtime::Error> {
    let service = |event: LambdaEvent<socket_event::GatewayEvent>| async move {
        let time_left = time_left(event.context.deadline());
        let event = event.payload.read(plane.now(), time_left).map_err(|error| failure(&error))?;
        let outcome = handle(plane, event).await.map_err(|error| failure(&error))?;
        Ok::<_, Diagnostic>(socket_event::GatewayAnswer::from(outcome))
    };
    lambda_runtime::run(service_fn(service)).await
}

/// What is left of a function's time, less what it takes to say that it was not enough.
fn time_left(deadline: SystemTime) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "Lambda's deadline is of the machine's clock")]
    let left = deadline.duration_since(SystemTime::now()).unwrap_or(LONGEST_ANSWER);
    left.min(LONGEST_ANSWER).saturating_sub(LATE_ANSWER)
}

async fn answer_calls(plane: &Plane, handle: InvokeHandler) -> Result<(), lambda_runtime::Error> {
    let service =
        |event: LambdaEvent<Value>| async move { handle(plane, event.payload).await.map_err(|error| failure(&error)) };
    lambda_runtime::run(service_fn(service)).await
}

/// A refusal is a failed call to AWS's tools too, with the word of the error as its type.
fn failure(error: &Error) -> Diagnostic {
    let (error_type, error_message) = invoke::refusal(error);
    Diagnostic { error_type: error_type.to_owned(), error_message }
}

#[cfg(test)]
mod tests {
    use super::first_name;
    use serde_json::Value;
    use tidemill_operations::key;

    #[test]
    fn the_sample_call_asks_for_a_key() {
        let asked: key::issue::Input = serde_json::from_str(include_str!("../../../infra/events/invoke.json")).unwrap();

        assert_eq!(asked.owner.as_str(), "me");
    }

    #[test]
    fn the_sample_minute_is_an_event() {
        let event: Value = serde_json::from_str(include_str!("../../../infra/events/minute.json")).unwrap();

        assert_eq!(event["source"], "aws.scheduler");
    }

    fn name(argument: Option<&str>, variables: &[(&str, &str)]) -> String {
        let variable =
            |asked: &str| variables.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
        first_name(argument.map(str::to_owned), variable)
    }

    #[test]
    fn a_process_serves_the_function_that_its_handler_names() {
        assert_eq!(name(None, &[("_HANDLER", "run_get")]), "run_get");
    }

    #[test]
    fn an_argument_or_a_variable_names_the_function_where_lambda_does_not() {
        let variables = [("TIDEMILL_FUNCTION", "run_list"), ("_HANDLER", "bootstrap")];

        assert_eq!(name(None, &variables), "run_list");
        assert_eq!(name(Some("run_get"), &variables), "run_get");
        assert_eq!(name(None, &[]), "");
    }
}
