//! Results of verifications: kept beside the backup, returned with it, and gone with it.

use std::sync::Arc;

use api::pb::storage_catalog::{Verification, VerifyLevel};
use blob_store::testing::{Fault, Faulty, Memory};

use crate::list::memory_bytes;
use crate::world::{World, backup, but_tombstones, memory_world, object_key, task};

fn results(memory: &Memory) -> Vec<String> {
    let mut keys = memory.keys();
    keys.retain(|key| key.starts_with("ringkeep/1/verifications/"));
    keys
}

fn brief(results: &[Verification]) -> Vec<(VerifyLevel, u64)> {
    let brief = results.iter();
    brief
        .map(|result| (result.level(), result.damaged))
        .collect()
}

async fn verify(world: &World, level: VerifyLevel) {
    world.verify("f1", level).await.expect("verifies");
}

#[tokio::test]
async fn a_backup_comes_with_the_newest_result_of_each_level() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    assert_eq!(world.verifications("f1").await, []);
    verify(&world, VerifyLevel::Objects).await;
    verify(&world, VerifyLevel::Manifest).await;
    let found = world.verifications("f1").await;
    assert_eq!(
        brief(&found),
        [(VerifyLevel::Manifest, 0), (VerifyLevel::Objects, 0)]
    );
    let report = world.verify("f1", VerifyLevel::Objects).await;
    let report = report.expect("verifies");
    assert_eq!(found[1].objects_checked, report.objects_checked);
    assert_eq!(found[1].bytes_checked, report.bytes_checked);
    assert_eq!(found[1].sstables_checked, report.sstables_checked);
    assert!(!found[1].verified_at.is_empty());

    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    memory.overwrite(&object, "short");
    verify(&world, VerifyLevel::Objects).await;
    assert_eq!(
        brief(&world.verifications("f1").await),
        [(VerifyLevel::Manifest, 0), (VerifyLevel::Objects, 1)]
    );
    assert_eq!(results(&memory).len(), 4, "none is overwritten");
}

#[tokio::test]
async fn a_check_finds_another_size_and_writes_nothing() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let keys = memory.keys();
    assert!(world.check("f1").await.expect("checks").ok);
    assert_eq!(memory.keys(), keys);
    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    memory.overwrite(&object, "short");
    let report = world.check("f1").await.expect("checks");
    assert_eq!(report.damage.len(), 1);
    assert_eq!(report.damage[0].object, object);
    assert_eq!(world.verifications("f1").await, []);
}

#[tokio::test]
async fn a_result_is_not_that_of_a_later_backup_of_the_name() {
    let (before, world) = memory_world();
    world.full("f1", task(1)).await;
    verify(&world, VerifyLevel::Objects).await;
    let key = results(&before).pop().expect("a result");
    let result = memory_bytes(&before, &key).await;
    world.delete("f1").await.expect("deletes");
    assert_eq!(but_tombstones(&before), ["ringkeep/1/README.txt"]);

    // What a release that does not know of results has left behind when it deleted, and beside what another one began.
    let (memory, world) = memory_world();
    world.full("f1", task(2)).await;
    memory.overwrite(&key, result);
    assert_eq!(world.verifications("f1").await, []);
    verify(&world, VerifyLevel::Objects).await;
    assert_eq!(world.verifications("f1").await.len(), 1);
    world.delete("f1").await.expect("deletes");
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn a_result_that_cannot_be_read_hides_neither_the_backup_nor_older_results() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    verify(&world, VerifyLevel::Objects).await;
    verify(&world, VerifyLevel::Objects).await;
    let newest = results(&memory).pop().expect("a result");
    for bytes in ["{\"format\":99}\n", "nothing"] {
        memory.overwrite(&newest, bytes);
        assert_eq!(world.verifications("f1").await.len(), 1);
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_kept_does_not_cost_the_report() {
    let memory = Memory::default();
    let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
    let world = World::on(faulty.clone());
    world.full("f1", task(1)).await;
    faulty.set(Fault::FailOnce(u64::MAX));
    verify(&world, VerifyLevel::Objects).await;
    let calls = faulty.calls();
    // The last four calls list the results, create one, look whether the backup is still there, and list them again.
    for (call, more) in [(calls - 3, 0), (calls - 2, 0), (calls - 1, 1), (calls, 1)] {
        let before = results(&memory).len();
        faulty.set(Fault::FailOnce(call));
        let report = world.verify("f1", VerifyLevel::Objects).await;
        assert!(report.expect("a report").ok, "call {call}");
        assert_eq!(results(&memory).len() - before, more, "call {call}");
    }
}
