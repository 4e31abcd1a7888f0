use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use api::ServiceError;
use blob_store::testing::Fault;
use futures::TryStreamExt;
use model::manifest::StoredFile;
use model::task::TransferLimits;
use tokio::time::Instant;

use super::*;
use crate::testing::FakeNode;

pub(super) fn node() -> FakeNode {
    let node = FakeNode::new(2, "4.1.9");
    node.tables(&["full", "empty"]);
    node.table("full", 1, 0).sstable("nb-1-big", "one");
    node.table("full", 1, 1).sstable("nb-2-big", "two");
    node.table("full", 1, 0)
        .index("by_name")
        .sstable("nb-1-big", "index");
    node
}

/// One that packs its small files, and one that does not.
fn both() -> [FakeNode; 2] {
    [node(), node().unpacked()]
}

pub(super) async fn take(node: &FakeNode) {
    snapshot::take(&node.agent, "ringkeep-tag", &Selection::default())
        .await
        .unwrap();
}

pub(super) async fn upload_as(node: &FakeNode, backup: &str) -> Result<Summary, UploadError> {
    let (work, ..) = Work::new();
    upload(&node.agent, &node.upload(backup, None), &work).await
}

/// Every file that a manifest names is in the bucket with the content that the manifest gives.
pub(super) async fn check_bucket(node: &FakeNode, manifest: &NodeManifest) {
    for file in manifest.files() {
        let bytes: Vec<u8> = match file.offset {
            None => node
                .agent
                .store
                .get(&file.object, 1 << 20)
                .await
                .unwrap()
                .into(),
            Some(_) => {
                let body = node.agent.bucket().open(file, None).await.unwrap();
                let pieces: Vec<_> = body.try_collect().await.unwrap();
                pieces.concat()
            }
        };
        assert_eq!(bytes.len() as u64, file.bytes, "{}", file.object);
        assert_eq!(
            blake3::hash(&bytes).to_hex().to_string(),
            file.blake3,
            "{}",
            file.object
        );
    }
}

fn of_bandwidth(bandwidth_bytes_per_second: u64) -> TransferLimits {
    TransferLimits {
        bandwidth_bytes_per_second,
        parallel_files: 0,
    }
}

fn set_limits(node: &FakeNode, limits: TransferLimits) {
    node.agent.limits.set(&node.agent.config, "tag", limits);
}

#[tokio::test(start_paused = true)]
async fn an_upload_takes_the_time_that_its_tasks_bandwidth_gives_it() {
    for node in both() {
        take(&node).await;
        set_limits(&node, of_bandwidth(1_000));
        let start = Instant::now();
        let summary = upload_as(&node, "b1").await.unwrap();
        // What may pass at once after a pause is a quarter of a second's.
        let least = Duration::from_millis(summary.uploaded_bytes - 250);
        assert!(start.elapsed() >= least, "{:?}", start.elapsed());
        // The limit is of this task alone.
        node.agent
            .limits
            .set(&node.agent.config, "tag", of_bandwidth(0));
        node.agent
            .limits
            .set(&node.agent.config, "other", of_bandwidth(1));
        let start = Instant::now();
        upload_as(&node, "b2").await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_runs_goes_by_its_new_bandwidth_at_once() {
    for node in both() {
        take(&node).await;
        set_limits(&node, of_bandwidth(1));
        let start = Instant::now();
        let lift = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            set_limits(&node, of_bandwidth(0));
        };
        let (uploaded, ()) = futures::join!(upload_as(&node, "b1"), lift);
        uploaded.unwrap();
        assert_eq!(start.elapsed().as_secs(), 5);
    }
}

fn files(manifest: &NodeManifest) -> Vec<&StoredFile> {
    manifest
        .tables
        .iter()
        .flat_map(|table| &table.files)
        .collect()
}

#[tokio::test]
async fn a_full_backup_names_every_table_and_holds_every_file() {
    let node = node().unpacked();
    let manifest = node.back_up("b1", None).await;
    let names: Vec<_> = manifest
        .tables
        .iter()
        .map(|t| (t.table.as_str(), t.files.len()))
        .collect();
    assert_eq!(names, [("empty", 0), ("full", 15)]);
    check_bucket(&node, &manifest).await;
    let index = files(&manifest)
        .into_iter()
        .find(|f| f.index.as_deref() == Some("by_name"))
        .unwrap();
    assert!(
        index.object.contains("/.by_name/nb-1-big-"),
        "{}",
        index.object
    );
    assert!(
        index
            .object
            .starts_with(&bucket::keys::data(&FakeNode::backup("b1")))
    );
}

#[tokio::test]
async fn the_summary_is_that_of_the_manifest_and_progress_ends_at_its_total() {
    for node in both() {
        take(&node).await;
        let (work, progress, _stop) = Work::new();
        let summary = upload(&node.agent, &node.upload("b1", None), &work)
            .await
            .unwrap();
        let progress = progress.borrow().clone();
        assert_eq!(
            (summary.sstables, summary.bytes),
            (2, summary.uploaded_bytes)
        );
        assert_eq!(
            (progress.bytes_done, progress.items_done),
            (summary.bytes, 15)
        );
        assert_eq!(progress.bytes_done, progress.bytes_total);
        assert_eq!(
            upload_as(&node, "b1").await.unwrap(),
            summary,
            "a second call finds it done"
        );
    }
}

#[tokio::test]
async fn an_upload_that_dies_at_any_call_goes_on_and_ends_the_same() {
    let clean = node().unpacked();
    let whole = clean.back_up("b1", None).await;
    let objects: BTreeSet<&str> = files(&whole)
        .iter()
        .map(|file| file.object.as_str())
        .collect();
    for call in 1.. {
        for fault in [Fault::DieBefore(call), Fault::DieAfter(call)] {
            let node = node().unpacked();
            take(&node).await;
            node.store.set(fault.clone());
            let died = upload_as(&node, "b1").await.is_err();
            let calls = node.store.calls();
            node.store.heal();
            upload_as(&node, "b1").await.unwrap();
            let manifest = node.manifest("b1").await;
            check_bucket(&node, &manifest).await;
            let again: BTreeSet<&str> = files(&manifest)
                .iter()
                .map(|file| file.object.as_str())
                .collect();
            assert_eq!(again, objects, "{fault:?}");
            if !died && call > calls {
                return;
            }
        }
    }
}

#[tokio::test]
async fn what_the_journal_names_is_not_read_again() {
    let node = node().unpacked();
    take(&node).await;
    // The last call is the manifest's, so every file is in the journal by then.
    node.store.set(Fault::DieBefore(17));
    assert!(upload_as(&node, "b1").await.is_err());
    assert_eq!(node.store.calls(), 17);
    node.store.set(Fault::DieBefore(100));
    upload_as(&node, "b1").await.unwrap();
    assert_eq!(node.store.calls(), 2, "look for the manifest, and write it");
}

#[tokio::test]
async fn an_object_that_is_there_already_is_adopted_only_if_it_is_the_same() {
    let node = node().unpacked();
    take(&node).await;
    let key = |name: &str| {
        let table = format!("ks/full-{}", FakeNode::table_id(1).folder_suffix());
        format!(
            "{}{}/{table}/{name}",
            bucket::keys::data(&FakeNode::backup("b1")),
            FakeNode::host_id(1)
        )
    };
    node.agent
        .store
        .put(&key("nb-1-big-Data.db"), "data of one".into())
        .await
        .unwrap();
    node.agent
        .store
        .put(&key("nb-2-big-Data.db"), "something else".into())
        .await
        .unwrap();
    upload_as(&node, "b1").await.unwrap();
    let manifest = node.manifest("b1").await;
    check_bucket(&node, &manifest).await;
    let object = |name: &str| {
        let all = files(&manifest).into_iter();
        all.filter(|f| f.index.is_none())
            .find(|f| f.name == name)
            .unwrap()
            .object
            .clone()
    };
    assert_eq!(object("nb-1-big-Data.db"), key("nb-1-big-Data.db"));
    assert_eq!(object("nb-2-big-Data.db"), key("nb-2-big-Data.db.2"));
}

#[tokio::test]
async fn a_bit_that_flipped_on_disk_is_found_and_named() {
    for node in both() {
        let path = node.table("full", 1, 1).0.join("nb-2-big-Data.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[3] ^= 1;
        fs::write(&path, bytes).unwrap();
        take(&node).await;
        let error = upload_as(&node, "b1").await.unwrap_err();
        assert_eq!(
            (error.reason(), error.kind()),
            ("SSTABLE_DAMAGED", api::ErrorKind::DataLoss)
        );
        let text = error.to_string();
        for named in [
            "nb-2-big-Data.db",
            "`ks.full`",
            &FakeNode::host_id(1).to_string(),
        ] {
            assert!(text.contains(named), "{text} should name {named}");
        }
    }
}

#[tokio::test]
async fn a_differential_backup_uploads_only_what_is_new() {
    for node in both() {
        let full = node.back_up("b1", None).await;
        node.table("full", 1, 0).sstable("nb-3-big", "three");
        let differential = node.back_up("b2", Some("b1")).await;
        check_bucket(&node, &differential).await;
        let own: BTreeSet<&str> = files(&differential)
            .into_iter()
            .filter(|file| file.from.is_none())
            .map(|file| file.name.split('-').nth(1).unwrap())
            .collect();
        assert_eq!(own, ["3"].into());
        assert_eq!(files(&differential).len(), files(&full).len() + 5);
    }
}

#[tokio::test]
async fn a_base_that_was_exchanged_or_is_anothers_is_not_built_on() {
    type Bend = fn(&mut NodeManifest);
    let bends: [Bend; 4] = [
        |manifest| manifest.tables[0].files.clear(),
        |manifest| manifest.member.host_id = FakeNode::host_id(2),
        |manifest| manifest.backup = FakeNode::backup("b0"),
        |manifest| manifest.tables[1].files[0].name = "nb-1-big-x/../y".into(),
    ];
    let key = bucket::keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1));
    for bend in bends {
        let node = node();
        let mut manifest = node.back_up("b1", None).await;
        manifest.snapshot_tag = "other".to_owned();
        bend(&mut manifest);
        node.put_manifest(&key, &manifest);
        take(&node).await;
        let (work, ..) = Work::new();
        let wanted = node.upload("b2", Some("b1"));
        let error = upload(&node.agent, &wanted, &work).await.unwrap_err();
        assert_eq!(error.reason(), "MANIFEST_DAMAGED", "{error}");
        assert!(error.to_string().contains(&key), "{error}");
    }
}

#[tokio::test]
async fn a_base_that_was_never_committed_is_not_built_on() {
    let node = node();
    take(&node).await;
    upload_as(&node, "b1").await.unwrap();
    let (work, ..) = Work::new();
    let wanted = node.upload("b2", Some("b1"));
    let error = upload(&node.agent, &wanted, &work).await.unwrap_err();
    assert_eq!(error.reason(), "OBJECT_MISSING", "{error}");
}

#[tokio::test]
async fn a_node_that_was_not_in_the_base_uploads_everything() {
    for node in both() {
        let mut manifest = node.back_up("b1", None).await;
        let key =
            |host| bucket::keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(host));
        manifest.member.host_id = FakeNode::host_id(2);
        node.put_manifest(&key(2), &manifest);
        node.commit_node("b1", FakeNode::host_id(2)).await;
        let differential = node.back_up("b2", Some("b1")).await;
        assert!(files(&differential).iter().all(|file| file.from.is_none()));
    }
}

#[tokio::test]
async fn a_component_that_was_rewritten_is_uploaded_again() {
    for node in both() {
        node.back_up("b1", None).await;
        let statistics = node.table("full", 1, 0).0.join("nb-1-big-Statistics.db");
        let rewritten = crate::testing::statistics("nb-1-big", "ONE");
        fs::write(&statistics, rewritten).unwrap();
        let differential = node.back_up("b2", Some("b1")).await;
        check_bucket(&node, &differential).await;
        let own: Vec<&str> = files(&differential)
            .into_iter()
            .filter(|file| file.from.is_none())
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(own, ["nb-1-big-Statistics.db"]);
    }
}

#[tokio::test]
async fn the_same_content_in_another_file_is_recognised_by_its_hash() {
    for node in both() {
        node.back_up("b1", None).await;
        let data = node.table("full", 1, 0).0.join("nb-1-big-Data.db");
        let content = fs::read(&data).unwrap();
        fs::remove_file(&data).unwrap();
        fs::write(&data, content).unwrap();
        let differential = node.back_up("b2", Some("b1")).await;
        assert!(files(&differential).iter().all(|file| file.from.is_some()));
    }
}

#[tokio::test]
async fn an_sstable_of_the_same_name_with_other_content_is_another() {
    for node in both() {
        node.back_up("b1", None).await;
        fs::remove_dir_all(&node.table("full", 1, 0).0).unwrap();
        node.table("full", 1, 0).sstable("nb-1-big", "new");
        let differential = node.back_up("b2", Some("b1")).await;
        check_bucket(&node, &differential).await;
        let own = files(&differential)
            .iter()
            .filter(|f| f.from.is_none() && f.name.starts_with("nb-1-"))
            .count();
        assert_eq!(
            own, 4,
            "all but the list of components, which reads the same"
        );
    }
}

#[tokio::test]
async fn a_backup_of_another_snapshot_is_not_overwritten() {
    let node = node();
    node.back_up("b1", None).await;
    take(&node).await;
    let other = Upload {
        tag: "ringkeep-tag".to_owned(),
        snapshot_taken_at: "2027-01-01T00:00:00Z".parse().unwrap(),
        ..node.upload("b1", None)
    };
    let (work, ..) = Work::new();
    let error = upload(&node.agent, &other, &work).await.unwrap_err();
    assert_eq!(error.reason(), "NODE_MANIFEST_EXISTS");
}

#[tokio::test]
async fn an_upload_without_a_snapshot_says_so() {
    let node = node();
    let error = upload_as(&node, "b1").await.unwrap_err();
    assert_eq!(error.reason(), "SNAPSHOT_INCOMPLETE");
}

#[tokio::test]
async fn work_that_is_stopped_goes_on_later() {
    for node in both() {
        take(&node).await;
        let (work, _progress, stop) = Work::new();
        stop.cancel();
        let error = upload(&node.agent, &node.upload("b1", None), &work)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), api::ErrorKind::Cancelled);
        upload_as(&node, "b1").await.unwrap();
    }
}
