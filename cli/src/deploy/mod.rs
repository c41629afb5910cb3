//! What `deploy`, `update` and `dev` put on a plane: pipelines in files, and their settings.

pub mod files;
pub mod one_by_one;
pub mod position;
pub mod settings;
pub mod watch;
