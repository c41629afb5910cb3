//! Members of a group that have no file in its folder any more, and whether they are removed.

use crate::api::client::{Client, Path};
use crate::deploy::files::PreparedPipeline;
use crate::failure::{Exit, Failure};
use crate::output::asking::Consent;
use crate::output::table::{named, plain};
use crate::rollouts::views::Group;
use std::collections::HashSet;
use tidemill_model::rollout::Gone;

/// Members of a group that are not in its folder.
pub struct MissingMembers {
    group: String,
    projects: Vec<String>,
    /// Nothing of the folder is in the group: it may be the group of another folder of that name.
    is_foreign: bool,
}

/// Whether the rollout may start.
#[derive(Debug, PartialEq)]
pub enum Settlement {
    /// It may, with this note.
    Go(Option<String>),
    /// The person declines.
    Stop,
}

impl MissingMembers {
    pub async fn of(client: &Client, group: &str, prepared: &[PreparedPipeline]) -> Result<MissingMembers, Failure> {
        let members = match client.get(&Path::new(&["groups", group])).await {
            Err(failure) if failure.exit == Exit::NotFound => Vec::new(),
            answer => answer?.read::<Group>()?.members,
        };
        let here: HashSet<&str> = prepared.iter().map(|one| one.project.as_str()).collect();
        let (known, gone): (Vec<_>, Vec<_>) =
            members.into_iter().map(|member| member.project).partition(|project| here.contains(project.as_str()));
        Ok(MissingMembers { group: plain(group), projects: gone, is_foreign: known.is_empty() })
    }

    /// Decides whether they are removed.
    ///
    /// # Errors
    /// A script would remove all of a group that its folder has nothing of.
    pub fn settle(
        &self,
        gone: Gone,
        consent: Consent<impl FnOnce(&str) -> Result<bool, Failure>>,
    ) -> Result<Settlement, Failure> {
        let MissingMembers { group, projects, is_foreign } = self;
        if projects.is_empty() {
            return Ok(Settlement::Go(None));
        }
        let names = named(projects);
        match (gone, consent) {
            (Gone::Leave, _) => Ok(Settlement::Go(self.left())),
            (Gone::Keep, _) => Ok(Settlement::Go(None)),
            (Gone::Prune, Consent::Ask(ask)) => {
                let stranger = if *is_foreign { "nothing of the folder is in this group yet; " } else { "" };
                let agrees = ask(&format!("{stranger}remove {names} of the group `{group}`?"))?;
                Ok(if agrees { Settlement::Go(None) } else { Settlement::Stop })
            }
            (Gone::Prune, Consent::Script) if *is_foreign => Err(self.foreign()),
            (Gone::Prune, _) => Ok(Settlement::Go(Some(format!("removing {names} of the group `{group}`")))),
        }
    }

    /// The note on members that stay because neither option was given.
    pub fn left(&self) -> Option<String> {
        let (group, names) = (&self.group, named(&self.projects));
        (!self.projects.is_empty()).then(|| {
            format!(
                "gone from the folder and still deployed: {names}; `--prune` removes them, `--keep` takes them out of the \
                 group `{group}`"
            )
        })
    }

    fn foreign(&self) -> Failure {
        let MissingMembers { group, projects, .. } = self;
        let names = named(projects);
        let message =
            format!("nothing of the folder is in the group `{group}` yet, and `--prune` would remove {names}");
        Failure::new("failed_precondition", message)
            .hint(
                "a folder's group is called like it; name another one with `--group`, or give `--yes` if this is meant",
            )
            .exit(Exit::Conflict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(projects: &[&str], is_foreign: bool) -> MissingMembers {
        let projects = projects.iter().map(|project| (*project).to_owned()).collect();
        MissingMembers { group: "etl".to_owned(), projects, is_foreign }
    }

    /// Settles a prune with a person's answer, and gives the question too.
    fn asked(missing: &MissingMembers, answer: bool) -> (Settlement, String) {
        let mut heard = String::new();
        let ask = |question: &str| {
            heard = question.to_owned();
            Ok(answer)
        };
        let settled = missing.settle(Gone::Prune, Consent::Ask(ask)).unwrap();
        (settled, heard)
    }

    #[test]
    fn a_person_is_asked_before_a_prune_and_may_say_no() {
        let question = "remove `a`, `b` of the group `etl`?".to_owned();

        assert_eq!(asked(&missing(&["a", "b"], false), true), (Settlement::Go(None), question.clone()));
        assert_eq!(asked(&missing(&["a", "b"], false), false), (Settlement::Stop, question));
        let (_, question) = asked(&missing(&["a"], true), true);
        assert_eq!(question, "nothing of the folder is in this group yet; remove `a` of the group `etl`?");
    }

    #[test]
    fn no_question_comes_where_nothing_is_removed() {
        let never = || Consent::Ask(|question: &str| panic!("{question}"));

        assert_eq!(missing(&[], true).settle(Gone::Prune, never()).unwrap(), Settlement::Go(None));
        assert_eq!(missing(&["a"], false).settle(Gone::Keep, never()).unwrap(), Settlement::Go(None));
        assert!(matches!(missing(&["a"], false).settle(Gone::Leave, never()).unwrap(), Settlement::Go(Some(_))));
    }
}
