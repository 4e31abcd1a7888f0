//! The process dies at every single store call of every rpc that writes, before or after the call took effect. After
//! each death nothing half is called complete and nothing shared is lost, and doing it again ends as if nothing had
//! happened.

use std::sync::Arc;

use api::RemoteError;
use api::pb::storage_catalog::{BackupState, VerifyLevel};
use blob_store::testing::{Fault, Faulty, Memory};
use futures::future::BoxFuture;

use crate::world::{FULL_FILES, World, task};

type Act = fn(World) -> BoxFuture<'static, Result<(), RemoteError>>;

/// No rpc of these tests makes more store calls.
const CALLS_MAX: u64 = 200;

/// Two full backups, a verified differential on one, one begun differential with everything uploaded, one begun full.
async fn scene() -> Memory {
    let memory = Memory::default();
    let world = World::on(Arc::new(memory.clone()));
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    world.differential("d1", "f1", task(3)).await;
    let verified = world.verify("d1", VerifyLevel::Manifest).await;
    verified.expect("verifies");
    world
        .begin("d2", Some("f2"), task(4))
        .await
        .expect("begins");
    world
        .upload_all("d2", Some("f2"), &World::differential_files("f2"))
        .await;
    world.begin("f3", None, task(5)).await.expect("begins");
    world.upload_all("f3", None, FULL_FILES).await;
    memory
}

/// Keys, but for the results of verifications of backups that are there: every check that they are whole adds one.
fn keys(memory: &Memory) -> Vec<String> {
    let all = memory.keys();
    let is_of_backup = |key: &&String| {
        let result = key.strip_prefix("ringkeep/1/verifications/");
        let backup = result.and_then(|rest| rest.rsplitn(3, '/').nth(2));
        backup.is_some_and(|backup| all.contains(&format!("ringkeep/1/backups/{backup}.json")))
    };
    all.iter()
        .filter(|key| !is_of_backup(key))
        .cloned()
        .collect()
}

async fn states(memory: &Memory) -> Vec<(String, BackupState)> {
    let world = World::on(Arc::new(memory.clone()));
    let listed = world.list().await;
    let named = listed.into_iter().map(|summary| {
        let state = summary.state();
        (summary.backup.expect("a name").name, state)
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

/// `touched` is the backup that the act is about; every other keeps its state throughout.
async fn check(touched: &str, act: Act) {
    let scene = scene().await;
    let undisturbed = scene.fork();
    act(World::on(Arc::new(undisturbed.clone())))
        .await
        .expect("works undisturbed");
    let faults: [fn(u64) -> Fault; 4] = [
        Fault::DieBefore,
        Fault::DieAfter,
        Fault::FailOnce,
        Fault::LoseAnswer,
    ];
    for fault in faults {
        for call in 1.. {
            assert!(call < CALLS_MAX, "it never ends");
            let memory = scene.fork();
            let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
            faulty.set(fault(call));
            let acted = act(World::on(faulty.clone())).await;
            if faulty.calls() < call {
                break;
            }
            let at = format!("{touched}: {:?}: {acted:?}", fault(call));
            let after = World::on(Arc::new(memory.clone()));
            after.assert_complete_is_whole().await;
            let others = |states: Vec<(String, BackupState)>| -> Vec<(String, BackupState)> {
                states
                    .into_iter()
                    .filter(|(name, _)| name != touched)
                    .collect()
            };
            assert_eq!(
                others(states(&memory).await),
                others(states(&scene).await),
                "{at}"
            );

            match act(World::on(Arc::new(memory.clone()))).await {
                Ok(()) => {}
                // The first try had come to its end, and only its reply was lost.
                Err(error) if error.reason == "BACKUP_NOT_FOUND" => {}
                Err(error) => panic!("{at}: and then {error:?}"),
            }
            assert_eq!(keys(&memory), keys(&undisturbed), "{at}");
            assert_eq!(states(&memory).await, states(&undisturbed).await, "{at}");
            World::on(Arc::new(memory)).assert_complete_is_whole().await;
        }
    }
}

#[tokio::test]
async fn beginning_a_full_backup() {
    check("new", |world| {
        Box::pin(async move { world.begin("new", None, task(9)).await.map(drop) })
    })
    .await;
}

#[tokio::test]
async fn beginning_a_differential_backup() {
    check("new", |world| {
        Box::pin(async move { world.begin("new", Some(""), task(9)).await.map(drop) })
    })
    .await;
}

#[tokio::test]
async fn committing_a_full_backup() {
    check("f3", |world| {
        Box::pin(async move { world.commit("f3", task(5)).await.map(drop) })
    })
    .await;
}

#[tokio::test]
async fn committing_a_differential_backup() {
    check("d2", |world| {
        Box::pin(async move { world.commit("d2", task(4)).await.map(drop) })
    })
    .await;
}

#[tokio::test]
async fn giving_up_a_differential_backup() {
    check("d2", |world| {
        Box::pin(async move { world.abandon("d2", task(4)).await })
    })
    .await;
}

#[tokio::test]
async fn deleting_a_differential_backup() {
    check("d1", |world| {
        Box::pin(async move { world.delete("d1").await.map(drop) })
    })
    .await;
}

#[tokio::test]
async fn deleting_a_running_backup() {
    check("d2", |world| {
        Box::pin(async move {
            let request = api::pb::storage_catalog::DeleteBackupRequest {
                backup: crate::world::wire_ref("d2"),
                even_if_running: true,
                ..Default::default()
            };
            world.delete_with(request).await.map(drop)
        })
    })
    .await;
}

#[tokio::test]
async fn deleting_a_full_backup() {
    // f1 has a dependent that must go first; both are one act.
    check("f3", |world| {
        Box::pin(async move {
            match world.commit("f3", task(5)).await {
                // A deletion of an earlier try has begun.
                Err(error)
                    if ["BACKUP_DELETING", "DELETION_AT_WORK", "BACKUP_NOT_BEGUN"]
                        .contains(&error.reason.as_str()) => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
            world.delete("f3").await.map(drop)
        })
    })
    .await;
}

#[tokio::test]
async fn pinning_and_releasing() {
    check("f1", |world| {
        Box::pin(async move {
            world.pin("f1", task(9)).await?;
            world.unpin("f1", task(9)).await
        })
    })
    .await;
}

#[tokio::test]
async fn verifying() {
    check("d1", |world| {
        Box::pin(async move { world.verify("d1", VerifyLevel::Objects).await.map(drop) })
    })
    .await;
}
