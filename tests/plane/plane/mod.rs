//! A file per operation on a plane, and what holds of several.

mod doctor;
mod health;
mod status;
mod sweep;
mod sweep_of_runs;
