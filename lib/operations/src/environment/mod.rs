//! A named live pointer of a project.

pub(crate) mod change;
pub mod deploy;
pub mod disable;
pub mod enable;
pub mod get;
pub mod history;
pub mod list;
pub mod notices;
pub mod promote;
pub mod remove;
pub mod rollback;
pub mod run;
pub mod source;

pub use deploy::Deploy;
pub use disable::Disable;
pub use enable::Enable;
pub use get::Get;
pub use history::History;
pub use list::List;
pub use promote::Promote;
pub use remove::Remove;
pub use rollback::Rollback;
pub use run::Run;
pub use source::Source;
