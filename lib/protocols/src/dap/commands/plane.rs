//! `rrext_public_probe`: what a client may know of the plane before it logs in.

use super::body;
use super::connection::CAPABILITIES;
use crate::dap::failure::Failure;
use crate::dap::frame::Body;
use serde_json::json;
use tidemill_operations::Plane;

pub fn probe(plane: &Plane) -> Result<Body, Failure> {
    body(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "capabilities": CAPABILITIES,
        "platform": if plane.is_local() { "local" } else { "aws" },
        "apps": [],
    }))
}
