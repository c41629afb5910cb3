//! Where a rollout's pipelines were committed, as its caller says. It is shown, and nothing is decided by it.

use serde::{Deserialize, Serialize};

/// Longest commit message, in bytes, and longest of everything else. Longer ones are cut.
pub const MESSAGE_LIMIT: usize = 10_240;
/// Longest of the fields beside the message, in bytes.
pub const TEXT_LIMIT: usize = 256;

/// A commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Git {
    /// The commit's hash.
    pub commit: Option<String>,
    /// The branch's name.
    pub branch: Option<String>,
    /// The commit's message.
    pub message: Option<String>,
    /// The author's name, as the caller gives it.
    pub author: Option<String>,
    /// The repository's URL.
    pub repository: Option<String>,
    /// The pull request's number or URL.
    pub pull_request: Option<String>,
}

impl Git {
    /// The same within its limits, and which of its fields were cut; `None` if it says nothing.
    pub fn cut(mut self) -> (Option<Git>, Vec<&'static str>) {
        let mut cut = Vec::new();
        let fields = [
            ("commit", &mut self.commit, TEXT_LIMIT),
            ("branch", &mut self.branch, TEXT_LIMIT),
            ("message", &mut self.message, MESSAGE_LIMIT),
            ("author", &mut self.author, TEXT_LIMIT),
            ("repository", &mut self.repository, TEXT_LIMIT),
            ("pullRequest", &mut self.pull_request, TEXT_LIMIT),
        ];
        for (name, field, limit) in fields {
            let text = field.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            *field = text.map(|mut text| {
                if text.len() > limit {
                    text.truncate(text.floor_char_boundary(limit));
                    cut.push(name);
                }
                text
            });
        }
        ((self != Git::default()).then_some(self), cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters_and_named() {
        let git = Git { message: Some("ž".repeat(6000)), author: Some("a".repeat(256)), ..Git::default() };

        let (git, cut) = git.cut();

        let git = git.unwrap();
        assert_eq!(git.message.unwrap(), "ž".repeat(5120));
        assert_eq!((git.author.unwrap().len(), cut), (256, vec!["message"]));
    }

    #[test]
    fn blank_fields_say_nothing() {
        let git = Git { commit: Some("  ".to_owned()), ..Git::default() };

        assert_eq!(git.cut(), (None, Vec::new()));
    }
}
