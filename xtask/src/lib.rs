//! Tasks of this repository that need its code. [`generate`] writes the files that follow from the table of functions, the
//! catalogue of providers and the command's grammar.

pub mod generate;
