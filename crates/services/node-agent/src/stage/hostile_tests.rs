//! What is staged from a bucket that somebody else has written to: nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use api::ServiceError;
use model::TableRef;
use model::manifest::NodeManifest;

use model::plan::RestoreMode;

use super::*;
use crate::testing::FakeNode;

async fn nodes() -> (FakeNode, FakeNode) {
    let source = FakeNode::new(1, "4.1.9");
    source.tables(&["full"]);
    source.table("full", 1, 0).sstable("nb-1-big", "one");
    source.back_up("b1", None).await;
    let target = FakeNode::beside(&source, "4.1.9");
    target.tables(&["full"]);
    (source, target)
}

fn wanted() -> Stage {
    Stage {
        restore: "r1".to_owned(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: BTreeMap::new(),
        tables: vec![TableTarget {
            source: None,
            table: TableRef::new("ks", "full"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
        shares: Vec::new(),
        mode: RestoreMode::Online,
    }
}

async fn run(node: &FakeNode, wanted: &Stage) -> Result<u64, StageError> {
    let (work, ..) = Work::new();
    node.stage(wanted, &work).await
}

fn key() -> String {
    bucket::keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1))
}

/// Every file below a folder, the agent's own state aside.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("state") => {}
                true => folders.push(path),
                false => found.push(path.display().to_string()),
            }
        }
    }
    found
}

/// Stages from the manifest after a change, of which the request has the hash.
async fn refused(change: impl FnOnce(&mut NodeManifest)) -> StageError {
    let (source, target) = nodes().await;
    let mut manifest = source.manifest("b1").await;
    change(&mut manifest);
    source.put_manifest(&key(), &manifest);
    let before = files(target.root.path());
    let error = run(&target, &wanted()).await.unwrap_err();
    assert_eq!(files(target.root.path()), before, "{error}");
    error
}

#[tokio::test]
async fn a_name_that_leaves_its_folder_stages_nothing_anywhere() {
    type Bend = fn(&mut NodeManifest);
    let bends: [Bend; 6] = [
        |manifest| {
            let file = &mut manifest.tables[0].files[0];
            file.name = "nb-1-big-x/../../../../../../outside".into();
        },
        |manifest| manifest.tables[0].files[0].name = "../../outside".into(),
        |manifest| manifest.tables[0].files[0].name = "nb-1-big-..".into(),
        |manifest| manifest.tables[0].files[0].index = Some("../..".into()),
        |manifest| manifest.tables[0].files[0].object = "ringkeep/1/README.txt".into(),
        |manifest| {
            let again = manifest.tables[0].files[0].clone();
            manifest.tables[0].files.push(again);
        },
    ];
    for bend in bends {
        let error = refused(bend).await;
        assert_eq!(error.reason(), "MANIFEST_DAMAGED", "{error}");
        assert_eq!(error.kind(), api::ErrorKind::DataLoss);
        assert!(error.to_string().contains(&key()), "{error}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn a_manifest_of_another_node_or_backup_is_not_staged_from() {
    type Bend = fn(&mut NodeManifest);
    let bends: [Bend; 2] = [
        |manifest| manifest.member.host_id = FakeNode::host_id(2),
        |manifest| manifest.backup = FakeNode::backup("b2"),
    ];
    for bend in bends {
        let error = refused(bend).await;
        assert_eq!(error.reason(), "MANIFEST_DAMAGED", "{error}");
        assert!(error.to_string().contains(&key()), "{error}");
    }
}

#[tokio::test]
async fn a_manifest_of_a_newer_form_is_not_called_damaged() {
    let (source, target) = nodes().await;
    let mut wanted = wanted();
    wanted.manifests = [(FakeNode::host_id(1), "0".repeat(64))].into();
    let object = source.bucket_root.join(key());
    fs::remove_file(&object).unwrap();
    fs::write(&object, "{\"format\":99}\n").unwrap();
    let error = run(&target, &wanted).await.unwrap_err();
    assert_eq!(error.reason(), "MANIFEST_FROM_THE_FUTURE", "{error}");
    assert_eq!(error.kind(), api::ErrorKind::FailedPrecondition);
    assert!(error.hint().unwrap().contains("newer Ringkeep"));
}

#[tokio::test]
async fn a_manifest_that_was_exchanged_after_the_plan_is_not_staged_from() {
    let (source, target) = nodes().await;
    let backup = FakeNode::backup("b1");
    let read = source.read(&backup, FakeNode::host_id(1)).await;
    let planned = read.unwrap().unwrap().blake3;
    let mut wanted = wanted();
    wanted.manifests = [(FakeNode::host_id(1), planned)].into();
    let committed = source.manifest("b1").await;
    let mut other = committed.clone();
    other.tables[0].files.clear();
    source.put_manifest(&key(), &other);
    let error = run(&target, &wanted).await.unwrap_err();
    assert_eq!(error.reason(), "MANIFEST_DAMAGED", "{error}");
    source.put_manifest(&key(), &committed);
    assert_eq!(run(&target, &wanted).await.unwrap(), 1);
}

#[tokio::test]
async fn a_source_without_a_hash_is_refused() {
    let (_source, target) = nodes().await;
    let (work, ..) = Work::new();
    let mut wanted = wanted();
    for hash in [None, Some("")] {
        wanted.manifests = hash
            .map(|hash| (FakeNode::host_id(1), hash.to_owned()))
            .into_iter()
            .collect();
        let error = stage(&target.agent, &wanted, &work).await.unwrap_err();
        assert_eq!(error.reason(), "NO_MANIFEST_HASH");
        assert_eq!(error.field(), Some("manifests"));
        assert!(error.hint().unwrap().contains("plan"), "{error}");
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_staging_folder_is_not_followed() {
    let (_source, target) = nodes().await;
    let outside = target.root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let data = &target.agent.folders.data[0];
    let staging = target.agent.folders.staging_of(data, "r1").unwrap();
    fs::create_dir_all(&staging).unwrap();
    std::os::unix::fs::symlink(&outside, staging.join("ks")).unwrap();
    let error = run(&target, &wanted()).await.unwrap_err();
    assert_eq!(error.reason(), "FILE_FAILED", "{error}");
    assert!(error.to_string().contains("/ks`"), "{error}");
    assert_eq!(files(&outside), [] as [String; 0]);
    fs::remove_file(staging.join("ks")).unwrap();
    assert_eq!(run(&target, &wanted()).await.unwrap(), 1);
}
