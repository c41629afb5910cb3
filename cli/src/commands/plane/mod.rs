//! Commands that start a plane or look after one.

pub mod dev;
pub mod doctor;
pub mod gateway;
