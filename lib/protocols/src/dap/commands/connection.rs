//! One connection: the credential of its login and the answer, `rrext_ping`, `rrext_identify`.

use super::{CommandRequest, body, done};
use crate::dap::connections::Client;
use crate::dap::failure::{Failure, with_hint};
use crate::dap::frame::{Arguments, Body};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tidemill_model::ids::EnvironmentName;
use tidemill_model::key::Scope;
use tidemill_operations::access::caller::Caller;
use tidemill_operations::socket::LOGINS_OF_KEY;
use tidemill_operations::{Code, Error, Plane, environment};

/// What the clients know the plane as: one that runs everything for its operator, without plans and payments.
pub const CAPABILITIES: [&str; 1] = ["oss"];

/// Takes the credential of a login.
pub fn credential(arguments: &Arguments) -> Result<SecretString, Failure> {
    let text = arguments.text("auth").map_err(|_| invalid())?.unwrap_or_default();
    let text = text.trim();
    let text = text.strip_prefix("Bearer").filter(|rest| rest.starts_with(' ')).unwrap_or(text).trim();
    match text {
        "" | "Bearer" => Err(Failure { is_final: true, ..Failure::new("No authorization provided") }),
        text => Ok(SecretString::from(text.to_owned())),
    }
}

/// Why a login was refused.
pub enum LoginRefusal {
    /// The client learns what is wrong with what it sent.
    Credential(Failure),
    /// Nothing is known of the credential: it may be good.
    Trouble,
}

impl From<Failure> for LoginRefusal {
    fn from(failure: Failure) -> LoginRefusal {
        LoginRefusal::Credential(Failure { is_final: true, ..failure })
    }
}

impl From<Error> for LoginRefusal {
    fn from(error: Error) -> LoginRefusal {
        match error.code {
            // A task's token is invalid when its task is gone.
            Code::Unauthenticated | Code::NotFound => LoginRefusal::Credential(invalid()),
            _ => LoginRefusal::Trouble,
        }
    }
}

fn invalid() -> Failure {
    Failure { is_final: true, ..Failure::new("Invalid API key").code(Code::Unauthenticated) }
}

/// The refusal of a login with a key that too many connections use.
pub fn too_many() -> Failure {
    let message = format!("{LOGINS_OF_KEY} connections are logged in with this key");
    Failure::new(with_hint(&message, Some("close those that are not needed, or log in with another key")))
        .code(Code::RateLimited)
}

/// The answer to a login. An owner is an organisation with no other member; its teams are its environments.
pub async fn answer(plane: &Plane, caller: &Caller, credential: &SecretString) -> Result<Body, LoginRefusal> {
    let owner = caller.owner().as_str();
    let scopes: Vec<_> =
        caller.scopes().iter().filter(|scope| **scope != Scope::Admin).map(|scope| scope.as_str()).collect();
    let is_admin = caller.scopes().contains(&Scope::Admin);
    let of_organization = if is_admin { vec!["org.admin"] } else { Vec::new() };
    let teams = teams(plane, caller).await?;
    let teams: Vec<_> = teams.iter().map(|name| json!({"id": name, "name": name, "permissions": scopes})).collect();
    let organization = json!({"id": owner, "name": owner, "permissions": of_organization, "teams": teams});
    let answer = body(&json!({
        "userId": owner,
        "displayName": owner,
        "email": "",
        // The clients forget the key that they logged in with, and come back with this one.
        "userToken": credential.expose_secret(),
        "organization": organization,
        "organizations": [organization],
        "defaultTeam": EnvironmentName::PRODUCTION,
        "devTeam": EnvironmentName::PRODUCTION,
        "capabilities": CAPABILITIES,
        "serverVersion": env!("CARGO_PKG_VERSION"),
        "apps": [],
        "sysPermissions": [],
        "credits": {},
        "waitlisted": false,
    }))?;
    Ok(answer)
}

/// The caller's environments but for the private one, which is no team. A task's token shows none.
async fn teams(plane: &Plane, caller: &Caller) -> Result<Vec<String>, Error> {
    let names = match caller {
        Caller::Key(call) => environment::list::names(plane, call).await?,
        Caller::Task(_) => return Ok(vec![EnvironmentName::PRODUCTION.to_owned()]),
    };
    Ok(names.into_iter().map(String::from).filter(|name| name != EnvironmentName::OWN).collect())
}

/// The answer to a logout.
pub fn nothing() -> Body {
    done().ok().flatten()
}

pub async fn ping(_: CommandRequest) -> Result<Body, Failure> {
    body(&json!({"pong": true}))
}

pub async fn identify(request: CommandRequest) -> Result<Body, Failure> {
    request.seat.is_client(Client::of(&request.arguments)?);
    done()
}
