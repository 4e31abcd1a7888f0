//! Catalogs that work on one bucket at the same time, as two processes would. One thread, so that the seeds alone
//! decide who goes first, on any machine.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, VerifyLevel};
use blob_store::testing::{Fault, Faulty, Memory};

use crate::world::{World, but_tombstones, task};

const ROUNDS: u64 = 150;

/// How long one side lets the other go ahead: by no step in the first round, by all of its steps in the last.
async fn after_head_start(round: u64) {
    for _ in 0..round {
        tokio::task::yield_now().await;
    }
}

/// A catalog whose every store call may be overtaken.
fn jittery(memory: &Memory, seed: u64) -> World {
    let faulty = Faulty::new(Arc::new(memory.clone()));
    faulty.set(Fault::Jitter(seed));
    World::on(Arc::new(faulty))
}

#[tokio::test]
async fn a_pin_and_a_deletion_never_both_succeed() {
    let mut outcomes = [0; 3];
    for round in 0..ROUNDS {
        let memory = Memory::default();
        World::on(Arc::new(memory.clone()))
            .full("f1", task(1))
            .await;
        let (one, other) = (jittery(&memory, round * 2), jittery(&memory, round * 2 + 1));
        let (pinned, deleted) = tokio::join!(
            tokio::spawn(async move {
                after_head_start(round).await;
                one.pin("f1", task(2)).await
            }),
            tokio::spawn(async move { other.delete("f1").await }),
        );
        let (pinned, deleted) = (pinned.expect("runs"), deleted.expect("runs"));
        let after = World::on(Arc::new(memory.clone()));
        match (&pinned, &deleted) {
            (Ok(()), Ok(_)) => panic!("round {round}: pinned and deleted"),
            (Ok(()), Err(_)) => {
                outcomes[0] += 1;
                assert_eq!(
                    after.state("f1").await,
                    Some(BackupState::Complete),
                    "round {round}"
                );
                after.get("f1").await.expect("can be restored");
            }
            (Err(_), Ok(_)) => {
                outcomes[1] += 1;
                assert_eq!(
                    but_tombstones(&memory),
                    ["ringkeep/1/README.txt"],
                    "round {round}"
                );
            }
            (Err(_), Err(_)) => {
                outcomes[2] += 1;
                assert_eq!(
                    after.state("f1").await,
                    Some(BackupState::Complete),
                    "round {round}"
                );
            }
        }
        after.assert_complete_is_whole().await;
    }
    assert!(
        outcomes[0] > 0 && outcomes[1] > 0,
        "the race was none: {outcomes:?}"
    );
}

#[tokio::test]
async fn a_base_is_not_deleted_under_a_differential_that_begins() {
    let mut begun_count = 0;
    for round in 0..ROUNDS {
        let memory = Memory::default();
        World::on(Arc::new(memory.clone()))
            .full("f1", task(1))
            .await;
        let (one, other) = (jittery(&memory, round * 2), jittery(&memory, round * 2 + 1));
        let (begun, deleted) = tokio::join!(
            tokio::spawn(async move {
                after_head_start(round).await;
                one.begin("d1", Some("f1"), task(2)).await
            }),
            tokio::spawn(async move {
                // Beginning takes more steps than marking, so it is the one that goes ahead in the first rounds.
                after_head_start(ROUNDS - round).await;
                other.delete("f1").await
            }),
        );
        let (begun, deleted) = (begun.expect("runs"), deleted.expect("runs"));
        assert!(begun.is_err() || deleted.is_err(), "round {round}");
        let after = World::on(Arc::new(memory.clone()));
        if begun.is_ok() {
            begun_count += 1;
            let files = World::differential_files("f1");
            after.upload_all("d1", Some("f1"), &files).await;
            after
                .commit("d1", task(2))
                .await
                .expect("commits on its base");
        }
        after.assert_complete_is_whole().await;
    }
    assert!(
        begun_count > 0 && begun_count < ROUNDS,
        "the race was none: {begun_count}"
    );
}

#[tokio::test]
async fn two_tasks_that_want_one_name_do_not_both_get_it() {
    for round in 0..ROUNDS {
        let memory = Memory::default();
        let (one, other) = (jittery(&memory, round * 2), jittery(&memory, round * 2 + 1));
        let (a, b) = tokio::join!(
            tokio::spawn(async move { one.begin("b1", None, task(1)).await }),
            tokio::spawn(async move { other.begin("b1", None, task(2)).await }),
        );
        let won = [a.expect("runs").is_ok(), b.expect("runs").is_ok()];
        assert_eq!(
            won.iter().filter(|&&won| won).count(),
            1,
            "round {round}: {won:?}"
        );
    }
}

#[tokio::test]
async fn two_deletions_at_once_end_with_nothing_left() {
    for round in 0..ROUNDS {
        let memory = Memory::default();
        World::on(Arc::new(memory.clone()))
            .full("f1", task(1))
            .await;
        let (one, other) = (jittery(&memory, round * 2), jittery(&memory, round * 2 + 1));
        let (a, b) = tokio::join!(
            tokio::spawn(async move { one.delete("f1").await }),
            tokio::spawn(async move { other.delete("f1").await }),
        );
        let finished = [a.expect("runs"), b.expect("runs")];
        let after = World::on(Arc::new(memory.clone()));
        if finished.iter().all(Result::is_err) {
            after.delete("f1").await.expect("finishes");
        }
        assert_eq!(
            but_tombstones(&memory),
            ["ringkeep/1/README.txt"],
            "round {round}: {finished:?}"
        );
    }
}

#[tokio::test]
async fn a_verification_leaves_nothing_of_a_backup_that_is_deleted_meanwhile() {
    let mut verified_count = 0;
    for round in 0..ROUNDS {
        let memory = Memory::default();
        World::on(Arc::new(memory.clone()))
            .full("f1", task(1))
            .await;
        // The deletion is fast, so that in some rounds all of it falls into the middle of the verification.
        let (one, other) = (jittery(&memory, round), World::on(Arc::new(memory.clone())));
        let (verified, deleted) = tokio::join!(
            tokio::spawn(async move { one.verify("f1", VerifyLevel::Objects).await }),
            tokio::spawn(async move {
                after_head_start(round).await;
                other.delete("f1").await
            }),
        );
        verified_count += u64::from(verified.expect("runs").is_ok());
        deleted.expect("runs").expect("deletes");
        assert_eq!(
            but_tombstones(&memory),
            ["ringkeep/1/README.txt"],
            "round {round}"
        );
    }
    assert!(verified_count > 0, "the race was none");
}
