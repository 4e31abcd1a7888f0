//! Disaster recovery, rehearsed: with the bucket and nothing else, a process that knows nothing lists, shows and verifies
//! what was backed up. The bucket is one that an earlier release has written.

mod common;

use std::path::Path;

use blob_store::{FolderConfig, StoreConfig};
use common::{Running, config};
use serde_json::Value;

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// The names of the backups that are complete.
async fn complete(running: &Running) -> Vec<String> {
    let (exit, out, err) = running.ringkeep(&["backup", "list", "-o", "json"]).await;
    assert_eq!(exit, 0, "{out}{err}");
    let listed: Value = serde_json::from_str(&out).expect("JSON");
    let listed = listed.as_array().expect("a list");
    let complete = listed.iter().filter(|backup| backup["state"] == "complete");
    complete
        .map(|backup| format!("{}/{}", backup["cluster"], backup["name"]).replace('"', ""))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_alone_is_enough_to_list_show_and_verify() {
    let folder = tempfile::tempdir().expect("a folder");
    let released = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../services/storage-catalog/tests/fixtures/form-1");
    let bucket = folder.path().join("bucket");
    copy_all(&released, &bucket);
    // Twice, each time with a state of its own that is new.
    for life in ["first", "second"] {
        let place = folder.path().join(life);
        let mut config = config(&place);
        config.store = Some(StoreConfig::Folder(FolderConfig {
            path: bucket.clone(),
        }));
        let running = Running::start(config).await;
        assert!(
            running.ready.contains("no agents of its own"),
            "{}",
            running.ready
        );
        assert_eq!(running.agents, Vec::<String>::new());
        let backups = complete(&running).await;
        assert_eq!(backups, ["prod/differential", "prod/full"], "{life}");
        for backup in &backups {
            let (exit, out, err) = running.ringkeep(&["backup", "show", backup]).await;
            assert_eq!(exit, 0, "{out}{err}");
            assert!(out.contains("orders"), "{out}");
            let verify = ["backup", "verify", backup, "--level", "objects"];
            let (exit, out, err) = running.ringkeep(&verify).await;
            assert_eq!(exit, 0, "{backup}: {out}{err}");
        }
        // What is left to do is to register the new cluster.
        let plan = ["restore", "plan", "prod/full", "--into", "new"];
        let (exit, _, err) = running.ringkeep(&plan).await;
        assert_eq!(exit, 5, "{err}");
        assert!(err.contains("new"), "{err}");
        running.end().await;
    }
}
