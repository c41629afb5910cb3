//! What callers without a key may ask of a process, and how often.

use super::rates::{Buckets, Rate};
use super::turns::{Turn, Turns};
use crate::error::Error;
use jiff::Timestamp;
use std::net::IpAddr;
use tidemill_model::ids::{HookId, OwnerId};
use tidemill_store::Hook;

/// How often one hook may be called. A build server sends hundreds of notices at once after a mass change, and their
/// runs stand in one line: more than fifty a second would only make it longer.
pub const HOOK_RATE: Rate = Rate { burst: 1_000, per_second: 50 };
/// How often all hooks of an owner may be called: as four of them that send all they may.
const OWNER_RATE: Rate = Rate { burst: 4_000, per_second: 200 };
/// Bodies of an owner that are written at once. Those of one hook are written one by one, since each changes the
/// deployment: side by side they would only write in vain.
const WRITES_OF_OWNER: usize = 4;
/// How often pipelines of callers without a key are checked for one address: an editor asks at each pause of its user.
const VALIDATION_RATE: Rate = Rate { burst: 100, per_second: 10 };

/// How often hooks are called here, and whose bodies are being written.
pub struct Hooks {
    of_hook: Buckets<HookId>,
    of_owner: Buckets<OwnerId>,
    hooks: Turns<HookId>,
    owners: Turns<OwnerId>,
}

impl Default for Hooks {
    fn default() -> Hooks {
        Hooks {
            of_hook: Buckets::new(HOOK_RATE),
            of_owner: Buckets::new(OWNER_RATE),
            hooks: Turns::new(1),
            owners: Turns::new(WRITES_OF_OWNER),
        }
    }
}

impl Hooks {
    /// Counts a call; the owner pays for those alone that the hook itself allows.
    pub fn count(&self, hook: &Hook, now: Timestamp) -> Result<(), Error> {
        let refused = |wait| Error::rate_limited("this webhook is called too often", wait);
        self.of_hook.take(hook.id.clone(), now).map_err(refused)?;
        let refused = |wait| Error::rate_limited("the webhooks of this owner are called too often", wait);
        self.of_owner.take(hook.owner.clone(), now).map_err(refused)
    }

    /// Waits until a body may be written.
    pub async fn turn(&self, hook: &Hook) -> (Turn, Turn) {
        let of_hook = self.hooks.of(hook.id.clone()).await;
        (of_hook, self.owners.of(hook.owner.clone()).await)
    }
}

/// How often callers without a key have pipelines checked here, by what counts as one address.
pub struct Validations(Buckets<IpAddr>);

impl Default for Validations {
    fn default() -> Validations {
        Validations(Buckets::new(VALIDATION_RATE))
    }
}

impl Validations {
    /// Counts a check for an address.
    pub fn count(&self, address: IpAddr, now: Timestamp) -> Result<(), Error> {
        let refused = |wait| Error::rate_limited("pipelines are checked too often without a key", wait);
        self.0.take(address, now).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use futures::FutureExt;
    use std::time::Duration;
    use tidemill_model::ids::ProjectId;

    fn hook(owner: &str, number: u128) -> Hook {
        let owner = OwnerId::parse(owner).expect("it is a name");
        Hook { id: HookId::new(number), owner, project: ProjectId::parse("p").expect("it is a name") }
    }

    #[test]
    fn an_owner_whose_hooks_are_called_too_often_is_refused_and_no_other_is() {
        let hooks = Hooks::default();
        for number in 0..5 {
            for _ in 0..OWNER_RATE.burst / 5 {
                hooks.count(&hook("ana", number), Timestamp::UNIX_EPOCH).expect("the owner has some left");
            }
        }

        let refused = hooks.count(&hook("ana", 0), Timestamp::UNIX_EPOCH).expect_err("the owner has none left");

        assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Duration::from_secs(1)));
        assert!(hooks.count(&hook("bob", 9), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn a_hook_that_is_refused_costs_its_owner_nothing() {
        let hooks = Hooks::default();
        for _ in 0..2 * OWNER_RATE.burst {
            let _ = hooks.count(&hook("ana", 0), Timestamp::UNIX_EPOCH);
        }
        assert!(hooks.count(&hook("ana", 1), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn a_flood_on_one_hook_waits_in_its_own_line() {
        let hooks = Hooks::default();
        let _writing = hooks.turn(&hook("ana", 0)).now_or_never().expect("there is a turn");

        assert!(hooks.turn(&hook("ana", 0)).now_or_never().is_none());
        let others: Vec<_> = (1..6).filter_map(|number| hooks.turn(&hook("ana", number)).now_or_never()).collect();
        assert_eq!(others.len(), WRITES_OF_OWNER - 1);
        assert!(hooks.turn(&hook("bob", 9)).now_or_never().is_some());
    }
}
