//! What one seed does: the mode of the restore, and which fault hits which step, where and when.

use std::fmt;
use std::time::Duration;

use lab::Random;

use super::fault::{FAULTS, Fault, Victim};
use super::steps::{BACKUP, IN_PLACE, ONLINE, ROLLBACK, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Online,
    InPlace,
}

/// How much of what a seed could do it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A few steps of each task are hit.
    Few,
    /// Every step is hit once; any [`SEEDS_FOR_ALL`] seeds in a row have hit every kind of step with every fault.
    All,
}

/// Two modes, and each fault once for each kind of step.
pub const SEEDS_FOR_ALL: u64 = 2 * FAULTS.len() as u64;

/// When, in the course of the call by which a step is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the service has the call.
    Before,
    /// So long after the service has it, but before the task-runner has its end.
    During(Duration),
    /// The service has replied, and the task-runner does not know it yet.
    Replied,
}

/// One fault at one step.
#[derive(Debug, Clone)]
pub struct Strike {
    pub step: &'static Step,
    pub fault: Fault,
    pub moment: Moment,
    /// The node that is hit: the one that the step is on, or any if it is on none.
    pub node: usize,
    /// How long the victim stays away.
    pub away: Duration,
}

#[derive(Debug)]
pub struct Schedule {
    pub seed: u64,
    pub mode: Mode,
    pub backup: Vec<Strike>,
    pub restore: Vec<Strike>,
    /// None: the restore in place is accepted, or it is online.
    pub rollback: Option<Vec<Strike>>,
}

impl Schedule {
    pub fn of(seed: u64, nodes: usize, scope: Scope) -> Self {
        let mode = match seed % 2 {
            0 => Mode::Online,
            _ => Mode::InPlace,
        };
        let mut maker = Maker {
            random: Random::named("chaos", seed),
            turn: seed / 2,
            nodes,
            scope,
        };
        let steps = match mode {
            Mode::Online => ONLINE,
            Mode::InPlace => IN_PLACE,
        };
        let backup = maker.strikes(BACKUP, 2);
        let restore = maker.strikes(steps, 3);
        let is_rolled_back = mode == Mode::InPlace && (scope == Scope::All || maker.turn % 2 == 1);
        let rollback = is_rolled_back.then(|| maker.strikes(ROLLBACK, 1));
        Self {
            seed,
            mode,
            backup,
            restore,
            rollback,
        }
    }

    pub fn strikes(&self) -> impl Iterator<Item = &Strike> {
        let rollback = self.rollback.iter().flatten();
        self.backup.iter().chain(&self.restore).chain(rollback)
    }
}

struct Maker {
    random: Random,
    turn: u64,
    nodes: usize,
    scope: Scope,
}

impl Maker {
    /// One for each step, or for a few of them, in the order of the steps.
    fn strikes(&mut self, steps: &'static [Step], few: usize) -> Vec<Strike> {
        let mut places: Vec<usize> = (0..steps.len()).collect();
        if self.scope == Scope::Few {
            self.random.shuffle(&mut places);
            places.truncate(few);
            places.sort_unstable();
        }
        let strikes = places.into_iter().map(|at| self.strike(&steps[at], at));
        strikes.collect()
    }

    fn strike(&mut self, step: &'static Step, at: usize) -> Strike {
        let fault = FAULTS[(self.turn as usize + at) % FAULTS.len()];
        let delay = Duration::from_millis(self.random.below(400));
        let moments = moments(step.kind, fault, delay);
        Strike {
            step,
            fault,
            moment: *self.random.pick(&moments),
            node: self.random.below(self.nodes as u64) as usize,
            away: Duration::from_millis(300 + self.random.below(2_700)),
        }
    }
}

/// The moments at which there is something to hit.
fn moments(kind: &str, fault: Fault, delay: Duration) -> Vec<Moment> {
    let is_of_cassandra = matches!(
        fault,
        Fault::Kill(Victim::Cassandra) | Fault::Freeze(Victim::Cassandra)
    );
    let during = Moment::During(delay);
    match (fault, kind) {
        (Fault::DiskFull, _) => vec![Moment::Before],
        (_, "stop") if is_of_cassandra => vec![Moment::Before, during],
        (_, "start") if is_of_cassandra => vec![during, Moment::Replied],
        _ => vec![Moment::Before, during, Moment::Replied],
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fault, kind) = (self.fault, self.step.kind);
        write!(f, "{fault} at {kind} of node {} ", self.node + 1)?;
        match self.moment {
            Moment::Before => f.write_str("before the call")?,
            Moment::During(delay) => write!(f, "{delay:?} into the call")?,
            Moment::Replied => f.write_str("after the reply")?,
        }
        write!(f, ", for {:?}", self.away)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn described(seed: u64, scope: Scope) -> Vec<String> {
        let schedule = Schedule::of(seed, 3, scope);
        schedule.strikes().map(ToString::to_string).collect()
    }

    #[test]
    fn a_seed_always_does_the_same_and_another_does_something_else() {
        for scope in [Scope::Few, Scope::All] {
            assert_eq!(described(5, scope), described(5, scope));
            assert_ne!(described(5, scope), described(7, scope));
        }
    }

    #[test]
    fn enough_seeds_hit_every_kind_of_step_with_every_fault() {
        let mut hit = BTreeSet::new();
        for seed in 3..3 + SEEDS_FOR_ALL {
            let schedule = Schedule::of(seed, 3, Scope::All);
            hit.extend(schedule.strikes().map(|it| (it.step.kind, it.fault)));
        }
        for step in [BACKUP, ONLINE, IN_PLACE, ROLLBACK].into_iter().flatten() {
            for fault in FAULTS {
                assert!(
                    hit.contains(&(step.kind, fault)),
                    "{fault} at {}",
                    step.kind
                );
            }
        }
    }
}
