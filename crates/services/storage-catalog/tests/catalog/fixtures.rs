//! Buckets of every form that was ever released. They stay as they are for ever; every release reads them.
//!
//! `RINGKEEP_MAKE_FIXTURE=1` makes the folder of the current form if there is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, VerifyLevel};
use blob_store::Folder;
use bucket::envelope::{DocumentKind, FORMAT, seal};
use bucket::{PackedFile, keys, pack_name};
use model::manifest::{Marker, NodeManifest, SourceFile, StoredFile, TableFiles};
use model::{HostId, TableId};
use uuid::Uuid;

use crate::world::{
    FULL_FILES, File, World, backup, file, node_manifest, object_key, refused, task,
};

fn folder(form: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/form-{form}"))
}

/// A copy to work on, so that no test can change a fixture.
fn copy(form: u32) -> (tempfile::TempDir, World) {
    let dir = tempfile::tempdir().expect("folder");
    copy_all(&folder(form), dir.path());
    let store = Arc::new(Folder::open(dir.path()).expect("opens"));
    (dir, World::on(store))
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("fixture") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("type").is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copies")),
        }
    }
}

#[tokio::test]
async fn every_form_has_a_fixture() {
    let current = folder(FORMAT);
    if std::env::var_os("RINGKEEP_MAKE_FIXTURE").is_some() && !current.exists() {
        make(&current).await;
    }
    for form in 1..=FORMAT {
        assert!(
            folder(form).join("ringkeep").is_dir(),
            "form {form} has no fixture: a release that writes a new form keeps one of it, see this file's head"
        );
    }
}

#[tokio::test]
async fn every_form_is_listed() {
    for form in 1..=FORMAT {
        let (_dir, world) = copy(form);
        let listed = world.list().await;
        let states: Vec<(String, BackupState)> = listed
            .into_iter()
            .map(|summary| {
                (
                    summary.backup.clone().expect("a name").name,
                    summary.state(),
                )
            })
            .collect();
        let expected = [
            ("deleting", BackupState::Deleting),
            ("running", BackupState::Running),
            ("failed", BackupState::Failed),
            ("differential", BackupState::Complete),
            ("full", BackupState::Complete),
        ];
        assert_eq!(
            states,
            expected.map(|(name, state)| (name.to_owned(), state)),
            "form {form}"
        );
    }
}

#[tokio::test]
async fn every_form_is_shown() {
    for form in 1..=FORMAT {
        let (_dir, world) = copy(form);
        let shown = world.get("differential").await.expect("shows");
        let summary = shown.summary.expect("a summary");
        assert_eq!(summary.base, "full");
        assert_eq!((summary.nodes, summary.sstables), (2, 6), "form {form}");
        assert_eq!(summary.started_at, "2026-01-01T00:00:02.000Z");
        assert_eq!(summary.release.expect("a release").version, "4.1.9");
        let tables: Vec<String> = shown
            .tables
            .iter()
            .map(|table| table.table.clone().expect("a name").table)
            .collect();
        assert_eq!(tables, ["orders", "orders_by_day"]);
        assert_eq!(shown.tables[1].view_of, "orders");
        assert_eq!(shown.schema.expect("a schema").entries.len(), 1);
        assert_eq!(shown.ring.len(), 2);
    }
}

#[tokio::test]
async fn every_form_verifies_to_the_last_byte() {
    for form in 1..=FORMAT {
        let (_dir, world) = copy(form);
        for name in ["full", "differential"] {
            let report = world
                .verify(name, VerifyLevel::Objects)
                .await
                .expect("verifies");
            assert!(
                report.ok && report.bytes_checked > 0,
                "form {form}: {:?}",
                report.damage
            );
        }
    }
}

#[tokio::test]
async fn every_form_is_kept_and_deleted_by_the_rules() {
    for form in 1..=FORMAT {
        let (_dir, world) = copy(form);
        refused(world.delete("full").await, "BACKUP_PINNED");
        refused(world.delete("running").await, "BACKUP_RUNNING");
        world.delete("deleting").await.expect("finishes");
        world.delete("failed").await.expect("deletes");
        world.unpin("full", task(7)).await.expect("releases");
        refused(world.delete("full").await, "BACKUP_IS_BASE");
        world.delete("differential").await.expect("deletes");
        world.delete("full").await.expect("deletes");
        assert_eq!(world.list().await.len(), 1, "form {form}");
    }
}

/// Writes a bucket of the current form with one of everything.
async fn make(target: &Path) {
    let dir = tempfile::tempdir().expect("folder");
    let world = World::on(Arc::new(Folder::open(dir.path()).expect("opens")));
    make_backup(&world, "full", None, FULL_FILES, 1).await;
    let files = [
        File {
            from: Some("full"),
            ..FULL_FILES[0]
        },
        file("nb-3-big-Data.db", "third rows"),
    ];
    make_backup(&world, "differential", Some("full"), &files, 2).await;
    world.begin("failed", None, task(3)).await.expect("begins");
    world.abandon("failed", task(3)).await.expect("gives up");
    world.begin("running", None, task(4)).await.expect("begins");
    make_backup(&world, "deleting", None, FULL_FILES, 5).await;
    let marker = Marker {
        backup: backup("deleting"),
        at: "2026-01-01T00:00:09Z".parse().expect("time"),
        task_id: None,
        reason: None,
        until: None,
    };
    let mark = keys::deletion_mark(&backup("deleting"), 1, &Uuid::from_u128(0x55));
    let sealed = seal(DocumentKind::Deletion, &marker).expect("seals").0;
    world.store.put(&mark, sealed.into()).await.expect("put");
    world.pin("full", task(7)).await.expect("pins");
    copy_all(&dir.path().join("ringkeep"), &target.join("ringkeep"));
}

/// Rows of the secondary index.
const INDEX: &str = "rows of the index";

/// The key and the bytes of a pack of these files, each with its index, its name and its content.
fn pack_of(
    name: &str,
    (node, table): (HostId, TableId),
    files: &[(Option<&str>, &str, &str)],
) -> (String, String) {
    let contents: String = files.iter().map(|(.., content)| *content).collect();
    let hashes = files
        .iter()
        .map(|(.., content)| blake3::hash(content.as_bytes()).to_hex().to_string());
    let hashes: Vec<String> = hashes.collect();
    let files = files.iter().zip(&hashes);
    let pack = pack_name(files.map(|((index, name, content), hash)| PackedFile {
        table,
        index: *index,
        name,
        bytes: content.len() as u64,
        blake3: hash,
    }));
    (keys::pack(&backup(name), &node, &pack), contents)
}

/// Puts the own files of the first table into one pack and stores it, and the manifest. The first file of the base is the
/// first of its pack.
async fn pack(world: &World, manifest: &mut NodeManifest, contents: &[&str]) {
    let place = (manifest.member.host_id, manifest.tables[0].id);
    let own = manifest.tables[0].files.iter();
    let own = own.filter(|file| file.from.is_none()).zip(contents);
    let own: Vec<_> = own
        .map(|(file, content)| (file.index.as_deref(), file.name.as_str(), *content))
        .collect();
    let (key, bytes) = pack_of(manifest.backup.name.as_str(), place, &own);
    world.put(&key, &bytes).await;
    let of_base = FULL_FILES
        .iter()
        .map(|file| (None, file.name, file.content));
    let of_base: Vec<_> = of_base
        .chain([(Some("by_city"), "nb-1-big-Data.db", INDEX)])
        .collect();
    let mut at = 0;
    for file in &mut manifest.tables[0].files {
        match &file.from {
            Some(base) => {
                file.object = pack_of(base.as_str(), place, &of_base).0;
                file.offset = Some(0);
            }
            None => {
                (file.object, file.offset) = (key.clone(), Some(at));
                at += file.bytes;
            }
        }
    }
    world.upload(manifest, &[]).await;
}

/// With a secondary index and a materialized view.
async fn make_backup(
    world: &World,
    name: &str,
    base: Option<&str>,
    files: &[File<'_>],
    number: u128,
) {
    world.begin(name, base, task(number)).await.expect("begins");
    for node in [1, 2] {
        let mut manifest = node_manifest(name, base, node, files);
        let index = INDEX;
        let object = object_key(&backup(name), node, ".by_city/nb-1-big-Data.db");
        manifest.tables[0].files[0].source = Some(SourceFile {
            inode: 42,
            modified_ns: 1_767_225_600_000_000_000,
        });
        manifest
            .tables
            .push(view(world, name, &manifest.member.host_id.to_string()).await);
        let stored = stored(index, object, Some("by_city"));
        let mut manifest = manifest_with(&manifest, stored);
        let contents = files.iter().filter(|file| file.from.is_none());
        let contents: Vec<&str> = contents.map(|file| file.content).chain([index]).collect();
        pack(world, &mut manifest, &contents).await;
    }
    let mut request = World::commit_request(name, task(number));
    request.schema = Some(api::pb::types::Schema {
        version: Uuid::from_u128(0x5c).to_string(),
        entries: vec![api::pb::types::SchemaEntry {
            keyspace: "shop".into(),
            kind: api::pb::types::SchemaKind::Keyspace as i32,
            name: "shop".into(),
            base_table: String::new(),
            cql: vec!["CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'}".into()],
        }],
    });
    world.commit_with(request).await.expect("commits");
}

fn manifest_with(manifest: &NodeManifest, file: StoredFile) -> NodeManifest {
    let mut manifest = manifest.clone();
    manifest.tables[0].files.push(file);
    manifest
}

fn stored(content: &str, object: String, index: Option<&str>) -> StoredFile {
    StoredFile {
        name: "nb-1-big-Data.db".into(),
        index: index.map(str::to_owned),
        bytes: content.len() as u64,
        blake3: blake3::hash(content.as_bytes()).to_hex().to_string(),
        object,
        offset: None,
        from: None,
        copied_from: None,
        source: None,
    }
}

async fn view(world: &World, name: &str, host: &str) -> TableFiles {
    let (content, id) = ("rows of the view", TableId(Uuid::from_u128(0xdef)));
    let folder = format!("orders_by_day-{}", id.folder_suffix());
    let object = format!(
        "{}{host}/shop/{folder}/nb-1-big-Data.db",
        keys::data(&backup(name))
    );
    world.put(&object, content).await;
    TableFiles {
        keyspace: "shop".into(),
        table: "orders_by_day".into(),
        id,
        view_of: Some("orders".into()),
        files: vec![stored(content, object, None)],
        sstables: Vec::new(),
    }
}
