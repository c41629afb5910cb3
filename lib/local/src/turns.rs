//! A line in which owners take turns: an owner with much to do keeps no other one waiting.

use std::collections::{HashMap, VecDeque};

/// Groups of bells that may be answered, by owner. A group's name begins with its owner's, up to a `#`.
#[derive(Default)]
pub struct Line {
    owners: HashMap<String, Owner>,
    /// Counts what came in.
    last: u64,
    /// Groups in hand, of all owners.
    in_hand: usize,
}

#[derive(Default)]
struct Owner {
    /// With the number by which each came in.
    waiting: VecDeque<(u64, String)>,
    in_hand: usize,
}

impl Line {
    pub fn push(&mut self, group: String) {
        self.last += 1;
        self.owners.entry(owner(&group).to_owned()).or_default().waiting.push_back((self.last, group));
    }

    pub fn is_empty(&self) -> bool {
        self.owners.values().all(|owner| owner.waiting.is_empty())
    }

    /// Takes a group into hand: of the owner that has fewest there, and of those the group that came first.
    ///
    /// An owner may have no more in hand than workers are left, so that one owner gets half of them, a second one half of the
    /// rest, and a worker is free for the next one that comes.
    pub fn take(&mut self, workers: usize) -> Option<String> {
        let free = workers.saturating_sub(self.in_hand);
        let next = |owner: &Owner| Some((owner.in_hand, owner.waiting.front()?.0));
        let may = self.owners.values_mut().filter(|owner| owner.in_hand < free && !owner.waiting.is_empty());
        let owner = may.min_by_key(|owner| next(owner))?;
        owner.in_hand += 1;
        self.in_hand += 1;
        owner.waiting.pop_front().map(|(_, group)| group)
    }

    /// Puts a group out of hand.
    pub fn put_back(&mut self, group: &str) {
        let name = owner(group);
        let Some(owner) = self.owners.get_mut(name) else { return };
        owner.in_hand = owner.in_hand.saturating_sub(1);
        self.in_hand = self.in_hand.saturating_sub(1);
        if owner.in_hand == 0 && owner.waiting.is_empty() {
            self.owners.remove(name);
        }
    }
}

fn owner(group: &str) -> &str {
    group.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(groups: &[&str]) -> Line {
        let mut line = Line::default();
        groups.iter().for_each(|group| line.push((*group).to_owned()));
        line
    }

    fn taken(line: &mut Line, workers: usize) -> Vec<String> {
        std::iter::from_fn(|| line.take(workers)).collect()
    }

    #[test]
    fn owners_take_turns_whoever_came_first() {
        let mut line = line(&["ana#1", "ana#2", "ana#3", "ben#1", "cy#1", "ben#2"]);

        assert_eq!(taken(&mut line, 100), ["ana#1", "ben#1", "cy#1", "ana#2", "ben#2", "ana#3"]);
    }

    #[test]
    fn groups_of_one_owner_come_in_their_order() {
        assert_eq!(taken(&mut line(&["ana#2", "ana#1", "ana#3"]), 100), ["ana#2", "ana#1", "ana#3"]);
    }

    #[test]
    fn two_busy_owners_leave_a_worker_to_a_third() {
        let mut line = Line::default();
        (0..100).for_each(|number| line.push(format!("ana#{number}")));
        assert_eq!(taken(&mut line, 32).len(), 16, "one owner takes half");
        (0..100).for_each(|number| line.push(format!("ben#{number}")));
        assert_eq!(taken(&mut line, 32).len(), 8, "a second one takes half of the rest");

        line.push("cy#1".to_owned());

        assert_eq!(line.take(32).as_deref(), Some("cy#1"));
    }

    #[test]
    fn an_owner_that_waits_gets_the_worker_that_is_put_back() {
        let mut line = line(&["ana#1", "ana#2", "ana#3", "ben#1"]);
        assert_eq!(taken(&mut line, 4), ["ana#1", "ben#1", "ana#2"], "the last worker is for another owner");

        line.put_back("ana#1");

        assert_eq!(line.take(4).as_deref(), Some("ana#3"));
    }
}
