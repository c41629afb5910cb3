//! API keys.

pub mod create;
pub mod issue;
pub mod list;
pub mod revoke;

pub use create::Create;
pub use list::List;
pub use revoke::Revoke;
