//! What the works of a connection share, and how one of them answers a request.

use super::Work;
use super::login::{Identity, Login};
use super::outgoing::{Close, Events, Outgoing};
use crate::dap::commands::connection::{self, LoginRefusal};
use crate::dap::commands::{Action, Command, CommandRequest, Handler, Needs, is_private};
use crate::dap::connections::{Client, Seat};
use crate::dap::events::Recipient;
use crate::dap::failure::Failure;
use crate::dap::frame::{self, Arguments, Body, Head};
use crate::dap::pipes::{PipeTurn, Pipes};
use crate::dap::transport::Transport;
use futures::future::FutureExt;
use secrecy::ExposeSecret;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::access::{self, caller::Caller};
use tidemill_operations::{Call, Code, Error, Plane};

pub struct Wire {
    pub transport: Transport,
    pub plane: Arc<Plane>,
    pub seat: Arc<Seat>,
    pub events: Arc<Events>,
}

/// The pipes of a request's login, and the request's place in the order of its pipe.
pub struct PipePlace {
    pub pipes: Arc<Pipes>,
    pub turn: Option<PipeTurn>,
}

impl Wire {
    pub async fn log_in(&self, arguments: &Arguments) -> Result<(Identity, Body), LoginRefusal> {
        self.seat.logs_out();
        let credential = connection::credential(arguments)?;
        let known_by = access::caller::known_by(Some(credential.expose_secret()))?;
        let caller = access::caller::behind(&self.plane, &known_by).await?;
        self.seat.is_client(Client::of(arguments)?);
        if !self.seat.logs_in(caller.owner().clone(), &known_by) {
            return Err(connection::too_many().into());
        }
        let body = connection::answer(&self.plane, &caller, &credential).await?;
        Ok((Identity::new(known_by, self.plane.now()), body))
    }

    /// Answers the command of a request, or why the table has none, as far as the caller may know.
    pub async fn call(
        &self,
        login: &Login,
        head: &Head,
        command: Result<&'static Command, Failure>,
        arguments: Arguments,
        place: PipePlace,
    ) -> Result<Body, Failure> {
        let identity = login.clone().await;
        if let Ok(Command { action: Action::Public(answer), .. }) = command {
            return answer(&self.plane);
        }
        let Some(identity) = identity else {
            return match command {
                Err(unknown) if !is_private(&head.command) => Err(unknown),
                _ => Err(Failure::not_authenticated()),
            };
        };
        let caller = self.authenticated(&identity).await?;
        let command = command?;
        match command.action {
            Action::Private(needs, handle) | Action::Stream(needs, handle) => {
                self.run(command, (needs, handle), &caller, arguments, place).await
            }
            // The session itself answers a login and a logout.
            Action::LogIn | Action::LogOut | Action::Public(_) => Err(Failure::unknown_command(command.name)),
        }
    }

    async fn run(
        &self,
        command: &Command,
        (needs, handle): (Needs, Handler),
        caller: &Caller,
        mut arguments: Arguments,
        PipePlace { pipes, turn }: PipePlace,
    ) -> Result<Body, Failure> {
        let call = self.allowed(needs, caller, &mut arguments)?;
        self.transport.carries(command)?;
        let (plane, seat, events) = (self.plane.clone(), self.seat.clone(), self.events.clone());
        let task = matches!(caller, Caller::Task(_)).then(|| caller.task(None)).flatten();
        let work = handle(CommandRequest { plane, seat, call, task, arguments, pipes, turn, events });
        // A client waits for its answer without a limit, so even a bug has to answer.
        let caught = AssertUnwindSafe(work).catch_unwind().await;
        caught.unwrap_or_else(|_| Err(Error::internal(format!("`{}` panicked", command.name)).into()))
    }

    /// The call of a caller who has what a command needs.
    fn allowed(&self, needs: Needs, caller: &Caller, arguments: &mut Arguments) -> Result<Call, Failure> {
        let confined = match caller {
            Caller::Key(call) => {
                if let Needs::Scope(scope) | Needs::Task(scope) = needs {
                    access::authenticate::check(call, scope).map_err(|_| Failure::denied(scope))?;
                }
                return Ok(call.clone());
            }
            Caller::Task(confined) => confined,
        };
        let given = arguments.text("token")?.filter(|token| !token.is_empty());
        let (scope, task) = match needs {
            Needs::Login => return Ok(confined.without_rights(self.plane.now())),
            Needs::Scope(scope) => return Err(Failure::denied(scope)),
            Needs::Task(scope) => (scope, caller.task(given.as_deref())),
            Needs::Watch => {
                let task = caller.task(given.as_deref());
                let call = watching(caller, task.as_deref())?.clone();
                // The command compares a project with the task's own.
                let project = arguments.text("projectId")?.filter(|project| !project.is_empty());
                if let Some(task) = task.filter(|_| given.is_some() || project.is_none()) {
                    arguments.set_text("token", &task);
                }
                return Ok(call);
            }
        };
        let call = caller.call(scope, task.as_deref())?;
        if let Some(task) = &task {
            arguments.set_text("token", task);
        }
        Ok(call.clone())
    }

    /// Asks the table with each request: a revoked key can do nothing.
    async fn authenticated(&self, identity: &Identity) -> Result<Caller, Failure> {
        let caller = access::caller::behind(&self.plane, &identity.credential).await?;
        identity.is_valid_at(self.plane.now());
        Ok(caller)
    }

    /// Sends what has changed of what the connection watches.
    pub async fn notify(&self, login: &Login) {
        let Some(identity) = login.clone().await else { return };
        let Ok(caller) = self.authenticated(&identity).await else { return };
        // A task's token monitors that task alone.
        let Ok(call) = watching(&caller, caller.task(None).as_deref()) else { return };
        let recipient = Recipient { plane: &self.plane, call, connections: self.seat.connections() };
        match self.events.monitors.changes(&recipient).await {
            Ok(changes) => changes.iter().for_each(|(name, body)| self.events.send(name, body)),
            Err(error) => tracing::debug!(%error, "could not read what a connection watches"),
        }
    }

    /// Closes the connection if its credential is not valid any more.
    pub async fn check(&self, identity: &Identity) {
        match access::caller::behind(&self.plane, &identity.credential).await {
            Ok(_) => identity.is_valid_at(self.plane.now()),
            Err(error) if matches!(error.code, Code::Unauthenticated | Code::NotFound) => self.close(Close::LOGIN),
            // The table did not answer; that says nothing about the key.
            Err(_) => {}
        }
    }

    pub fn reply(&self, head: &Head, outcome: Result<Body, Failure>) {
        self.events.put(Outgoing::Text(frame::answer(self.seat.sends(), head, &outcome, &self.transport)));
        if outcome.is_err_and(|failure| failure.is_final) {
            self.close(Close::LOGIN);
        }
    }

    pub fn close(&self, close: Close) {
        self.events.put(Outgoing::Close(close));
    }

    pub fn closing(self: &Arc<Self>, close: Close) -> Work {
        let wire = self.clone();
        async move { wire.close(close) }.boxed()
    }
}

/// The call of a caller who watches: its scopes decide which events it gets. One that may only send gets messages.
pub fn watching<'a>(caller: &'a Caller, task: Option<&str>) -> Result<&'a Call, Error> {
    caller.call(Scope::Monitor, task).or_else(|refused| caller.call(Scope::Data, task).map_err(|_| refused))
}
