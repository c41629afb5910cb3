//! A project that is kept live: its pipeline, its schedule, its state.

pub mod add;
pub(crate) mod ahead;
pub(crate) mod change;
pub(crate) mod definition;
pub mod get;
pub mod list;
pub mod pause;
pub mod remove;
pub mod resume;
pub mod tick;
pub mod update;

pub use add::Add;
pub use get::Get;
pub use list::List;
pub use pause::Pause;
pub use remove::Remove;
pub use resume::Resume;
pub use update::Update;
