//! Two catalogs on one bucket, one that commits and one that deletes: each may be overtaken at each of its store calls.
//! A deletion that is refused costs no backup, and one that succeeds leaves none.

use std::sync::Arc;

use api::RemoteError;
use api::pb::storage_catalog::{BackupState, DeleteBackupRequest};
use blob_store::testing::{Gate, Memory, Stop};
use futures::future::BoxFuture;
use tokio::task::JoinHandle;

use crate::world::{FULL_FILES, World, task, wire_ref};

pub type Act = fn(Arc<World>) -> BoxFuture<'static, Result<(), RemoteError>>;

/// No call of these tests makes more store calls.
pub const CALLS_MAX: u64 = 100;

/// An act that waits before one of its store calls, unless it ends earlier.
pub struct Held {
    gate: Arc<Gate>,
    act: JoinHandle<Result<(), RemoteError>>,
    pub ended: Option<Result<(), RemoteError>>,
}

impl Held {
    pub async fn before(call: u64, memory: &Memory, act: Act) -> Self {
        let stop = Stop::BeforeCall(call);
        let gate = Arc::new(Gate::new(Arc::new(memory.clone()), stop));
        let world = Arc::new(World::on(gate.clone()));
        let mut act = tokio::spawn(act(world));
        let ended = tokio::select! {
            () = gate.reached() => None,
            result = &mut act => Some(result.expect("no panic")),
        };
        Self { gate, act, ended }
    }

    pub async fn go_on(self) -> Result<(), RemoteError> {
        if let Some(result) = self.ended {
            return result;
        }
        self.gate.open();
        self.act.await.expect("no panic")
    }
}

/// What became of a commit, a deletion and a pin that came between.
struct Outcome {
    commit: Result<(), RemoteError>,
    deletion: Result<(), RemoteError>,
    pin: Option<Result<(), RemoteError>>,
}

struct Race {
    scene: Memory,
    /// The backup that is committed.
    committed: &'static str,
    commit: Act,
    delete: Act,
}

impl Race {
    /// The one that comes first waits before its nth call for the other, which waits before its mth; then the first goes on
    /// to its end, and the other after it. Also returns which of them has not made so many calls.
    async fn run(
        &self,
        (nth, mth): (u64, u64),
        commit_first: bool,
        with_pin: bool,
    ) -> (Outcome, Memory, [bool; 2]) {
        let memory = self.scene.fork();
        let (first, second) = if commit_first {
            (self.commit, self.delete)
        } else {
            (self.delete, self.commit)
        };
        let first = Held::before(nth, &memory, first).await;
        let second = Held::before(mth, &memory, second).await;
        let ended = [first.ended.is_some(), second.ended.is_some()];
        let pin = if with_pin {
            let third = World::on(Arc::new(memory.clone()));
            Some(third.pin(self.committed, task(99)).await)
        } else {
            None
        };
        let first = first.go_on().await;
        let second = second.go_on().await;
        let (commit, deletion) = if commit_first {
            (first, second)
        } else {
            (second, first)
        };
        let outcome = Outcome {
            commit,
            deletion,
            pin,
        };
        (outcome, memory, ended)
    }

    async fn check(&self, outcome: Outcome, memory: Memory, at: &str, deletes_it: bool) {
        let Outcome {
            commit,
            deletion,
            pin,
        } = outcome;
        let after = Arc::new(World::on(Arc::new(memory.clone())));
        after.assert_complete_is_whole().await;
        if deletes_it && deletion.is_ok() {
            assert!(!matches!(pin, Some(Ok(()))), "{at}: pinned and deleted");
            assert_eq!(after.state(self.committed).await, None, "{at}");
            let again = (self.commit)(after.clone()).await;
            assert!(again.is_err(), "{at}: nothing is left to commit");
            assert_eq!(after.state(self.committed).await, None, "{at}");
            return;
        }
        if let Err(error) = &commit {
            assert!(error.is_retryable(), "{at}: {error:?}");
        }
        // As the runner does if the reply was lost, or the error may pass.
        let again = (self.commit)(after.clone()).await;
        assert!(again.is_ok(), "{at}: {commit:?}, {deletion:?}, {again:?}");
        let state = after.state(self.committed).await;
        assert_eq!(state, Some(BackupState::Complete), "{at}");
        after.assert_complete_is_whole().await;
    }

    async fn check_all(&self, deletes_it: bool) {
        let mut refused = 0;
        for (commit_first, with_pin) in [(true, false), (true, true), (false, false), (false, true)]
        {
            for nth in 1.. {
                assert!(nth < CALLS_MAX, "it never ends");
                let mut is_last = false;
                for mth in 1.. {
                    assert!(mth < CALLS_MAX, "it never ends");
                    // Half of the pairs without a pin, and the other half with one: all would take too long.
                    if (nth + mth) % 2 == u64::from(with_pin) {
                        continue;
                    }
                    let (outcome, memory, ended) =
                        self.run((nth, mth), commit_first, with_pin).await;
                    let at = format!("{nth}, {mth}, {commit_first}, {with_pin}");
                    refused += u32::from(outcome.deletion.is_err());
                    self.check(outcome, memory, &at, deletes_it).await;
                    is_last = ended[0];
                    if ended[1] {
                        break;
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        assert!(refused > 0, "the race was none");
    }
}

#[tokio::test]
async fn a_backup_is_committed_or_deleted_and_a_refused_deletion_costs_nothing() {
    let memory = Memory::default();
    let world = World::on(Arc::new(memory.clone()));
    world.begin("b", None, task(1)).await.expect("begins");
    world.upload_all("b", None, FULL_FILES).await;
    let race = Race {
        scene: memory,
        committed: "b",
        commit: |world| Box::pin(async move { world.commit("b", task(1)).await.map(drop) }),
        delete: |world| {
            Box::pin(async move {
                let request = DeleteBackupRequest {
                    backup: wire_ref("b"),
                    even_if_running: true,
                    ..DeleteBackupRequest::default()
                };
                world.delete_with(request).await.map(drop)
            })
        },
    };
    race.check_all(true).await;
}

#[tokio::test]
async fn a_deletion_of_the_base_is_refused_and_costs_no_backup_on_it() {
    let memory = Memory::default();
    let world = World::on(Arc::new(memory.clone()));
    world.full("f", task(1)).await;
    world.begin("d", Some("f"), task(2)).await.expect("begins");
    let files = World::differential_files("f");
    world.upload_all("d", Some("f"), &files).await;
    let race = Race {
        scene: memory,
        committed: "d",
        commit: |world| Box::pin(async move { world.commit("d", task(2)).await.map(drop) }),
        delete: |world| Box::pin(async move { world.delete("f").await.map(drop) }),
    };
    race.check_all(false).await;
}
