//! Mistakes that are made on purpose, to see that the simulation catches them.

use std::fmt;

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A condition of a write is left out: `deployment: revision = :revision`.
    LeftOut(&'static str),
    /// A bell is rung before the run that it is for is written, not after.
    BellFirst,
    /// What belongs together is written one by one, not in a transaction.
    OneByOne,
    /// A mistake in a rule.
    #[cfg(feature = "wrong")]
    InRule(tidemill_model::wrong::Mistake),
}

/// Conditions of the store that are left out in turn. One that ends in `…` stands for the rest of its expression, too.
const CONDITIONS: [&str; 19] = [
    "deployment: attribute_not_exists(pk)",
    "deployment: revision = :revision",
    "group: attribute_not_exists(pk)",
    "group: revision = :revision",
    "idempotency: attribute_not_exists(pk)…",
    "rollout: epoch = :epoch…",
    "rollout: #state IN (:pending, :running)",
    "run: epoch = :epoch…",
    "run: attribute_not_exists(cancel_requested_at)",
    "run: lease.holder = :holder AND lease.#until = :until",
    "serving: attribute_not_exists(pk)",
    "serving: #run = :run",
    "task: attribute_not_exists(pk)",
    "task: #state = :open…",
    "task: epoch = :epoch AND #run = :run",
    "task: epoch = :epoch AND busy_until…",
    "task: #u_state = :open…",
    "task: #u_state = :seen…",
    "task: #run = :run AND #state = :ended",
];

/// Conditions that never fail alone: their items are written beside one of those above, most under a name that is drawn or counted there.
/// They are a second line, and leaving one out is no mistake that shows.
const SECOND_LINE: [&str; 15] = [
    "HOOK: attribute_not_exists(pk)",
    "TASKS: attribute_not_exists(#u_open) OR #u_open < :limit",
    "audit: attribute_not_exists(pk)",
    // Beside the deployments of its sources.
    "environment: attribute_not_exists(pk)",
    "environment: revision = :revision",
    "environment-audit: attribute_not_exists(pk)",
    "log: attribute_not_exists(pk)",
    // Beside the deployment that it is about.
    "resource: attribute_not_exists(pk)",
    "rollout: attribute_not_exists(pk)",
    "run: attribute_not_exists(lease)",
    "run: attribute_not_exists(pk)",
    "tick: attribute_not_exists(pk)",
    "version: attribute_not_exists(pk)",
    // No key is revoked here.
    "KEY: id = :id AND attribute_not_exists(revoked_at)",
    "key: id = :id AND attribute_not_exists(revoked_at)",
];

impl Mistake {
    /// Every mistake that this build can make.
    pub fn all() -> Vec<Mistake> {
        let left_out = CONDITIONS.map(Mistake::LeftOut);
        #[cfg_attr(not(feature = "wrong"), expect(unused_mut, reason = "there are more with the feature"))]
        let mut all: Vec<Mistake> = left_out.into_iter().chain([Mistake::BellFirst, Mistake::OneByOne]).collect();
        #[cfg(feature = "wrong")]
        all.extend(tidemill_model::wrong::ALL.map(Mistake::InRule));
        all
    }

    /// Whether a condition is left out in turn, or is known as a second line.
    pub fn knows(condition: &str) -> bool {
        CONDITIONS.iter().chain(&SECOND_LINE).any(|known| condition.starts_with(known.trim_end_matches('…')))
    }

    /// Makes the mistake on this thread from now on, as far as it is one in a rule; `None` ends it.
    pub(super) fn make(_mistake: Option<&Mistake>) {
        #[cfg(feature = "wrong")]
        tidemill_model::wrong::make(match _mistake {
            Some(Mistake::InRule(mistake)) => Some(*mistake),
            _ => None,
        });
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::LeftOut(condition) => write!(f, "left out: {condition}"),
            Mistake::BellFirst => f.write_str("a bell is rung before its run is written"),
            Mistake::OneByOne => f.write_str("the writes of a transaction are written one by one"),
            #[cfg(feature = "wrong")]
            Mistake::InRule(mistake) => write!(f, "in a rule: {mistake:?}"),
        }
    }
}
