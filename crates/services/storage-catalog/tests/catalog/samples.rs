//! Verifications of one part at a time.

use std::sync::Arc;

use api::pb::storage_catalog::{Verification, VerifyLevel, VerifyReport};
use blob_store::testing::{Fault, Faulty, Gate, Memory, Stop};

use crate::list::memory_bytes;
use crate::world::{World, backup, but_tombstones, memory_world, object_key, refused, task};

const PARTS: u32 = 3;

async fn sample(world: &World) -> VerifyReport {
    let report = world.verify_sample("f1", VerifyLevel::Objects, PARTS).await;
    report.expect("verifies")
}

fn part(report: &VerifyReport) -> (u32, u32, Option<u32>) {
    let sample = report.sample.as_ref().expect("a sample");
    assert_eq!(sample.parts_read.is_some(), sample.parts_clean.is_some());
    (sample.part, sample.parts, sample.parts_clean)
}

async fn whole(world: &World) -> Verification {
    let mut found = world.verifications("f1").await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn results(memory: &Memory) -> Vec<String> {
    let mut keys = memory.keys();
    keys.retain(|key| key.starts_with("ringkeep/1/verifications/"));
    keys
}

fn samples(memory: &Memory) -> Vec<String> {
    let mut keys = memory.keys();
    keys.retain(|key| key.starts_with("ringkeep/1/samples/"));
    keys
}

#[tokio::test]
async fn the_parts_have_every_sstable_once_and_together_they_are_the_whole() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let all = world.verify("f1", VerifyLevel::Objects).await;
    let all = all.expect("verifies");
    for key in results(&memory) {
        world.store.delete(&key).await.expect("deletes");
    }
    let mut sums = (0, 0);
    for expected in 1..=PARTS {
        assert_eq!(world.verifications("f1").await, [], "not all was read");
        let report = sample(&world).await;
        assert!(report.ok);
        assert_eq!(part(&report), (expected, PARTS, Some(expected)));
        assert!(report.bytes_checked < all.bytes_checked);
        assert_eq!(
            report.objects_checked, all.objects_checked,
            "all are listed"
        );
        sums.0 += report.bytes_checked;
        sums.1 += report.sstables_checked;
    }
    assert_eq!(sums, (all.bytes_checked, all.sstables_checked));
    let first = whole(&world).await;
    assert_eq!(first.sample, None);
    assert_eq!(
        (first.damaged, first.bytes_checked, first.sstables_checked),
        (0, sums.0, sums.1)
    );

    let listed = world.list().await;
    assert_eq!(listed[0].read_clean_at, first.verified_at);

    // The next round is a verification of the whole at its end.
    for expected in 1..=PARTS {
        assert_eq!(whole(&world).await, first);
        assert_eq!(part(&sample(&world).await), (expected, PARTS, Some(PARTS)));
    }
    let second = whole(&world).await;
    assert!(second.verified_at > first.verified_at);
    assert_eq!(samples(&memory).len(), 6, "none is overwritten");
    assert_eq!(results(&memory).len(), 2, "one for each round");
}

#[tokio::test]
async fn damage_in_a_part_is_that_of_the_backup_until_all_was_read_again() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    let bytes = memory_bytes(&memory, &object).await;
    memory.overwrite(&object, "first ROWS");
    let mut reports = Vec::new();
    for _ in 0..PARTS {
        reports.push(sample(&world).await);
    }
    let damaged: Vec<&VerifyReport> = reports.iter().filter(|report| !report.ok).collect();
    assert_eq!(damaged.len(), 1, "each SSTable is in one part");
    assert_eq!(damaged[0].damage[0].object, object);
    assert_eq!(part(&reports[2]).2, Some(PARTS - 1));
    let found = whole(&world).await;
    assert_eq!(found.damaged, 1);
    let of = found.sample.expect("the part");
    assert_eq!((of.part, of.parts), (part(damaged[0]).0, PARTS));
    assert_eq!(world.list().await[0].damage_found, 1);

    // Mended. That the other parts were clean before does not count: the damage may be in any of them by now.
    memory.overwrite(&object, bytes);
    let mut rounds = 0;
    while whole(&world).await.damaged > 0 {
        assert!(sample(&world).await.ok);
        rounds += 1;
    }
    assert_eq!(
        rounds, PARTS,
        "the round that began after the damage was found"
    );
    assert_eq!(world.list().await[0].damage_found, 0);
}

#[tokio::test]
async fn a_later_verification_of_the_whole_stays_the_newest() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    for _ in 1..PARTS {
        sample(&world).await;
    }
    let verified = world.verify("f1", VerifyLevel::Objects).await;
    verified.expect("verifies");
    let newest = whole(&world).await;
    assert_eq!(part(&sample(&world).await).2, Some(PARTS));
    assert_eq!(whole(&world).await, newest);
}

/// An object that is damaged, and the part that it is in.
async fn damage_found_by_a_sample() -> (Memory, World, String, u32) {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    let sound = memory_bytes(&memory, &object).await;
    memory.overwrite(&object, "first ROWS");
    let mut damaged = 0;
    for _ in 0..PARTS {
        let report = sample(&world).await;
        if !report.ok {
            damaged = part(&report).0;
        }
    }
    memory.overwrite(&object, sound);
    (memory, world, object, damaged)
}

#[tokio::test]
async fn damage_that_was_found_after_a_part_was_read_is_not_refuted_by_it() {
    // The part of the object first, then the object is damaged, and a verification of the whole finds that.
    let (memory, world, object, at) = damage_found_by_a_sample().await;
    assert!(at >= 1);
    let sound = memory_bytes(&memory, &object).await;
    for _ in 0..at {
        assert!(sample(&world).await.ok);
    }
    memory.overwrite(&object, "first ROWS");
    let found = world.verify("f1", VerifyLevel::Objects).await;
    assert!(!found.expect("verifies").ok);
    memory.overwrite(&object, sound);
    for _ in at..PARTS {
        assert!(sample(&world).await.ok);
    }
    assert_eq!(world.list().await[0].damage_found, 1);
    for _ in 0..PARTS {
        sample(&world).await;
    }
    assert_eq!(world.list().await[0].damage_found, 0);
}

#[tokio::test]
async fn damage_is_not_hidden_by_a_verification_that_had_begun_before() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    let sound = memory_bytes(&memory, &object).await;
    let counted = Arc::new(Faulty::new(Arc::new(memory.clone())));
    counted.set(Fault::FailOnce(u64::MAX));
    let other = World::on(counted.clone());
    let verified = other.verify("f1", VerifyLevel::Objects).await;
    assert!(verified.expect("verifies").ok);
    // From the call that looks whether damage was found meanwhile to the last one, all is read.
    for call in counted.calls() - 3..=counted.calls() {
        let gate = Arc::new(Gate::new(Arc::new(memory.clone()), Stop::BeforeCall(call)));
        let late = World::on(gate.clone());
        let find = async {
            gate.reached().await;
            memory.overwrite(&object, "first ROWS");
            let found = world.verify("f1", VerifyLevel::Objects).await;
            assert!(!found.expect("verifies").ok);
            memory.overwrite(&object, sound.clone());
            gate.open();
        };
        let (late, ()) = tokio::join!(late.verify("f1", VerifyLevel::Objects), find);
        assert!(late.expect("verifies").ok);
        assert_eq!(world.list().await[0].damage_found, 1, "call {call}");
        let again = world.verify("f1", VerifyLevel::Objects).await;
        assert!(again.expect("verifies").ok);
        assert_eq!(world.list().await[0].damage_found, 0, "call {call}");
    }
}

#[tokio::test]
async fn damage_that_two_find_at_once_is_kept_once_by_each() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    memory.overwrite(&object, "first ROWS");
    let counted = Arc::new(Faulty::new(Arc::new(memory.clone())));
    counted.set(Fault::FailOnce(u64::MAX));
    let other = World::on(counted.clone());
    let found = other.verify("f1", VerifyLevel::Objects).await;
    assert!(!found.expect("verifies").ok);
    for call in counted.calls() - 3..=counted.calls() {
        let before = results(&memory).len();
        let gate = Arc::new(Gate::new(Arc::new(memory.clone()), Stop::BeforeCall(call)));
        let late = World::on(gate.clone());
        let find = async {
            gate.reached().await;
            let found = world.verify("f1", VerifyLevel::Objects).await;
            assert!(!found.expect("verifies").ok);
            gate.open();
        };
        let (late, ()) = tokio::join!(late.verify("f1", VerifyLevel::Objects), find);
        assert!(!late.expect("verifies").ok);
        assert_eq!(results(&memory).len(), before + 2, "call {call}");
        assert_eq!(world.list().await[0].damage_found, 1, "call {call}");
    }
}

#[tokio::test]
async fn damage_is_kept_for_the_whole_before_it_is_kept_for_the_part() {
    let memory = Memory::default();
    let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
    let world = World::on(faulty.clone());
    world.full("f1", task(1)).await;
    let object = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    memory.overwrite(&object, "first ROWS");
    faulty.set(Fault::FailOnce(u64::MAX));
    while sample(&world).await.ok {}
    for call in 1..=faulty.calls() {
        for fault in [Fault::FailOnce(call), Fault::LoseAnswer(call)] {
            faulty.set(fault);
            let report = world.verify_sample("f1", VerifyLevel::Objects, PARTS);
            // The call may be one without which there is no report.
            let _ = report.await;
            faulty.heal();
            let mut of_parts = 0;
            for key in samples(&memory) {
                let bytes = memory_bytes(&memory, &key).await;
                let is_clean = String::from_utf8_lossy(&bytes).contains("\"damaged\":0");
                of_parts += usize::from(!is_clean);
            }
            assert!(results(&memory).len() >= of_parts, "call {call}");
            assert_eq!(world.list().await[0].damage_found, 1, "call {call}");
        }
    }
}

#[tokio::test]
async fn a_task_that_is_tried_again_reads_its_part_again() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    let of_task = async |number| {
        let id = task(number).to_string();
        let report = world
            .verify_for("f1", VerifyLevel::Objects, PARTS, &id)
            .await;
        part(&report.expect("verifies")).0
    };
    assert_eq!(of_task(7).await, 1);
    assert_eq!(of_task(8).await, 2);
    assert_eq!(of_task(7).await, 1);
    assert_eq!(of_task(9).await, 3);
    let wrong = world
        .verify_for("f1", VerifyLevel::Objects, PARTS, "x")
        .await;
    refused(wrong, "INVALID_FIELD");
}

#[tokio::test]
async fn a_document_counts_for_the_part_that_it_names() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    sample(&world).await;
    let key = samples(&memory).remove(0);
    let bytes = memory_bytes(&memory, &key).await;
    memory.overwrite(&key.replace("/0001-", "/0002-"), bytes);
    assert_eq!(part(&sample(&world).await), (3, PARTS, Some(2)));
    assert_eq!(world.verifications("f1").await, []);
}

#[tokio::test]
async fn levels_and_numbers_of_parts_are_counted_apart() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    let next = async |level, parts| {
        let report = world.verify_sample("f1", level, parts).await;
        part(&report.expect("verifies"))
    };
    assert_eq!(next(VerifyLevel::Objects, 2).await, (1, 2, Some(1)));
    assert_eq!(next(VerifyLevel::Objects, 1000).await, (1, 1000, Some(1)));
    assert_eq!(next(VerifyLevel::Sstables, 2).await.0, 1);
    assert_eq!(next(VerifyLevel::Objects, 2).await, (2, 2, Some(2)));
}

#[tokio::test]
async fn parts_of_another_backup_of_the_name_do_not_count_and_go_with_the_backup() {
    let (before, world) = memory_world();
    world.full("f1", task(1)).await;
    for _ in 0..PARTS {
        sample(&world).await;
    }
    let kept = samples(&before);
    let (memory, other) = memory_world();
    other.full("f1", task(2)).await;
    for key in kept {
        memory.overwrite(&key, memory_bytes(&before, &key).await);
    }
    assert_eq!(part(&sample(&other).await), (1, PARTS, Some(1)));
    assert_eq!(other.verifications("f1").await, []);
    for (world, memory) in [(world, before), (other, memory)] {
        world.delete("f1").await.expect("deletes");
        assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
    }
}

#[tokio::test]
async fn a_part_whose_result_is_not_kept_is_read_again() {
    let memory = Memory::default();
    let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
    let world = World::on(faulty.clone());
    world.full("f1", task(1)).await;
    faulty.set(Fault::FailOnce(u64::MAX));
    sample(&world).await;
    let calls = faulty.calls();
    let mut not_kept = 0;
    // The last calls list the results, create one, look whether the backup is still there, and read how far the parts are.
    for call in calls - 4..=calls {
        let before = samples(&memory).len();
        faulty.set(Fault::FailOnce(call));
        let failed = sample(&world).await;
        assert!(failed.ok, "call {call}");
        let is_kept = samples(&memory).len() > before;
        faulty.set(Fault::FailOnce(u64::MAX));
        let (read, _, clean) = part(&failed);
        let next = if is_kept { read % PARTS + 1 } else { read };
        assert_eq!(part(&sample(&world).await).0, next, "call {call}");
        assert!(is_kept || clean.is_none(), "call {call}");
        not_kept += u32::from(!is_kept);
    }
    assert!(not_kept > 0);
}

#[tokio::test]
async fn a_sample_that_makes_no_sense_is_refused() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let keys = memory.keys();
    for (level, parts) in [
        (VerifyLevel::Objects, 1),
        (VerifyLevel::Objects, 1001),
        (VerifyLevel::Manifest, 10),
    ] {
        let report = world.verify_sample("f1", level, parts).await;
        let error = refused(report, "INVALID_FIELD");
        assert!(error.to_string().contains("sample_parts"), "{error}");
    }
    assert_eq!(memory.keys(), keys);
}

#[tokio::test]
async fn a_result_that_names_a_part_that_is_none_is_not_used() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    sample(&world).await;
    let key = samples(&memory).remove(0);
    let bytes = memory_bytes(&memory, &key).await;
    for name in ["0009-00000007-x.json", "x", "0000-00000007-x.json"] {
        let (folder, _) = key.rsplit_once('/').expect("a folder");
        memory.overwrite(&format!("{folder}/{name}"), bytes.clone());
    }
    assert_eq!(part(&sample(&world).await), (2, PARTS, Some(2)));
}
