//! The HTTP API that Checkly's clients deploy by, with pipelines as the resources.
//!
//! What they call a project is a group here, and what they call a deployment is a rollout. [`envelope`] is what a
//! deploy sends and [`inflated`] how it is sent; [`deploy`] begins a deployment, [`deployments`] shows and follows one,
//! [`projects`] is what clients ask before. [`wire_forms`] and [`refusal`] are the forms of all answers, and [`routes`] says
//! what is where.

mod deploy;
mod deployments;
mod envelope;
mod inflated;
mod parameters;
mod projects;
pub mod refusal;
pub mod routes;
mod wire_forms;

/// Where these clients ask: what is refused there has their form, also where nothing answers.
pub const PLACES: [&str; 5] = ["/v1/projects", "/v1/runtimes", "/v1/checks", "/v1/private-locations", "/next"];

/// Whether a path is one that Checkly's clients ask at.
pub fn is_at(path: &str) -> bool {
    PLACES.iter().any(|place| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
