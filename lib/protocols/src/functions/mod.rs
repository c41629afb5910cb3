//! The one table of functions, a file per noun: what there is, what triggers it, and its handler.
//!
//! The local plane and the Lambda functions both call what stands here; a test compares it with `infra/openapi.yaml`,
//! `template.yaml`, the operations and the test files.

mod caller;
mod deployment;
mod environment;
mod group;
mod hook;
mod key;
mod pipeline;
mod plane;
mod provider;
mod rollout;
mod run;
mod schedule;
mod schema;
mod secret;
mod socket;
mod task;
mod tick;
mod version;

use crate::dap::api_gateway::{SocketEvent, SocketOutcome};
use crate::rest::{self, Query};
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::route::{Endpoint, Handler, Route};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::{Answer, Bell, Error, Operation, Plane};

pub use crate::rest::Body;
pub use tidemill_operations::bell::QueueKind;

/// The functions of each noun.
static NOUNS: [&[Function]; 18] = [
    deployment::FUNCTIONS,
    version::FUNCTIONS,
    environment::FUNCTIONS,
    schedule::FUNCTIONS,
    run::FUNCTIONS,
    tick::FUNCTIONS,
    task::FUNCTIONS,
    rollout::FUNCTIONS,
    group::FUNCTIONS,
    key::FUNCTIONS,
    secret::FUNCTIONS,
    pipeline::FUNCTIONS,
    provider::FUNCTIONS,
    schema::FUNCTIONS,
    plane::FUNCTIONS,
    caller::FUNCTIONS,
    hook::FUNCTIONS,
    socket::FUNCTIONS,
];

/// Every function.
pub fn all() -> impl Iterator<Item = &'static Function> {
    NOUNS.into_iter().flatten()
}

/// Finds a function by its name.
pub fn named(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// What answers the bells of a queue.
pub fn bell_handler(queue: QueueKind) -> BellHandler {
    let mut handlers = all().filter_map(|function| match function.on {
        On::Bell(kind, handle) if kind == queue => Some(handle),
        _ => None,
    });
    handlers.next().expect("every queue has a function, as a test checks")
}

/// What runs every minute.
pub fn minute_handlers() -> impl Iterator<Item = MinuteHandler> {
    all().filter_map(|function| match function.on {
        On::Minute(handle) => Some(handle),
        _ => None,
    })
}

/// Something that the plane does: one Lambda function.
pub struct Function {
    /// The operation's name: also of its file, its Lambda handler and its test.
    pub name: &'static str,
    pub on: On,
    /// Other routes that lead to it: those of RocketRide's clients, and of Checkly's.
    pub also: [&'static [Endpoint]; 2],
    /// What its role allows.
    pub may: &'static [Right],
    /// Its memory on Lambda, in MB.
    pub memory: u32,
    /// The parameter of the template that says how much of the account's concurrency is reserved for it.
    pub reserve: Option<&'static str>,
    /// What it does, where no route of the API's description says so.
    pub summary: Option<&'static str>,
}

impl Function {
    /// The function of an operation, with its name.
    const fn of<O: Operation>(route: Route) -> Function {
        Function::at(O::NAME, route, Handler::Arriving(rest::operation::<O>))
    }

    /// The function of an operation that takes an idempotency key.
    const fn once<O: Operation<Output = Answer<T>>, T: Serialize + Send>(route: Route) -> Function {
        Function::at(O::NAME, route, Handler::Arriving(rest::once::<O, T>))
    }

    const fn at(name: &'static str, route: Route, handle: Handler) -> Function {
        Function::on(name, On::Http { route, handle })
    }

    const fn on(name: &'static str, on: On) -> Function {
        let (also, may) = ([&[] as &[Endpoint]; 2], &[]);
        Function { name, on, also, may, memory: 256, reserve: None, summary: None }
    }

    const fn may(mut self, rights: &'static [Right]) -> Function {
        self.may = rights;
        self
    }

    const fn memory(mut self, megabytes: u32) -> Function {
        self.memory = megabytes;
        self
    }

    const fn reserve(mut self, parameter: &'static str) -> Function {
        self.reserve = Some(parameter);
        self
    }

    const fn summary(mut self, summary: &'static str) -> Function {
        self.summary = Some(summary);
        self
    }

    const fn also_at(mut self, endpoints: &'static [Endpoint]) -> Function {
        self.also = match self.also {
            [[], _] => [endpoints, &[]],
            [before, []] => [before, endpoints],
            _ => panic!("a function has routes of two kinds of clients at most"),
        };
        self
    }

    /// The routes that lead to it, its own first.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Route, Handler)> {
        let own = match &self.on {
            On::Http { route, handle } => Some((route, *handle)),
            _ => None,
        };
        let also = self.also.into_iter().flatten();
        own.into_iter().chain(also.map(|endpoint| (&endpoint.route, endpoint.handle)))
    }

    /// Whether its answers are streams, at all of its routes.
    pub fn streams(&self) -> bool {
        self.endpoints().any(|(_, handle)| handle.streams())
    }
}

/// What triggers a function.
pub enum On {
    Http {
        route: Route,
        handle: Handler,
    },
    /// A bell from a queue. Each queue has one function.
    Bell(QueueKind, BellHandler),
    /// Every minute.
    Minute(MinuteHandler),
    /// A WebSocket of API Gateway opens or has closed, or a frame came. Elsewhere the process itself holds them.
    Socket(SocketHandler),
    /// A call with AWS credentials alone. Nothing leads there on a laptop.
    Invoke(InvokeHandler),
}

/// Answers a bell; `Timestamp` is the minute that the timer says it rings for.
pub type BellHandler = for<'a> fn(&'a Plane, Bell, Option<Timestamp>) -> BoxFuture<'a, Result<BellOutcome, Error>>;
pub type MinuteHandler = for<'a> fn(&'a Plane) -> BoxFuture<'a, Result<(), Error>>;
pub type SocketHandler = for<'a> fn(&'a Arc<Plane>, SocketEvent) -> BoxFuture<'a, Result<SocketOutcome, Error>>;
pub type InvokeHandler = for<'a> fn(&'a Plane, Value) -> BoxFuture<'a, Result<Value, Error>>;

/// What the query of a list says of its page.
const PAGE: [Query; 2] = [Query::number("limit"), Query::text("cursor")];

/// What the check of a key takes: the key, and a note of its use.
const KEY: &[Right] = &[Get(&[Keys]), Put(&[Keys, Owners])];
/// The same, with reads and writes of single records of its owner.
const OWNER: &[Right] = &[Get(&[Keys, Owners]), Put(&[Keys, Owners])];
/// A list of an owner's records.
const LIST_OF_OWNER: &[Right] = &[Get(&[Keys]), List(&[Owners]), Put(&[Keys, Owners])];
