use std::os::unix::fs::symlink;

use api::ServiceError;
use cassandra_node::files::device;
use chassis::work::Work;

use super::*;
use crate::testing::FakeNode;

fn wanted(mode: RestoreMode) -> Stage {
    Stage {
        shares: Vec::new(),
        restore: "r1".into(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: Default::default(),
        tables: vec![TableTarget {
            source: None,
            table: TableRef::new("ks", "full"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
        mode,
    }
}

/// A node with a backup; its keyspace `ks` lies where `elsewhere` says.
async fn node(release: &str, elsewhere: Option<&Path>) -> FakeNode {
    let node = FakeNode::new(1, release);
    node.tables(&["full"]);
    let format = if release.starts_with('3') { "me" } else { "nb" };
    let sstable = format!("{format}-1-big");
    node.table("full", 1, 0).sstable(&sstable, "one");
    node.back_up("b1", None).await;
    if let Some(elsewhere) = elsewhere {
        let keyspace = node.agent.folders.data[0].path.join("ks");
        fs::remove_dir_all(&keyspace).unwrap();
        symlink(elsewhere, &keyspace).unwrap();
        node.tables(&["full"]);
        node.table("full", 1, 0).sstable(&sstable, "one");
    }
    node
}

async fn stage(node: &FakeNode, mode: RestoreMode) -> Result<u64, StageError> {
    let (work, ..) = Work::new();
    node.stage(&wanted(mode), &work).await
}

fn probes(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with(PROBE) {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn files_that_can_be_moved_are_staged_and_the_probe_is_gone() {
    for (release, mode) in [
        ("4.1.9", RestoreMode::InPlace),
        ("3.11.19", RestoreMode::InPlace),
        ("3.11.19", RestoreMode::Online),
    ] {
        let node = node(release, None).await;
        // What a killed agent left.
        fs::write(node.table("full", 1, 0).0.join(PROBE), "").unwrap();
        assert_eq!(stage(&node, mode).await.unwrap(), 1);
        assert!(probes(node.root.path()).is_empty());
    }
}

#[tokio::test]
async fn a_folder_on_another_disk_is_refused_by_name_before_anything_is_fetched() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: there is no second filesystem here");
        return;
    };
    let here = tempfile::tempdir().unwrap();
    if device(elsewhere.path()).unwrap() == device(here.path()).unwrap() {
        eprintln!("skipped: there is no second filesystem here");
        return;
    }
    for (release, mode, is_refused) in [
        ("4.1.9", RestoreMode::InPlace, true),
        ("3.11.19", RestoreMode::Online, true),
        ("4.1.9", RestoreMode::Online, false),
    ] {
        let keyspace = elsewhere.path().join(format!("{release} {mode}"));
        fs::create_dir(&keyspace).unwrap();
        let node = node(release, Some(&keyspace)).await;
        let staged = stage(&node, mode).await;
        match is_refused {
            false => assert_eq!(staged.unwrap(), 1),
            true => {
                let error = staged.unwrap_err();
                assert_eq!(error.reason(), "TABLE_ON_OTHER_DEVICE");
                assert!(error.to_string().contains("`ks.full`"), "{error}");
                let staging = node.root.path().join("ringkeep-staging/r1");
                let bytes = cassandra_node::files::tree_bytes(&staging).unwrap();
                assert_eq!(bytes, 0);
            }
        }
        assert!(probes(node.root.path()).is_empty());
        assert_eq!(node.table("full", 1, 0).contents(), ["one"]);
    }
}

#[tokio::test]
async fn data_directories_that_have_changed_since_the_agent_started_are_refused_by_name() {
    let mut node = node("4.1.9", None).await;
    let yaml = node.root.path().join("cassandra.yaml");
    node.agent.node.settings.config_file = yaml.clone();
    let known = node.agent.node.yaml.data_directories[0].clone();
    let write = |directories: &str| {
        fs::write(&yaml, format!("data_file_directories: [{directories}]")).unwrap();
    };
    write(&format!("{}, /moved", known.display()));
    let error = stage(&node, RestoreMode::Online).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_DIRECTORIES_CHANGED");
    assert!(error.to_string().contains("`/moved`"), "{error}");
    assert!(error.hint().unwrap().contains("restart the agent"));
    write(&known.display().to_string());
    assert_eq!(stage(&node, RestoreMode::Online).await.unwrap(), 1);
}
