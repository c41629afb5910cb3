//! The one table of functions: what there is, what triggers it, and its handler.
//!
//! The local plane and the Lambda binaries both call what stands here; a test compares it with `functions/src/bin`,
//! `infra/openapi.yaml`, `template.yaml` and the test files.

use crate::checkly;
use crate::dap::api_gateway::{self, SocketEvent, SocketOutcome};
use crate::invoke;
use crate::rest::{self, Parameter, Query};
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::rocketride::routes;
use crate::route::{Endpoint, Handler, HttpHandler, Route};
use futures::future::BoxFuture;
use http::Method;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::caller_get::CallerGet;
use tidemill_operations::pipeline_validate::PipelineValidate;
use tidemill_operations::plane;
use tidemill_operations::provider_list::ProviderList;
use tidemill_operations::run;
use tidemill_operations::schedule_preview::SchedulePreview;
use tidemill_operations::{
    Bell, Error, Plane, deployment, environment, group, key, rollout, secret, task, tick, version,
};

pub use crate::rest::Body;
pub use tidemill_operations::bell::QueueKind;

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

const PAGE: [Query; 2] = [number("limit"), text("cursor")];
const BETWEEN: [Query; 4] = [text("since"), text("until"), PAGE[0], PAGE[1]];

const fn text(name: &'static str) -> Query {
    Query { name, is: Parameter::Text }
}

const fn number(name: &'static str) -> Query {
    Query { name, is: Parameter::Number }
}

const fn flag(name: &'static str) -> Query {
    Query { name, is: Parameter::Flag }
}

const fn get(name: &'static str, path: &'static str, query: &'static [Query], handle: HttpHandler) -> Function {
    let route = Route { method: Method::GET, path, query, path_types: &[], body: Body::None, success: 200 };
    Function::on(name, On::Http { route, handle: Handler::Whole(handle) })
}

const fn send(
    name: &'static str,
    method: Method,
    path: &'static str,
    success: u16,
    body: Body,
    handle: HttpHandler,
) -> Function {
    let route = Route { method, path, query: &[], path_types: &[], body, success };
    Function::on(name, On::Http { route, handle: Handler::Whole(handle) })
}

/// A change of an environment, with the plans of its sources and their timers.
const CHANGE_ENVIRONMENT: &[Right] = &[
    Get(&[Keys, Owners, Projects, Watchers]),
    List(&[Owners, Projects]),
    Put(&[Keys, Owners, Projects]),
    PutMany(&[Projects]),
    Update(&[Watchers]),
    FollowTimers,
    RingSockets,
];

/// Every function.
pub static FUNCTIONS: &[Function] = &[
    send("deployment_add", Method::POST, "/v1/deployments", 201, Body::Json, rest::operation::<deployment::Add>)
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners, Hooks, Projects]), PutMany(&[Projects]), FollowTimers])
        .memory(512),
    get("deployment_list", "/v1/deployments", &PAGE, rest::operation::<deployment::List>).may(&[
        Get(&[Keys]),
        List(&[Owners]),
        Put(&[Keys, Owners]),
    ]),
    get("deployment_get", "/v1/deployments/{project}", &[], rest::operation::<deployment::Get>).may(&[
        Get(&[Keys, Owners, Projects]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
    ]),
    send(
        "deployment_update",
        Method::PATCH,
        "/v1/deployments/{project}",
        200,
        Body::Json,
        rest::operation::<deployment::Update>,
    )
    .may(&[Get(&[Keys, Owners, Projects]), Put(&[Keys, Owners, Projects]), PutMany(&[Projects]), FollowTimers])
    .memory(512),
    send(
        "deployment_remove",
        Method::DELETE,
        "/v1/deployments/{project}",
        200,
        Body::None,
        rest::operation::<deployment::Remove>,
    )
    .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners, Projects]), DeleteTimers]),
    send(
        "deployment_pause",
        Method::POST,
        "/v1/deployments/{project}/pause",
        200,
        Body::Json,
        rest::operation::<deployment::Pause>,
    )
    .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners, Projects]), FollowTimers]),
    send(
        "deployment_resume",
        Method::POST,
        "/v1/deployments/{project}/resume",
        200,
        Body::None,
        rest::operation::<deployment::Resume>,
    )
    .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners, Projects]), FollowTimers]),
    get("version_list", "/v1/deployments/{project}/versions", &PAGE, rest::operation::<version::List>).may(&[
        Get(&[Keys]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
    ]),
    Function::on(
        "version_get",
        On::Http {
            route: Route {
                method: Method::GET,
                path: "/v1/deployments/{project}/versions/{version}",
                query: &[],
                path_types: &[number("version")],
                body: Body::None,
                success: 200,
            },
            handle: Handler::Whole(rest::operation::<version::Get>),
        },
    )
    .may(&[Get(&[Keys, Projects]), List(&[Projects]), Put(&[Keys, Owners])]),
    send(
        "version_add",
        Method::POST,
        "/v1/deployments/{project}/versions",
        201,
        Body::Json,
        rest::operation::<version::Add>,
    )
    .may(&[
        Get(&[Keys, Owners, Watchers]),
        List(&[Owners]),
        Put(&[Keys, Owners, Hooks, Projects]),
        PutMany(&[Projects]),
        Update(&[Watchers]),
        FollowTimers,
        RingSockets,
    ])
    .memory(512),
    get(
        "environment_list",
        "/v1/environments",
        &[text("environment"), text("project"), PAGE[0], PAGE[1]],
        rest::operation::<environment::List>,
    )
    .may(&[Get(&[Keys, Projects]), List(&[Owners]), Put(&[Keys, Owners])]),
    get(
        "environment_get",
        "/v1/environments/{environment}/projects/{project}",
        &[],
        rest::operation::<environment::Get>,
    )
    .may(&[Get(&[Keys, Owners, Projects]), List(&[Owners]), Put(&[Keys, Owners])]),
    send(
        "environment_deploy",
        Method::PUT,
        "/v1/environments/{environment}/projects/{project}",
        200,
        Body::Json,
        rest::operation::<environment::Deploy>,
    )
    .may(CHANGE_ENVIRONMENT)
    .memory(512),
    send(
        "environment_remove",
        Method::DELETE,
        "/v1/environments/{environment}/projects/{project}",
        200,
        Body::None,
        rest::operation::<environment::Remove>,
    )
    .may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Owners, Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Watchers]),
        DeleteTimers,
        RingSockets,
    ]),
    send(
        "environment_promote",
        Method::POST,
        "/v1/environments/{environment}/projects/{project}/promote",
        200,
        Body::Json,
        rest::operation::<environment::Promote>,
    )
    .may(CHANGE_ENVIRONMENT)
    .memory(512),
    send(
        "environment_rollback",
        Method::POST,
        "/v1/environments/{environment}/projects/{project}/rollback",
        200,
        Body::Json,
        rest::operation::<environment::Rollback>,
    )
    .may(CHANGE_ENVIRONMENT)
    .memory(512),
    send(
        "environment_run",
        Method::POST,
        "/v1/environments/{environment}/projects/{project}/run",
        201,
        Body::Json,
        rest::operation::<environment::Run>,
    )
    .may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        PutMany(&[Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        Check(&[Keys, Owners, Projects]),
        RingRuns,
        RingSockets,
    ])
    .memory(512),
    send(
        "environment_enable",
        Method::POST,
        "/v1/environments/{environment}/projects/{project}/enable",
        200,
        Body::None,
        rest::operation::<environment::Enable>,
    )
    .may(CHANGE_ENVIRONMENT)
    .memory(512),
    send(
        "environment_disable",
        Method::POST,
        "/v1/environments/{environment}/projects/{project}/disable",
        200,
        Body::None,
        rest::operation::<environment::Disable>,
    )
    .may(CHANGE_ENVIRONMENT)
    .memory(512),
    send(
        "environment_source",
        Method::PATCH,
        "/v1/environments/{environment}/projects/{project}/sources/{source}",
        200,
        Body::Json,
        rest::operation::<environment::Source>,
    )
    .may(CHANGE_ENVIRONMENT)
    .memory(512),
    get(
        "environment_history",
        "/v1/environments/{environment}/projects/{project}/history",
        &PAGE,
        rest::operation::<environment::History>,
    )
    .may(&[Get(&[Keys]), List(&[Projects]), Put(&[Keys, Owners])]),
    get(
        "schedule_preview",
        "/v1/schedule",
        &[text("schedule"), text("timezone"), number("count")],
        rest::operation::<SchedulePreview>,
    )
    .may(&[Get(&[Keys]), Put(&[Keys, Owners])]),
    send("run_start", Method::POST, "/v1/deployments/{project}/runs", 202, Body::Json, rest::operation::<run::Start>)
        .may(&[Get(&[Keys, Owners, Projects]), Put(&[Keys, Owners, Projects]), PutMany(&[Projects]), RingRuns])
        .memory(512),
    get("tick_list", "/v1/deployments/{project}/ticks", &BETWEEN, rest::operation::<tick::List>).may(&[
        Get(&[Keys, Owners]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
    ]),
    get("tick_why", "/v1/deployments/{project}/why", &[text("time")], rest::operation::<tick::Why>).may(&[
        Get(&[Keys, Owners]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
    ]),
    get(
        "run_list",
        "/v1/runs",
        &[
            text("project"),
            text("state"),
            text("trigger"),
            number("version"),
            text("since"),
            text("until"),
            PAGE[0],
            PAGE[1],
        ],
        rest::operation::<run::List>,
    )
    .may(&[Get(&[Keys, Owners]), List(&[Owners, Projects]), GetMany(&[Projects]), Put(&[Keys, Owners]), FindRuns]),
    get("run_get", "/v1/runs/{run}", &[text("project")], rest::operation::<run::Get>).may(&[
        Get(&[Keys, Projects]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
        FindRuns,
    ]),
    get("run_logs", "/v1/runs/{run}/logs", &[text("project"), number("from")], rest::operation::<run::Logs>).may(&[
        Get(&[Keys, Projects]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
        FindRuns,
    ]),
    Function::on(
        "run_cancel",
        On::Http {
            route: Route {
                method: Method::POST,
                path: "/v1/runs/{run}/cancel",
                query: &[text("project")],
                path_types: &[],
                body: Body::None,
                success: 200,
            },
            handle: Handler::Whole(rest::operation::<run::Cancel>),
        },
    )
    .may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        FindRuns,
        RingRuns,
        RingSockets,
    ]),
    send("task_open", Method::POST, "/v1/tasks", 201, Body::Json, rest::operation::<task::Open>)
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            RingRuns,
            RingSockets,
            Seal,
        ])
        .memory(512)
        .also_at(&routes::OPEN),
    get("task_list", "/v1/tasks", &[], rest::operation::<task::List>).may(&[
        Get(&[Keys, Projects, Watchers]),
        List(&[Owners]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        RingRuns,
        RingSockets,
    ]),
    get("task_get", "/v1/tasks/{token}", &[], rest::operation::<task::Get>)
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            RingRuns,
            RingSockets,
        ])
        .also_at(&routes::GET),
    send("task_end", Method::DELETE, "/v1/tasks/{token}", 200, Body::None, rest::operation::<task::End>)
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            RingRuns,
            RingSockets,
        ])
        .also_at(&routes::END),
    get("task_pipeline", "/v1/tasks/{token}/pipeline", &[], rest::operation::<task::Pipeline>).may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        RingRuns,
        RingSockets,
    ]),
    send("task_restart", Method::POST, "/v1/tasks/{token}/restart", 200, Body::Json, rest::operation::<task::Restart>)
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            RingRuns,
            RingSockets,
        ])
        .memory(512),
    Function::on(
        "task_send",
        On::Http {
            route: Route {
                method: Method::POST,
                path: "/v1/tasks/{token}/objects",
                query: &[],
                path_types: &[],
                body: Body::Any,
                success: 200,
            },
            handle: Handler::Arriving(rest::task_send),
        },
    )
    .may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Projects]),
        GetMany(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        RingSockets,
        Open,
    ])
    .memory(1024)
    .reserve("ReservedForTasks")
    .also_at(&routes::SEND),
    send("rollout_start", Method::POST, "/v1/rollouts", 202, Body::Json, rest::operation::<rollout::Start>)
        .may(&[
            Get(&[Keys, Owners, Projects]),
            List(&[Owners]),
            GetMany(&[Owners]),
            Put(&[Keys, Owners]),
            PutMany(&[Rollouts]),
            RingRollouts,
        ])
        .memory(512)
        .also_at(&checkly::routes::DEPLOY),
    send("rollout_preview", Method::POST, "/v1/rollouts/preview", 200, Body::Json, rest::operation::<rollout::Preview>)
        .may(&[Get(&[Keys, Owners, Projects]), List(&[Owners, Projects]), GetMany(&[Owners]), Put(&[Keys, Owners])])
        .memory(512),
    get("rollout_list", "/v1/rollouts", &[text("group"), PAGE[0], PAGE[1]], rest::operation::<rollout::List>)
        .may(&[Get(&[Keys]), List(&[Owners]), Put(&[Keys, Owners])])
        .also_at(&checkly::routes::DEPLOYMENTS),
    get("rollout_get", "/v1/rollouts/{rollout}", &[], rest::operation::<rollout::Get>)
        .may(&[Get(&[Keys, Owners]), List(&[Rollouts]), Put(&[Keys, Owners])])
        .also_at(&checkly::routes::DEPLOYMENT),
    send(
        "rollout_cancel",
        Method::POST,
        "/v1/rollouts/{rollout}/cancel",
        200,
        Body::None,
        rest::operation::<rollout::Cancel>,
    )
    .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners]), Update(&[Owners]), RingRollouts])
    .also_at(&checkly::routes::CANCEL),
    Function::on(
        "rollout_wait",
        On::Http {
            route: Route {
                method: Method::GET,
                path: "/v1/rollouts/{rollout}/completion",
                query: &[number("wait")],
                path_types: &[],
                body: Body::None,
                success: 200,
            },
            handle: Handler::Arriving(rest::rollout_wait),
        },
    )
    .may(&[Get(&[Keys, Owners]), List(&[Rollouts]), Put(&[Keys, Owners])])
    .reserve("ReservedForWaiters")
    .also_at(&checkly::routes::COMPLETION),
    Function::on(
        "rollout_follow",
        On::Http {
            route: Route {
                method: Method::GET,
                path: "/v1/rollouts/{rollout}/events",
                query: &[],
                path_types: &[],
                body: Body::None,
                success: 200,
            },
            handle: Handler::Streaming(rest::rollout_follow),
        },
    )
    .may(&[Get(&[Keys, Owners]), List(&[Rollouts]), Put(&[Keys, Owners])])
    .reserve("ReservedForFollowers")
    .also_at(&checkly::routes::EVENTS),
    send("group_add", Method::POST, "/v1/groups", 201, Body::Json, rest::operation::<group::Add>)
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners])])
        .also_at(&checkly::routes::PROJECT_ADD),
    get("group_list", "/v1/groups", &PAGE, rest::operation::<group::List>)
        .may(&[Get(&[Keys]), List(&[Owners]), Put(&[Keys, Owners])])
        .also_at(&checkly::routes::PROJECTS),
    get("group_get", "/v1/groups/{group}", &[], rest::operation::<group::Get>)
        .may(&[Get(&[Keys, Owners]), List(&[Owners]), GetMany(&[Owners]), Put(&[Keys, Owners])])
        .also_at(&checkly::routes::PROJECT),
    Function::on(
        "group_remove",
        On::Http {
            route: Route {
                method: Method::DELETE,
                path: "/v1/groups/{group}",
                query: &[flag("keep")],
                path_types: &[],
                body: Body::None,
                success: 202,
            },
            handle: Handler::Whole(rest::operation::<group::Remove>),
        },
    )
    .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners]), PutMany(&[Rollouts]), RingRollouts])
    .also_at(&checkly::routes::DESTROY),
    send("key_create", Method::POST, "/v1/keys", 201, Body::Json, rest::operation::<key::Create>)
        .may(&[Get(&[Keys]), Put(&[Keys, Owners, OwnerList])]),
    get("key_list", "/v1/keys", &PAGE, rest::operation::<key::List>).may(&[
        Get(&[Keys]),
        List(&[Owners]),
        Put(&[Keys, Owners]),
    ]),
    send("key_revoke", Method::DELETE, "/v1/keys/{id}", 200, Body::None, rest::operation::<key::Revoke>)
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners])]),
    get("secret_list", "/v1/secrets", &PAGE, rest::operation::<secret::List>).may(&[
        Get(&[Keys]),
        List(&[Owners]),
        Put(&[Keys, Owners]),
    ]),
    send("secret_set", Method::PUT, "/v1/secrets/{name}", 200, Body::Json, rest::operation::<secret::Set>).may(&[
        Get(&[Keys]),
        Put(&[Keys, Owners]),
        Seal,
    ]),
    send("secret_remove", Method::DELETE, "/v1/secrets/{name}", 200, Body::None, rest::operation::<secret::Remove>)
        .may(&[Get(&[Keys]), Put(&[Keys, Owners]), Delete(&[Owners])]),
    send("pipeline_validate", Method::POST, "/v1/validate", 200, Body::Json, rest::operation::<PipelineValidate>)
        .may(&[Get(&[Keys]), Put(&[Keys, Owners])])
        .memory(512)
        .also_at(&routes::VALIDATE),
    get("provider_list", "/v1/providers", &[], rest::operation::<ProviderList>)
        .may(&[Get(&[Keys]), Put(&[Keys, Owners])])
        .also_at(&routes::SERVICES)
        .also_at(&checkly::routes::RUNTIMES),
    Function::on(
        "plane_doctor",
        On::Http {
            route: Route {
                method: Method::POST,
                path: "/v1/doctor",
                query: &[flag("fix")],
                path_types: &[],
                body: Body::None,
                success: 200,
            },
            handle: Handler::Whole(rest::operation::<plane::Doctor>),
        },
    )
    .may(&[
        Get(&[Keys, Owners, Projects]),
        List(&[Owners, Projects]),
        Put(&[Keys, Owners]),
        Update(&[Owners]),
        FollowTimers,
        RingRuns,
        RingTicks,
        RingRollouts,
    ])
    .memory(512),
    get("plane_health", "/v1/health", &[], rest::plane_health).memory(128).also_at(&routes::HEALTH),
    get("caller_get", "/v1/me", &[], rest::operation::<CallerGet>).may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners])]),
    get("plane_status", "/v1/status", &[], rest::operation::<plane::Status>)
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners])])
        .also_at(&routes::STATUS)
        .also_at(&checkly::routes::ACCOUNT),
    Function::on(
        "hook_receive",
        On::Http {
            route: Route {
                method: Method::POST,
                path: "/hooks/{hook}",
                query: &[number("wait")],
                path_types: &[],
                body: Body::Any,
                success: 202,
            },
            handle: Handler::Whole(rest::hook_receive),
        },
    )
    .may(&[
        Get(&[Owners, Hooks, Projects]),
        List(&[Projects]),
        Put(&[Owners, Projects]),
        PutMany(&[Projects]),
        RingRuns,
    ])
    .memory(512)
    .reserve("ReservedForHooks"),
    Function::on("deployment_tick", On::Bell(QueueKind::Ticks, tick))
        .summary("Handles the due ticks of a deployment, at a bell")
        .may(&[Get(&[Owners, Projects]), Put(&[Owners, Projects]), FollowTimers, RingRuns]),
    Function::on("run_execute", On::Bell(QueueKind::Runs, execute))
        .summary("Executes a run, at a bell")
        .may(&[
            Get(&[Owners, Projects, Watchers]),
            List(&[Projects]),
            GetMany(&[Projects]),
            Put(&[Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Watchers]),
            RingSockets,
            Open,
        ])
        .memory(1024),
    Function::on("rollout_execute", On::Bell(QueueKind::Rollouts, roll_out))
        .summary("Carries out a rollout, at a bell")
        .may(&[
            Get(&[Owners, Projects]),
            List(&[Owners, Rollouts]),
            GetMany(&[Owners]),
            Put(&[Owners, Hooks, Projects, Rollouts]),
            PutMany(&[Projects]),
            Update(&[Owners]),
            Delete(&[Owners, Projects, Rollouts]),
            FollowTimers,
        ])
        .memory(1024),
    Function::on("plane_sweep", On::Minute(sweep))
        .summary("Finds work that no worker holds, every minute")
        .may(&[
            Get(&[Owners, Projects, Watchers]),
            List(&[Owners, Projects, Rollouts, OwnerList, Strangers]),
            Put(&[Keys, Owners, Projects, Rollouts]),
            Update(&[Keys, Owners, Projects, Watchers]),
            FollowTimers,
            RingRuns,
            RingTicks,
            RingRollouts,
            RingSockets,
        ])
        .memory(512),
    Function::on("key_issue", On::Invoke(invoke::key_issue))
        .summary("Issues an API key to callers with AWS credentials; no route leads here")
        .may(&[Put(&[Keys, Owners, OwnerList, Layout])]),
    Function::on("socket_open", On::Socket(api_gateway::open)).summary("Accepts a WebSocket").may(&[
        List(&[Strangers]),
        Put(&[Strangers]),
        Delete(&[Strangers]),
    ]),
    Function::on("socket_receive", On::Socket(api_gateway::receive))
        .summary("Answers a frame of a WebSocket")
        .may(&[
            Get(&[Keys, Owners, Projects, Connections, Watchers]),
            List(&[Owners, Projects]),
            GetMany(&[Projects]),
            Put(&[Keys, Owners, Hooks, Projects, Strangers, Connections, Watchers]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Strangers, Connections, Watchers]),
            Delete(&[Strangers, Connections, Watchers]),
            Check(&[Keys, Owners, Projects]),
            SendFrames,
            CloseSockets,
            FollowTimers,
            RingRuns,
            RingSockets,
            Seal,
        ])
        .memory(512),
    Function::on("socket_close", On::Socket(api_gateway::close))
        .summary("Cleans up after a closed WebSocket")
        .may(&[Get(&[Connections]), Delete(&[Strangers, Connections, Watchers])]),
    Function::on("socket_notify", On::Bell(QueueKind::Sockets, api_gateway::notify))
        .summary("Sends notifications to the watchers of tasks")
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            List(&[Owners, Projects, Strangers, Watchers]),
            Put(&[Keys, Owners, Projects, Watchers]),
            Update(&[Keys, Owners, Projects, Watchers]),
            Delete(&[Strangers, Connections, Watchers]),
            SendFrames,
            CloseSockets,
            RingRuns,
            RingSockets,
        ]),
];

/// Finds a function by its name.
pub fn named(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// What answers the bells of a queue.
pub fn bell_handler(queue: QueueKind) -> BellHandler {
    let mut handlers = FUNCTIONS.iter().filter_map(|function| match function.on {
        On::Bell(kind, handle) if kind == queue => Some(handle),
        _ => None,
    });
    handlers.next().expect("every queue has a function, as a test checks")
}

/// What runs every minute.
pub fn minute_handlers() -> impl Iterator<Item = MinuteHandler> {
    FUNCTIONS.iter().filter_map(|function| match function.on {
        On::Minute(handle) => Some(handle),
        _ => None,
    })
}

fn tick(plane: &Plane, bell: Bell, rang_for: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        if let Bell::Tick { owner, deployment: id } = &bell {
            deployment::tick::run(plane, owner, id, rang_for).await?;
        }
        Ok(BellOutcome::Done)
    })
}

fn execute(plane: &Plane, bell: Bell, _: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        match &bell {
            Bell::Run { owner, deployment, run } => run::execute::run(plane, owner, deployment, run).await,
            _ => Ok(BellOutcome::Done),
        }
    })
}

fn roll_out(plane: &Plane, bell: Bell, _: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        match &bell {
            Bell::Rollout { owner, rollout, .. } => rollout::execute::run(plane, owner, rollout).await,
            _ => Ok(BellOutcome::Done),
        }
    })
}

fn sweep(plane: &Plane) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(plane::sweep::each_minute(plane))
}
