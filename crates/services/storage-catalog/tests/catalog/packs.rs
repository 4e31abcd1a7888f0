//! Backups whose small files are in packs.

use std::sync::Arc;

use api::pb::storage_catalog::VerifyLevel;
use blob_store::Counted;
use blob_store::testing::Memory;
use bucket::keys;
use model::manifest::NodeManifest;

use crate::sstables::{Files, TINY_CHUNKS, back_up, fixture};
use crate::world::{
    FULL_FILES, File, World, backup, file, host, memory_world, node_manifest, refused, task,
};

fn pack_key(name: &str, node: u128) -> String {
    keys::pack(&backup(name), &host(node), "p")
}

/// Has the files of the first table in one pack, in their order; returns what is in it.
fn pack(manifest: &mut NodeManifest, contents: &[&[u8]]) -> Vec<u8> {
    let node = u128::from(manifest.member.host_id == host(2)) + 1;
    let key = pack_key(manifest.backup.name.as_str(), node);
    let mut at = 0;
    for (file, content) in manifest.tables[0].files.iter_mut().zip(contents) {
        assert_eq!(file.bytes, content.len() as u64);
        (file.object, file.offset) = (key.clone(), Some(at));
        at += file.bytes;
    }
    contents.concat()
}

/// Writes what the agents of a full backup would, and returns the bytes of a node's pack. They are bent on the way.
async fn upload_packed(memory: &Memory, world: &World, bend: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let contents: Vec<&[u8]> = FULL_FILES
        .iter()
        .map(|file| file.content.as_bytes())
        .collect();
    let mut whole = Vec::new();
    for number in [1, 2] {
        let mut manifest = node_manifest("f1", None, number, FULL_FILES);
        whole = pack(&mut manifest, &contents);
        let mut bytes = whole.clone();
        bend(&mut bytes);
        memory.overwrite(&pack_key("f1", number), bytes);
        world.upload(&manifest, &[]).await;
    }
    whole
}

async fn packed_world() -> (Memory, World) {
    let (memory, world) = memory_world();
    world.begin("f1", None, task(1)).await.expect("begins");
    upload_packed(&memory, &world, |_| {}).await;
    world.commit("f1", task(1)).await.expect("commits");
    (memory, world)
}

#[tokio::test]
async fn a_commit_wants_packs_that_reach_to_the_end_of_their_last_file() {
    type Bend = fn(&mut Vec<u8>);
    let bends: [(Bend, bool); 3] = [
        (|bytes| bytes.truncate(bytes.len() - 1), false),
        (|bytes| bytes.push(0), true),
        (|_| {}, true),
    ];
    for (bend, is_whole) in bends {
        let (memory, world) = memory_world();
        world.begin("f1", None, task(1)).await.expect("begins");
        upload_packed(&memory, &world, bend).await;
        let committed = world.commit("f1", task(1)).await;
        match is_whole {
            true => drop(committed.expect("commits")),
            false => {
                let error = refused(committed, "BACKUP_INCOMPLETE");
                assert!(error.to_string().contains("at least"), "{error}");
            }
        }
    }
    let (memory, world) = memory_world();
    world.begin("f1", None, task(1)).await.expect("begins");
    upload_packed(&memory, &world, |_| {}).await;
    world
        .store
        .delete(&pack_key("f1", 2))
        .await
        .expect("deletes");
    let error = refused(world.commit("f1", task(1)).await, "BACKUP_INCOMPLETE");
    assert!(error.to_string().contains(&pack_key("f1", 2)), "{error}");
}

#[tokio::test]
async fn a_pack_is_read_once_and_each_of_its_files_is_compared() {
    let (memory, _) = packed_world().await;
    let counted = Arc::new(Counted::new(Arc::new(memory)));
    let world = World::on(counted.clone());
    let report = world.verify("f1", VerifyLevel::Objects).await;
    let report = report.expect("verifies");
    assert!(report.ok, "{:?}", report.damage);
    // The backup manifest, and of each node a manifest and a pack.
    assert_eq!(report.objects_checked, 5);
    assert_eq!(counted.counts().gets, 5);
    let bytes: usize = FULL_FILES.iter().map(|file| file.content.len()).sum();
    assert_eq!(report.bytes_checked, 2 * bytes as u64);
}

#[tokio::test]
async fn each_byte_of_a_pack_of_thousands_of_files_is_read_once() {
    const FILES: usize = 1500;
    let (memory, world) = memory_world();
    world.begin("f1", None, task(1)).await.expect("begins");
    let names: Vec<String> = (0..FILES)
        .map(|number| format!("nb-{number}-big-Data.db"))
        .collect();
    let files: Vec<File> = names.iter().map(|name| file(name, "some rows")).collect();
    for number in [1, 2] {
        let mut manifest = node_manifest("f1", None, number, &files);
        let key = pack_key("f1", number);
        for (at, file) in manifest.tables[0].files.iter_mut().enumerate() {
            // Neighbours in the manifest are far apart in the pack.
            let place = at * 7 % FILES * "some rows".len();
            (file.object, file.offset) = (key.clone(), Some(place as u64));
        }
        memory.overwrite(&key, "some rows".repeat(FILES));
        world.upload(&manifest, &[]).await;
    }
    world.commit("f1", task(1)).await.expect("commits");
    let counted = Arc::new(Counted::new(Arc::new(memory)));
    let world = World::on(counted.clone());
    let report = world.verify("f1", VerifyLevel::Manifest).await;
    assert!(report.expect("verifies").ok);
    let before = counted.counts().bytes_down;
    let report = world.verify("f1", VerifyLevel::Objects).await;
    let report = report.expect("verifies");
    assert!(report.ok, "{:?}", report.damage);
    let packs = 2 * FILES * "some rows".len();
    assert_eq!(report.bytes_checked, packs as u64);
    // The manifests are read again.
    assert_eq!(counted.counts().bytes_down - before, before + packs as u64);
}

#[tokio::test]
async fn damage_within_a_pack_is_that_of_the_file_there() {
    let (memory, world) = packed_world().await;
    let mut bytes = FULL_FILES
        .iter()
        .map(|file| file.content)
        .collect::<String>()
        .into_bytes();
    let second = FULL_FILES[0].content.len();
    bytes[second] ^= 1;
    memory.overwrite(&pack_key("f1", 1), bytes.clone());
    let manifest_level = world.verify("f1", VerifyLevel::Manifest).await;
    assert!(manifest_level.expect("verifies").ok);
    let report = world
        .verify("f1", VerifyLevel::Objects)
        .await
        .expect("verifies");
    let damage = &report.damage[..];
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert_eq!(damage[0].component, "Index.db");
    assert_eq!(damage[0].object, pack_key("f1", 1));
    assert!(damage[0].what.contains("BLAKE3"), "{damage:?}");
    // What lies in front of a cut is whole.
    bytes[second] ^= 1;
    bytes.truncate(second + 3);
    memory.overwrite(&pack_key("f1", 1), bytes);
    for level in [
        VerifyLevel::Manifest,
        VerifyLevel::Objects,
        VerifyLevel::Sstables,
    ] {
        let report = world.verify("f1", level).await.expect("verifies");
        let mut wrong: Vec<_> = report
            .damage
            .iter()
            .filter(|damage| damage.what.contains("at least"))
            .map(|damage| format!("{}-{}", damage.sstable, damage.component))
            .collect();
        wrong.dedup();
        assert_eq!(
            wrong,
            ["nb-1-big-Index.db", "nb-2-big-Data.db"],
            "{level:?}"
        );
    }
    world
        .store
        .delete(&pack_key("f1", 1))
        .await
        .expect("deletes");
    let report = world
        .verify("f1", VerifyLevel::Objects)
        .await
        .expect("verifies");
    let missing = report
        .damage
        .iter()
        .filter(|damage| damage.what.contains("missing"));
    assert_eq!(missing.count(), 3, "{:?}", report.damage);
}

/// What a real Cassandra wrote, all of it in one pack for each node.
async fn real(table: &str) -> (Memory, Arc<Counted>, World, Files) {
    let files = fixture(table);
    let memory = Memory::default();
    let counted = Arc::new(Counted::new(Arc::new(memory.clone())));
    let world = World::on(counted.clone());
    let contents: Vec<&[u8]> = files.values().map(Vec::as_slice).collect();
    back_up(&world, &files, |manifest| {
        let bytes = pack(manifest, &contents);
        let key = manifest.tables[0].files[0].object.clone();
        memory.overwrite(&key, bytes);
    })
    .await;
    (memory, counted, world, files)
}

#[tokio::test]
async fn sstables_in_a_pack_are_checked_to_their_rows_with_one_request() {
    for table in [
        TINY_CHUNKS,
        "big-nb/compression/none",
        "big-nb/indexes/by_colour",
        "big-me/layouts/wide",
        "bti-da/layouts/simple",
    ] {
        let (_, counted, world, _) = real(table).await;
        let before = counted.counts().gets;
        let report = world.verify("f1", VerifyLevel::Sstables).await;
        let report = report.expect("verifies");
        assert_eq!(report.damage, [], "{table}");
        assert_eq!(counted.counts().gets - before, 5, "{table}");
    }
}

#[tokio::test]
async fn damage_of_rows_in_a_pack_is_found() {
    let (memory, _, world, files) = real(TINY_CHUNKS).await;
    let mut bytes: Vec<u8> = files.values().flatten().copied().collect();
    let before = files
        .iter()
        .take_while(|((_, name), _)| !name.ends_with("-Data.db"));
    let start: usize = before.map(|(_, bytes)| bytes.len()).sum();
    bytes[start + 3000] ^= 1;
    memory.overwrite(&pack_key("f1", 1), bytes);
    let report = world
        .verify("f1", VerifyLevel::Sstables)
        .await
        .expect("verifies");
    let has = |what: &str| {
        report
            .damage
            .iter()
            .any(|damage| damage.what.contains(what))
    };
    assert!(has("BLAKE3") && has("chunk"), "{:?}", report.damage);
    assert!(
        report
            .damage
            .iter()
            .all(|damage| damage.component == "Data.db")
    );
}

#[tokio::test]
async fn a_differential_refers_into_packs_of_its_base_which_stays() {
    let (memory, world) = packed_world().await;
    let base_file = File {
        from: Some("f1"),
        ..FULL_FILES[2]
    };
    let files = [base_file, file("nb-3-big-Data.db", "third rows")];
    world
        .begin("d1", Some("f1"), task(2))
        .await
        .expect("begins");
    let before: u64 = FULL_FILES[..2]
        .iter()
        .map(|file| file.content.len() as u64)
        .sum();
    for number in [1, 2] {
        let mut manifest = node_manifest("d1", Some("f1"), number, &files);
        let stored = &mut manifest.tables[0].files;
        (stored[0].object, stored[0].offset) = (pack_key("f1", number), Some(before));
        (stored[1].object, stored[1].offset) = (pack_key("d1", number), Some(0));
        memory.overwrite(&pack_key("d1", number), "third rows");
        world.upload(&manifest, &[]).await;
    }
    world.commit("d1", task(2)).await.expect("commits");
    let report = world
        .verify("d1", VerifyLevel::Objects)
        .await
        .expect("verifies");
    assert!(report.ok, "{:?}", report.damage);
    refused(world.delete("f1").await, "BACKUP_IS_BASE");
    world.delete("d1").await.expect("deletes");
    let report = world
        .verify("f1", VerifyLevel::Objects)
        .await
        .expect("verifies");
    assert!(report.ok, "{:?}", report.damage);
    world.delete("f1").await.expect("deletes");
    assert!(memory.keys().iter().all(|key| !key.contains("/data/")));
}
