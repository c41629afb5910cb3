//! Mistakes that are made on purpose, to see that the simulation of the tests catches them. Without the feature `wrong` none can be
//! made, and nothing of this is left in a binary.

#[cfg(feature = "wrong")]
use std::cell::Cell;

/// A mistake in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A worker takes over what another one holds.
    LeaseIgnored,
    /// A claim keeps the epoch of the holder before.
    EpochKept,
    /// A run begins while another one of its deployment is going.
    TurnIgnored,
    /// The head does not go past the minutes that have their outcome.
    TicksKept,
    /// Minutes that were due before a change get no outcome.
    TicksForgotten,
    /// The sweep finds no run whose bell or worker is gone.
    RunsOverlooked,
    /// The sweep finds no timer that differs from its deployment.
    TimersOverlooked,
    /// A project that is deployed again gets another hook.
    HookForgotten,
    /// The answer to an idempotency key is not looked for.
    AnswerForgotten,
    /// Objects of a task are given up while their worker has them.
    ObjectsGivenUp,
}

#[cfg(feature = "wrong")]
thread_local! {
    static MADE: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Makes a mistake on this thread from now on, or none.
#[cfg(feature = "wrong")]
pub fn make(mistake: Option<Mistake>) {
    MADE.set(mistake);
}

/// Whether this mistake is made here.
#[cfg(feature = "wrong")]
pub fn is(mistake: Mistake) -> bool {
    MADE.get() == Some(mistake)
}

/// Whether this mistake is made here: never.
#[cfg(not(feature = "wrong"))]
pub const fn is(_: Mistake) -> bool {
    false
}
