//! One Lambda binary per operation, in `src/bin`.
