//! Mistakes that are made on purpose, to see that the simulation catches them.

use super::day::Day;
use std::fmt;

/// A mistake and a seed that catches it.
#[derive(Clone, Debug)]
pub struct KnownMistake {
    pub mistake: Mistake,
    pub seed: u64,
}

impl KnownMistake {
    /// The seed that catches it, and then those from `from` on whose users do the same kind of things.
    pub fn seeds(&self, from: u64) -> impl Iterator<Item = u64> + use<> {
        let known = self.seed;
        let others = (from..).filter(move |seed| *seed != known && Day::of(*seed) == Day::of(known));
        std::iter::once(known).chain(others)
    }
}

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

/// Conditions of the store that are left out in turn, each with a seed that catches it. One that ends in `…` stands for the rest of its
/// expression, too. `simulate --mistakes` finds other seeds when these catch nothing any more.
const CONDITIONS: [(&str, u64); 33] = [
    ("KEY and key: attribute_not_exists(revoked_at)", 9),
    ("TASKS: attribute_not_exists(#u_open) OR #u_open < :limit", 18),
    ("deployment and version: attribute_not_exists(pk)", 4),
    ("deployment: revision = :revision", 24),
    ("environment: attribute_not_exists(pk)", 76),
    ("environment: revision = :revision", 16),
    ("group: attribute_not_exists(pk)", 27),
    ("group: revision = :revision", 57),
    ("idempotency: attribute_not_exists(pk) OR expires < :now", 9),
    ("resource: attribute_not_exists(pk)", 97),
    ("rollout: #open IN (:pending, :running)", 7),
    ("rollout: #state IN (:pending, :running)", 57),
    ("rollout: epoch = :epoch", 17),
    ("rollout: lease.#until = :until", 197),
    ("run: attribute_not_exists(cancel_requested_at)", 35),
    ("run: attribute_not_exists(pk)", 1333),
    ("run: epoch = :epoch…", 5),
    ("run: lease.#until = :until", 1295),
    ("serving: #run = :run", 8),
    ("serving: attribute_not_exists(pk)", 18),
    ("task: #run = :run", 1358),
    ("task: #run = :run AND #state = :ended", 268),
    ("task: #state = :open", 158),
    ("task: #u_in_flight = :in_flight", 38),
    ("task: #u_restarts = :restarts", 458),
    ("task: #u_state = :open", 228),
    ("task: #u_state = :seen", 8),
    ("task: NOT contains(#u_objects, :id)", 68),
    ("task: attribute_not_exists(pk)", 338),
    ("task: busy_until = :seen", 2798),
    ("task: contains(#u_objects, :id)", 108),
    ("task: epoch = :epoch", 48),
    ("task: used_at = :used_at", 348),
];

/// Conditions that never decide alone: what they refuse, another condition of the same request refuses, too. They are a second line,
/// and leaving one out is no mistake that shows. Whenever the table refuses a request, the simulation checks that it is so.
const SECOND_LINE: [&str; 24] = [
    // Their names are drawn.
    "HOOK: attribute_not_exists(pk)",
    "KEY: attribute_not_exists(pk)",
    "audit: attribute_not_exists(pk)",
    "environment-audit: attribute_not_exists(pk)",
    "key: attribute_not_exists(pk)",
    "rollout: attribute_not_exists(pk)",
    // A key is written at both of its places at once.
    "KEY: attribute_not_exists(revoked_at)",
    "KEY: id = :id",
    "key: attribute_not_exists(revoked_at)",
    "key: id = :id",
    // The first version of a project comes with its deployment; a source's record comes with its environment.
    "deployment: attribute_not_exists(pk)",
    "version: attribute_not_exists(pk)",
    // They are written beside the record that counts or names them.
    "log: attribute_not_exists(pk)",
    "tick: attribute_not_exists(pk)",
    // An end that was asked for is never taken back.
    "run: attribute_exists(cancel_requested_at)",
    // Another task under the same token has another run.
    "task: #state = :ended",
    // An object moves the time of its task's last use, too.
    "task: in_flight = :in_flight",
    // Whoever takes a record moves its epoch.
    "rollout: attribute_not_exists(lease)",
    "rollout: lease.holder = :holder",
    "run: #state = :state",
    "run: attempt = :attempt",
    "run: attribute_not_exists(lease)",
    "run: epoch = :epoch",
    "run: lease.holder = :holder",
];

/// Mistakes of the transport, each with a seed that catches it.
const TRANSPORT: [(Mistake, u64); 2] = [(Mistake::BellFirst, 0), (Mistake::OneByOne, 0)];

/// Mistakes in rules, each with a seed that catches it.
#[cfg(feature = "wrong")]
const RULES: [(tidemill_model::wrong::Mistake, u64); 10] = {
    use tidemill_model::wrong::Mistake::*;
    [
        (LeaseIgnored, 45),
        (EpochKept, 15),
        (TurnIgnored, 15),
        (TicksKept, 14),
        (TicksForgotten, 24),
        (RunsOverlooked, 2),
        (TimersOverlooked, 2),
        (HookForgotten, 4),
        (AnswerForgotten, 9),
        (ObjectsGivenUp, 28),
    ]
};

impl Mistake {
    /// Every mistake that this build can make.
    pub fn all() -> Vec<KnownMistake> {
        let left_out = CONDITIONS.map(|(condition, seed)| (Mistake::LeftOut(condition), seed));
        #[cfg_attr(not(feature = "wrong"), expect(unused_mut, reason = "there are more with the feature"))]
        let mut all: Vec<_> = left_out.into_iter().chain(TRANSPORT).collect();
        #[cfg(feature = "wrong")]
        all.extend(RULES.map(|(mistake, seed)| (Mistake::InRule(mistake), seed)));
        all.into_iter().map(|(mistake, seed)| KnownMistake { mistake, seed }).collect()
    }

    /// Whether a condition is left out in turn, or is known as a second line.
    pub fn knows(condition: &str) -> bool {
        Mistake::is_second_line(condition) || CONDITIONS.iter().any(|(known, _)| *known == condition)
    }

    /// Whether a condition is one that never decides alone.
    pub fn is_second_line(condition: &str) -> bool {
        SECOND_LINE.contains(&condition)
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
