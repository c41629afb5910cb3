//! Who calls, and what answers: the owner and the key behind a request, and the plane.

use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use tidemill_model::key::{KeyKind, Scope};

pub struct CallerGet;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    pub owner: String,
    pub key: KeyName,
    pub scopes: Vec<&'static str>,
    /// `local` or `cloud`.
    pub plane: &'static str,
    pub version: &'static str,
    /// How long a minute of schedules lasts: 60, unless the plane was started with a shorter one.
    pub minute_seconds: f64,
}

/// What people know a key by.
#[derive(Debug, Serialize)]
pub struct KeyName {
    pub id: String,
    pub name: Option<String>,
}

impl crate::Operation for CallerGet {
    const NAME: &'static str = "caller_get";
    const SCOPE: Option<Scope> = None;
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, _: Input) -> Result<Output, Error> {
        let key = plane.store.key(&call.owner, &call.key).await?;
        Ok(Output {
            owner: call.owner.to_string(),
            key: KeyName { id: call.key.to_string(), name: key.and_then(|key| key.name) },
            scopes: call.scopes.iter().map(|scope| scope.as_str()).collect(),
            plane: match plane.kind {
                KeyKind::Local => "local",
                KeyKind::Live => "cloud",
            },
            version: env!("CARGO_PKG_VERSION"),
            minute_seconds: plane.calendar.minute().as_secs_f64(),
        })
    }
}
