//! How large a pipeline may be. Each limit is refused by name.

/// Bytes of a pipeline's text: 4 MiB.
pub const TEXT_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a deploy file: what a request's body may have, because the file arrives as one.
pub const FILE_BYTES: usize = 6 * 1024 * 1024;

/// Components of a pipeline.
pub const COMPONENTS: usize = 2_000;

/// Objects and arrays inside each other, the outermost counted. It has to stay below the 128 of `serde_json`.
pub const JSON_DEPTH: usize = 100;

/// Characters of a component's id.
pub const ID_CHARACTERS: usize = 256;

/// Characters of a deployment's note.
pub const NOTE_CHARACTERS: usize = 512;

/// Problems in one report: a hostile pipeline could otherwise have a reply many times its own size.
pub const PROBLEMS: usize = 1_000;
