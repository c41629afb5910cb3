//! A file per operation on a plane, and what holds of several.

mod carry_over;
mod clock;
mod doctor;
mod health;
mod retention;
mod scale;
mod status;
mod sweep;
mod sweep_of_runs;
mod unknown;
