//! Commands on pipelines, without a plane.

pub mod init;
pub mod providers;
pub mod schema;
pub mod trial;
pub mod validate;
