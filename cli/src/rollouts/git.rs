//! Where what is deployed was committed: asked of the `git` command, and of the variables that build servers set for
//! what git itself does not know there. Nothing is decided by it, so whatever is missing is left out.

use reqwest::Url;
use std::path::Path;
use std::process::{Command, Stdio};
use tidemill_model::git::Git;

/// Where the branch is named when what is checked out is a bare commit: GitHub (a pull request's, any other's), GitLab,
/// Bitbucket, CircleCI, Buildkite, Azure, Jenkins.
const BRANCHES: &[&str] = &[
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_COMMIT_REF_NAME",
    "BITBUCKET_BRANCH",
    "CIRCLE_BRANCH",
    "BUILDKITE_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
    "CHANGE_BRANCH",
    "BRANCH_NAME",
];
/// Where the pull request is named, by its number or its URL: the same, and GitHub by its ref.
const PULL_REQUESTS: &[&str] = &[
    "CI_MERGE_REQUEST_IID",
    "BITBUCKET_PR_ID",
    "CIRCLE_PULL_REQUEST",
    "BUILDKITE_PULL_REQUEST",
    "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER",
    "CHANGE_URL",
];

/// The commit that a folder is at, or `None` where there is no repository or no `git`.
pub fn at(folder: &Path) -> Option<Git> {
    let git = |arguments: &[&str]| asked(folder, arguments);
    // The fields of one call are apart by NUL, which no commit holds.
    let commit = git(&["log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%B"])?;
    let mut fields = commit.splitn(3, '\0').map(|field| present(field.to_owned()));
    let variable = |name: &str| std::env::var(name).ok().and_then(present);
    Some(Git {
        commit: fields.next()?,
        author: fields.next().flatten(),
        message: fields.next().flatten(),
        branch: git(&["symbolic-ref", "--quiet", "--short", "HEAD"]).or_else(|| first(BRANCHES, variable)),
        repository: git(&["config", "--get", "remote.origin.url"]).map(|url| without_password(&url)),
        pull_request: pull_request(variable),
    })
}

fn asked(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { present(text) } else { None }
}

fn pull_request(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let of_github = variable("GITHUB_REF").and_then(|name| {
        let number = name.strip_prefix("refs/pull/")?.split('/').next()?;
        present(number.to_owned())
    });
    // Buildkite says `false` where there is none.
    of_github.or_else(|| first(PULL_REQUESTS, variable)).filter(|name| name != "false")
}

fn first(names: &[&str], variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    names.iter().find_map(|name| variable(name))
}

fn present(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A URL may carry the token that it was cloned with.
fn without_password(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    let is_web = matches!(parsed.scheme(), "http" | "https");
    let has_secret = parsed.password().is_some() || is_web && !parsed.username().is_empty();
    if !has_secret {
        return url.to_owned();
    }
    let is_open = parsed.set_password(None).is_ok() && (!is_web || parsed.set_username("").is_ok());
    if is_open { parsed.to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_without_what_opens_it() {
        assert_eq!(without_password("https://ana:ghp_x@example.com/o/r.git"), "https://example.com/o/r.git");
        assert_eq!(without_password("https://ghp_x@example.com/o/r.git"), "https://example.com/o/r.git");
        for open in ["git@example.com:o/r.git", "ssh://git@example.com/o/r", "https://example.com/o/r", "../r"] {
            assert_eq!(without_password(open), open);
        }
    }

    #[test]
    fn a_pull_request_is_found_where_build_servers_name_it() {
        let of = |name: &'static str, value: &'static str| {
            pull_request(move |asked| (asked == name).then(|| value.to_owned()))
        };

        assert_eq!(of("GITHUB_REF", "refs/pull/12/merge").as_deref(), Some("12"));
        assert_eq!(of("CI_MERGE_REQUEST_IID", "7").as_deref(), Some("7"));
        assert_eq!(of("GITHUB_REF", "refs/heads/main"), None);
        assert_eq!(of("BUILDKITE_PULL_REQUEST", "false"), None);
    }
}
