//! Strikes while a call of the step is held, and brings back what was struck.

use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::arena::Arena;
use super::fault::{Fault, Victim};
use super::gate::{Held, Place};
use super::schedule::{Moment, Strike};

/// How long a service may take for a call that is to be struck at its end.
const REPLY_WITHIN: Duration = Duration::from_secs(120);
/// How long a process may take to be there, so that it can be struck.
const THERE_WITHIN: Duration = Duration::from_secs(30);

/// What came of a strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Struck {
    Hit,
    /// There was nothing that could be hit.
    Missed(&'static str),
}

impl Strike {
    /// Strikes the step of this call; all is back when it returns.
    pub async fn hit(&self, arena: &mut Arena, held: Held) -> Result<Struck> {
        let Held {
            place,
            go,
            mut replied,
            end,
            ..
        } = held;
        let mut go = Some(go);
        let mut let_go = || go.take().map(|go| go.send(()));
        match self.moment {
            Moment::Before => {}
            Moment::During(delay) => {
                let_go();
                let _ = timeout(delay, &mut replied).await;
            }
            Moment::Replied => {
                let_go();
                let _ = timeout(REPLY_WITHIN, &mut replied).await;
            }
        }
        let struck = self.blow(arena, place).await?;
        let_go();
        let _ = end.send(());
        if struck == Struck::Hit {
            self.stay_away(&mut replied).await;
            self.bring_back(arena, place).await?;
        }
        Ok(struck)
    }

    async fn blow(&self, arena: &mut Arena, place: Place) -> Result<Struck> {
        if let Fault::Kill(Victim::Cassandra) | Fault::Freeze(Victim::Cassandra) = self.fault {
            self.until_cassandra_is_there(arena).await;
        }
        let is_hit = match self.fault {
            Fault::Kill(victim) => {
                let is_hit = arena.kill(victim, self.node).await?;
                self.reset(arena, victim);
                is_hit
            }
            Fault::Freeze(victim) => arena.signal(victim, self.node, Signal::SIGSTOP)?,
            Fault::Cut => {
                arena.wire(place).cut();
                true
            }
            Fault::DiskFull => {
                arena.fill_disk(self.node)?;
                true
            }
        };
        Ok(match is_hit {
            true => Struck::Hit,
            false => Struck::Missed("Cassandra was down"),
        })
    }

    /// A process that dies takes its connections along.
    fn reset(&self, arena: &Arena, victim: Victim) {
        let place = match victim {
            Victim::Agent => Place::Agent(self.node),
            Victim::Catalog => Place::Catalog,
            Victim::Runner | Victim::Cassandra => return,
        };
        arena.wire(place).cut();
    }

    /// In the step that starts it, it may not be there yet.
    async fn until_cassandra_is_there(&self, arena: &Arena) {
        let node = arena.world.cluster.node(self.node);
        let is_there = async {
            while !node.is_running() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if self.step.kind == "start" {
            let _ = timeout(THERE_WITHIN, is_there).await;
        }
    }

    /// A disk stays full at least until the service has noticed, if it does at all.
    async fn stay_away(&self, replied: &mut oneshot::Receiver<()>) {
        sleep(self.away).await;
        if self.fault == Fault::DiskFull {
            let _ = timeout(self.away, replied).await;
        }
    }

    async fn bring_back(&self, arena: &mut Arena, place: Place) -> Result<()> {
        match self.fault {
            Fault::Kill(victim) => {
                let is_back = arena.start_again(victim, self.node).await;
                for place in [Place::Agent(self.node), Place::Catalog] {
                    arena.wire(place).mend();
                }
                match (is_back, victim) {
                    // A step that stops Cassandra may have stopped what the supervisor has just started.
                    (Err(error), Victim::Cassandra) => say!("  not started: {error:#}"),
                    (is_back, _) => is_back?,
                }
            }
            Fault::Freeze(victim) => {
                arena.signal(victim, self.node, Signal::SIGCONT)?;
            }
            Fault::Cut => arena.wire(place).mend(),
            Fault::DiskFull => arena.free_disk(self.node)?,
        }
        Ok(())
    }
}
