//! The lanes of RocketRide's pipeline format: the typed edges between components.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One kind of value that travels between components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the format gives these names and no more")]
pub enum Lane {
    Open,
    Tags,
    Text,
    Table,
    Words,
    Audio,
    Video,
    Questions,
    Answers,
    Image,
    Classifications,
    ClassificationContext,
    Documents,
    Closing,
    Close,
}

impl Lane {
    /// Every lane, in the order of the format's own list.
    pub const ALL: [Lane; 15] = [
        Lane::Open,
        Lane::Tags,
        Lane::Text,
        Lane::Table,
        Lane::Words,
        Lane::Audio,
        Lane::Video,
        Lane::Questions,
        Lane::Answers,
        Lane::Image,
        Lane::Classifications,
        Lane::ClassificationContext,
        Lane::Documents,
        Lane::Closing,
        Lane::Close,
    ];

    /// The lane's name in a pipeline.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lane::Open => "open",
            Lane::Tags => "tags",
            Lane::Text => "text",
            Lane::Table => "table",
            Lane::Words => "words",
            Lane::Audio => "audio",
            Lane::Video => "video",
            Lane::Questions => "questions",
            Lane::Answers => "answers",
            Lane::Image => "image",
            Lane::Classifications => "classifications",
            Lane::ClassificationContext => "classificationContext",
            Lane::Documents => "documents",
            Lane::Closing => "closing",
            Lane::Close => "close",
        }
    }

    /// Finds a lane by its exact name.
    pub fn named(name: &str) -> Option<Lane> {
        Lane::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
