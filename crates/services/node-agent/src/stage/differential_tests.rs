//! Differentials: what is staged is what was live when they were made, from the objects of the base and their own.

use std::collections::BTreeSet;
use std::fs;

use model::TableRef;
use model::manifest::{NodeManifest, StoredFile};
use model::plan::RestoreMode;

use super::slice_tests::source::{Source, order, run, same, share, staged};
use super::*;
use crate::testing::{FakeNode, TableFolder};

fn files_of(folder: &TableFolder, sstable: &str) -> Vec<std::path::PathBuf> {
    let prefix = format!("{sstable}-");
    let files = files::entries(&folder.0).unwrap().into_iter();
    files
        .filter(|path| files::name_of(path).starts_with(&prefix))
        .collect()
}

/// As compaction does with an SSTable whose rows are in another one now.
fn compact_away(folder: &TableFolder, sstable: &str) {
    for path in files_of(folder, sstable) {
        fs::remove_file(path).unwrap();
    }
}

/// As compaction does that writes the rows of one SSTable into a new one.
fn rewrite(folder: &TableFolder, from: &str, to: &str) {
    for path in files_of(folder, from) {
        let name = files::name_of(&path).replace(from, to);
        fs::copy(&path, folder.0.join(name)).unwrap();
    }
    compact_away(folder, from);
}

/// The SSTables that consist of the base's objects, and those that have objects of the backup itself.
fn origins(manifest: &NodeManifest) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let files = manifest.tables.iter().flat_map(|table| &table.files);
    let (base, own): (Vec<_>, Vec<_>) = files.partition(|file| file.from.is_some());
    (numbers_of(&base), numbers_of(&own))
}

fn numbers_of<'a>(files: &[&'a StoredFile]) -> BTreeSet<&'a str> {
    let files = files.iter();
    files
        .filter_map(|file| file.name.split('-').nth(1))
        .collect()
}

fn differential() -> Stage {
    Stage {
        restore: "r1".to_owned(),
        backup: FakeNode::backup("b2"),
        sources: vec![FakeNode::host_id(1)],
        manifests: BTreeMap::new(),
        tables: vec![TableTarget {
            table: TableRef::new("ks", "full"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
        shares: Vec::new(),
        mode: RestoreMode::Online,
    }
}

#[tokio::test]
async fn what_was_compacted_away_since_the_base_does_not_come_back() {
    let source = FakeNode::new(1, "4.1.9");
    source.tables(&["full"]);
    let folder = source.table("full", 1, 0);
    folder.sstable("nb-1-big", "deleted");
    folder.sstable("nb-2-big", "kept");
    source.back_up("b1", None).await;
    compact_away(&folder, "nb-1-big");
    folder.sstable("nb-3-big", "new");
    let manifest = source.back_up("b2", Some("b1")).await;
    assert_eq!(origins(&manifest), (["2"].into(), ["3"].into()));

    let target = FakeNode::beside(&source, "4.1.9");
    target.tables(&["full"]);
    assert_eq!(run(&target, &differential()).await.unwrap(), 2);
    let data = &target.agent.folders.data[0];
    let staging = target.agent.folders.staging_of(data, "r1").unwrap();
    let table = format!("ks/full-{}", FakeNode::table_id(1).folder_suffix());
    assert_eq!(TableFolder(staging.join(table)).contents(), ["kept", "new"]);
}

#[tokio::test]
async fn a_component_that_was_rewritten_is_staged_with_the_rest_of_the_base() {
    let source = FakeNode::new(1, "4.1.9");
    source.tables(&["full"]);
    let folder = source.table("full", 1, 0);
    folder.sstable("nb-1-big", "one");
    source.back_up("b1", None).await;
    // As Cassandra does when it marks an SSTable as repaired.
    let rewritten = crate::testing::statistics("nb-1-big", "ONE");
    fs::write(folder.0.join("nb-1-big-Statistics.db"), &rewritten).unwrap();
    source.back_up("b2", Some("b1")).await;

    let target = FakeNode::beside(&source, "4.1.9");
    target.tables(&["full"]);
    assert_eq!(run(&target, &differential()).await.unwrap(), 1);
    let data = &target.agent.folders.data[0];
    let staging = target.agent.folders.staging_of(data, "r1").unwrap();
    let table = format!("ks/full-{}", FakeNode::table_id(1).folder_suffix());
    let staged = staging.join(table);
    assert_eq!(TableFolder(staged.clone()).contents(), ["one"]);
    assert_eq!(
        fs::read(staged.join("nb-1-big-Statistics.db")).unwrap(),
        rewritten
    );
}

#[tokio::test]
async fn a_differential_is_sliced_from_objects_of_the_base_and_its_own() {
    for (table, versions) in [
        ("big-nb/layouts/simple", ["nb-1-big", "nb-9-big"]),
        ("bti-da/layouts/simple", ["da-1-bti", "da-9-bti"]),
    ] {
        let source = Source::of(table).await;
        let [from, to] = versions;
        rewrite(&source.node.table("real", 1, 0), from, to);
        let manifest = source.node.back_up("b2", Some("b1")).await;
        assert_eq!(origins(&manifest), (["2"].into(), ["9"].into()), "{table}");

        let middle = source.middle();
        let mut all = Vec::new();
        for range in [(i64::MIN, middle), (middle, i64::MIN)] {
            let target = source.target();
            let stage = Stage {
                backup: FakeNode::backup("b2"),
                ..order(vec![share(1, &[range])])
            };
            run(&target, &stage).await.unwrap();
            let found = staged(&target);
            assert!(!found.is_empty(), "{table}");
            all.extend(found);
        }
        all.sort();
        let mut whole = source.partitions.clone();
        whole.sort();
        same(&all, &whole, table);
    }
}
