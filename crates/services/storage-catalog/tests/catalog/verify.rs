//! Verifying.

use std::sync::Arc;

use api::pb::storage_catalog::{Damage, VerifyLevel, VerifyReport};
use blob_store::testing::{Fault, Faulty, Memory};
use bucket::envelope::{DocumentKind, seal};
use bucket::keys;

use crate::world::{World, backup, host, memory_world, node_manifest, object_key, refused, task};

/// A full backup and a differential on it, of which one object is then bent; the report on the differential.
async fn verify_bent(level: VerifyLevel, bend: impl Fn(&Memory)) -> VerifyReport {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    bend(&memory);
    let report = world.verify("d1", level).await.expect("verifies");
    assert_eq!(report.ok, report.damage.is_empty());
    report
}

#[track_caller]
fn one(report: VerifyReport) -> Damage {
    assert_eq!(report.damage.len(), 1, "{report:?}");
    report.damage.into_iter().next().expect("one")
}

#[tokio::test]
async fn a_whole_backup_verifies_at_both_levels() {
    let report = verify_bent(VerifyLevel::Manifest, |_| {}).await;
    assert!(report.ok);
    // The backup manifest, two node manifests, two files on each of two nodes.
    assert_eq!(
        (
            report.objects_checked,
            report.sstables_checked,
            report.bytes_checked
        ),
        (7, 4, 0)
    );
    let report = verify_bent(VerifyLevel::Objects, |_| {}).await;
    assert!(report.ok);
    assert_eq!(
        (
            report.objects_checked,
            report.sstables_checked,
            report.bytes_checked
        ),
        (7, 4, 40)
    );
}

#[tokio::test]
async fn a_missing_object_is_found_at_each_level_and_named_to_the_component() {
    for level in [VerifyLevel::Manifest, VerifyLevel::Objects] {
        let key = object_key(&backup("d1"), 2, "nb-3-big-Data.db");
        let (memory, world) = memory_world();
        world.full("f1", task(1)).await;
        world.differential("d1", "f1", task(2)).await;
        world.store.delete(&key).await.expect("deletes");
        let _ = memory;
        let damage = one(world.verify("d1", level).await.expect("verifies"));
        assert_eq!(damage.node, host(2).to_string());
        assert_eq!(
            (damage.keyspace.as_str(), damage.table.as_str()),
            ("shop", "orders")
        );
        assert_eq!(
            (damage.sstable.as_str(), damage.component.as_str()),
            ("nb-3-big", "Data.db")
        );
        assert_eq!(damage.object, key);
        assert!(damage.what.contains("missing"), "{}", damage.what);
    }
}

#[tokio::test]
async fn a_truncated_object_of_the_base_is_found_at_each_level() {
    for level in [VerifyLevel::Manifest, VerifyLevel::Objects] {
        let key = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
        let damage = one(verify_bent(level, |memory| memory.overwrite(&key, "first")).await);
        assert_eq!(damage.object, key);
        assert!(damage.what.contains("5 bytes where 10"), "{}", damage.what);
    }
}

#[tokio::test]
async fn a_flipped_bit_is_found_by_reading() {
    let key = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    let flip = |memory: &Memory| memory.overwrite(&key, "firsu rows");
    assert!(verify_bent(VerifyLevel::Manifest, flip).await.ok);
    let damage = one(verify_bent(VerifyLevel::Objects, flip).await);
    assert_eq!(damage.object, key);
    assert!(damage.what.contains("BLAKE3"), "{}", damage.what);
}

#[tokio::test]
async fn a_body_that_ends_early_is_damage_and_a_store_that_fails_is_not() {
    let memory = Memory::default();
    let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
    let world = World::on(faulty.clone());
    world.full("f1", task(1)).await;
    let key = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    faulty.set(Fault::Truncate(key.clone(), 4));
    let damage = one(world
        .verify("f1", VerifyLevel::Objects)
        .await
        .expect("verifies"));
    assert!(
        damage.what.contains("4 bytes could be read"),
        "{}",
        damage.what
    );
    faulty.set(Fault::Break(key, 4));
    let error = refused(
        world.verify("f1", VerifyLevel::Objects).await,
        "STORE_UNAVAILABLE",
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_damaged_missing_or_exchanged_node_manifest_is_found() {
    let key = keys::node_manifest(&backup("d1"), &host(1));
    let mut exchanged = node_manifest("d1", Some("f1"), 1, &World::differential_files("f1"));
    exchanged.tables[0].files.pop();
    let exchanged = seal(DocumentKind::NodeManifest, &exchanged)
        .expect("seals")
        .0;
    for level in [VerifyLevel::Manifest, VerifyLevel::Objects] {
        for (bytes, what) in [
            (b"garbage".to_vec(), "header"),
            (exchanged.clone(), "backup manifest says"),
        ] {
            let damage =
                one(verify_bent(level, |memory| memory.overwrite(&key, bytes.clone())).await);
            assert_eq!(
                (damage.object.as_str(), damage.node),
                (key.as_str(), host(1).to_string())
            );
            assert!(damage.what.contains(what), "{}", damage.what);
        }
    }
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    let key = keys::node_manifest(&backup("f1"), &host(1));
    world.store.delete(&key).await.expect("deletes");
    let damage = one(world
        .verify("f1", VerifyLevel::Manifest)
        .await
        .expect("verifies"));
    assert_eq!(damage.object, key);
}

#[tokio::test]
async fn a_damaged_backup_manifest_is_a_report_and_a_future_one_is_a_refusal() {
    let key = keys::backup_manifest(&backup("d1"));
    let damage = one(verify_bent(VerifyLevel::Manifest, |memory| {
        memory.overwrite(&key, "x\n")
    })
    .await);
    assert_eq!(damage.object, key);
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    memory.overwrite(&keys::backup_manifest(&backup("f1")), "{\"format\":99}\n");
    refused(
        world.verify("f1", VerifyLevel::Manifest).await,
        "MANIFEST_FROM_THE_FUTURE",
    );
}

#[tokio::test]
async fn all_damage_is_reported_not_only_the_first() {
    let report = verify_bent(VerifyLevel::Objects, |memory| {
        for node in [1, 2] {
            for (owner, file) in [("f1", "nb-1-big-Data.db"), ("d1", "nb-3-big-Data.db")] {
                memory.overwrite(&object_key(&backup(owner), node, file), "**********");
            }
        }
    })
    .await;
    assert_eq!(report.damage.len(), 4, "{report:?}");
}

#[tokio::test]
async fn what_is_not_complete_is_refused() {
    let (_, world) = memory_world();
    refused(
        world.verify("nothing", VerifyLevel::Objects).await,
        "BACKUP_NOT_FOUND",
    );
    world.begin("r1", None, task(1)).await.expect("begins");
    refused(
        world.verify("r1", VerifyLevel::Objects).await,
        "BACKUP_NOT_COMPLETE",
    );
}
