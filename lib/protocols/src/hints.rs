//! What to do about an error, in the words of each protocol's users.
//!
//! Users of the HTTP API read commands of `tidemill`, which shows these hints too; users of RocketRide and Checkly read
//! what their clients call things.

use tidemill_operations::{Hint, Noun};

/// The words for users of the HTTP API and of the command.
pub fn rest(hint: &Hint) -> String {
    match hint {
        Hint::CheckName(noun) => match list(*noun) {
            Some(command) => format!("check the name; `{command}` shows what there is"),
            None => hint.to_string(),
        },
        Hint::CheckVersion => "check the number; `tidemill versions` shows what there is".to_owned(),
        Hint::SendKey => "send it as `Authorization: Bearer KEY`".to_owned(),
        Hint::UseScope(scope) => format!("use a key that was made with `--scope {scope}`"),
        Hint::WaitForRollout(id) => format!("wait for it, or cancel it with `tidemill rollout cancel {id}`"),
        Hint::OpenTask => "open one; `tidemill tasks` shows those that are open".to_owned(),
        Hint::Words(_) | Hint::FixDetails | Hint::CheckLog => hint.to_string(),
    }
}

/// The command that lists what there is of a kind.
fn list(noun: Noun) -> Option<&'static str> {
    match noun {
        Noun::Project => Some("tidemill list"),
        Noun::Version => Some("tidemill versions"),
        Noun::Run => Some("tidemill runs"),
        Noun::Group => Some("tidemill groups"),
        Noun::Rollout => Some("tidemill rollouts"),
        Noun::Key => Some("tidemill keys list"),
        Noun::Secret => Some("tidemill secrets list"),
        Noun::Environment | Noun::Source | Noun::Deployment => None,
    }
}

/// The words for users of RocketRide's clients.
pub fn rocketride(hint: &Hint) -> String {
    match hint {
        Hint::SendKey => "pass it as `auth` when you connect".to_owned(),
        Hint::OpenTask => "start it with `use`".to_owned(),
        Hint::CheckVersion => "check the number; the project's history shows its versions".to_owned(),
        _ => hint.to_string(),
    }
}

/// The words for users of Checkly's clients.
pub fn checkly(hint: &Hint) -> String {
    match hint {
        Hint::CheckName(Noun::Project) => "check its logical id".to_owned(),
        Hint::CheckName(Noun::Deployment) => "check its id".to_owned(),
        Hint::SendKey => "set `CHECKLY_API_KEY` to a key".to_owned(),
        _ => hint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_model::ids::RolloutId;
    use tidemill_model::key::Scope;

    /// One of each kind; names that a list of ours may know, and others.
    fn hints() -> Vec<Hint> {
        let rollout = RolloutId::new("2026-03-02T10:00:00Z".parse().unwrap(), 1);
        let nouns = [Noun::Project, Noun::Version, Noun::Run, Noun::Group, Noun::Rollout, Noun::Key, Noun::Secret];
        let mut hints: Vec<Hint> = nouns.into_iter().map(Hint::CheckName).collect();
        hints.extend([Hint::CheckVersion, Hint::SendKey, Hint::OpenTask, Hint::FixDetails, Hint::CheckLog]);
        hints.push(Hint::UseScope(Scope::Control));
        hints.push(Hint::WaitForRollout(rollout));
        hints
    }

    #[test]
    fn only_users_of_the_http_api_read_of_our_command() {
        for hint in hints() {
            for words in [rocketride(&hint), checkly(&hint), hint.to_string()] {
                assert!(!words.is_empty() && !words.contains("tidemill") && !words.contains("--"), "{words}");
            }
        }
        assert!(rest(&Hint::CheckName(Noun::Group)).contains("`tidemill groups`"));
        assert!(rest(&Hint::UseScope(Scope::Control)).contains("--scope task.control"));
    }
}
