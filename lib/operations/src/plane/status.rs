//! What answers here, and since when.

use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::key::Scope;

pub struct Status;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    pub version: &'static str,
    /// When the process that answers began. On AWS there are many, and none lives for long.
    pub started_at: Timestamp,
    pub uptime_seconds: u64,
}

impl crate::Operation for Status {
    const NAME: &'static str = "plane_status";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, _: Input) -> Result<Output, Error> {
        let started_at = plane.workers.since;
        let uptime = call.now.duration_since(started_at).as_secs();
        Ok(Output {
            version: env!("CARGO_PKG_VERSION"),
            started_at,
            uptime_seconds: u64::try_from(uptime).unwrap_or_default(),
        })
    }
}
