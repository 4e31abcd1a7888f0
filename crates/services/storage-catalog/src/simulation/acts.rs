//! What happens in the simulation, and what must be so in the end.

use api::ServiceError;
use blob_store::BlobStore;
use bucket::keys;
use bytes::Bytes;
use chassis::work::Work;
use model::manifest::KindWithBase;
use model::{BackupSummary, Schema, Selection, TaskId, VerifyLevel};
use retention::{Backup, Policies, Policy};

use super::scene::{self, Scene, backup, base_of, content, member, needs, node_manifest};
use super::store::Chance;
use crate::catalog::Catalog;
use crate::delete::Request;
use crate::error::CatalogError;
use crate::{begin, commit};

/// How often a call is tried again that may succeed by itself.
const TRIES: usize = 3;

#[derive(Debug, Clone)]
pub enum Act {
    /// Made by a task, from its beginning to its end.
    Backup(&'static str),
    /// Given up after so many of its steps.
    AbandonedBackup(&'static str),
    Delete(&'static str),
    /// Of a backup that is recorded as being made, whose task is known to be dead.
    DeleteDead(&'static str),
    Retention,
    Collection,
    /// Verified while it is pinned, as a restore reads it.
    Read(&'static str),
}

impl Act {
    pub fn by(chance: &Chance) -> Self {
        const NEW: [&str; 4] = ["n1", "d2.f1", "d3.f2", "n2"];
        const THERE: [&str; 4] = ["f1", "f2", "d1.f1", "n1"];
        let new = NEW[chance.below(4) as usize];
        let there = THERE[chance.below(4) as usize];
        match chance.below(10) {
            0..3 => Self::Backup(new),
            3 => Self::AbandonedBackup(new),
            4..6 => Self::Delete(there),
            6 if chance.one_in(2) => Self::DeleteDead("dead"),
            6 => Self::DeleteDead(new),
            7 => Self::Retention,
            8 => Self::Collection,
            _ => Self::Read(there),
        }
    }

    pub async fn run(self, scene: &Scene, catalog: usize) {
        let catalog = &scene.catalogs[catalog];
        match self {
            Self::Backup(name) => make(scene, catalog, name).await,
            Self::AbandonedBackup(name) => abandon(scene, catalog, name).await,
            Self::Delete(name) => {
                scene.known().named.insert(name.to_owned());
                delete(scene, catalog, name, Request::default()).await;
            }
            Self::DeleteDead(name) => {
                scene.known().named.insert(name.to_owned());
                let request = Request {
                    even_if_running: true,
                    ..Request::default()
                };
                delete(scene, catalog, name, request).await;
            }
            Self::Retention => retain(scene, catalog).await,
            Self::Collection => collect(scene, catalog).await,
            Self::Read(name) => read(scene, catalog, name).await,
        }
    }
}

fn may_pass(error: &CatalogError) -> bool {
    error.kind() == api::ErrorKind::Unavailable
}

/// Tries a call again while its error may pass, a few times.
macro_rules! tried {
    ($call:expr) => {{
        let mut result = $call.await;
        for _ in 1..TRIES {
            match &result {
                Err(error) if may_pass(error) => result = $call.await,
                _ => break,
            }
        }
        result
    }};
}

fn begin_request(name: &str, task: TaskId) -> begin::Request {
    let base = base_of(name).map(|base| base.parse().expect("a name"));
    begin::Request {
        backup: backup(name),
        kind: match base {
            Some(base) => KindWithBase::Differential { base: Some(base) },
            None => KindWithBase::Full,
        },
        task,
        selection: Selection::default(),
    }
}

fn commit_request(name: &str, task: TaskId) -> commit::Request {
    commit::Request {
        backup: backup(name),
        task,
        host_ids: vec![member().host_id],
        ring: vec![member()],
        schema: Schema::default(),
        cluster_name: "C".into(),
        partitioner: node_manifest(name).partitioner,
        snapshot_spread_ms: 0,
        missing: Vec::new(),
        coverage: Vec::new(),
    }
}

/// As an agent uploads: its objects, then its manifest. Returns whether all is there.
async fn upload(scene: &Scene, name: &str) -> bool {
    let manifest = node_manifest(name);
    let own = manifest.tables[0].files.iter();
    let own: Vec<String> = own
        .filter(|file| file.from.is_none())
        .map(|file| file.object.clone())
        .collect();
    for key in own {
        let mut put = Err(());
        for _ in 0..TRIES {
            let bytes = Bytes::from(content(&manifest.backup));
            put = scene.store.put(&key, bytes).await.map_err(drop);
            if put.is_ok() {
                break;
            }
        }
        if put.is_err() {
            return false;
        }
    }
    let key = keys::node_manifest(&manifest.backup, &manifest.member.host_id);
    let bucket = &scene.catalogs[0].bucket;
    for _ in 0..TRIES {
        if bucket.write(&key, manifest.clone()).await.is_ok() {
            return true;
        }
    }
    false
}

async fn make(scene: &Scene, catalog: &Catalog, name: &'static str) {
    let task = scene.new_task();
    if tried!(catalog.begin(begin_request(name, task))).is_err() {
        return;
    }
    let committed = match upload(scene, name).await {
        true => tried!(catalog.commit(commit_request(name, task))),
        false => Err(CatalogError::GivenUp {
            backup: backup(name),
        }),
    };
    if let Err(error) = &committed {
        check_refusal(scene, name, error);
    }
    if committed.is_ok() {
        scene.known().completed.insert(name.to_owned());
    } else {
        // It may have been committed all the same: then this is refused.
        let _ = tried!(catalog.abandon(&backup(name), &task, "by chance".to_owned()));
    }
}

/// A backup is only kept from being committed by a deletion of itself or of its base, or by a store that is away.
fn check_refusal(scene: &Scene, name: &str, error: &CatalogError) {
    let doomed = &scene.known().doomed;
    let is_doomed = |name: &str| doomed.contains(name);
    let has_reason = is_doomed(name) || base_of(name).is_some_and(is_doomed);
    let is_own = matches!(error, CatalogError::GivenUp { .. }) || may_pass(error);
    assert!(
        has_reason || is_own,
        "{name} was being made and is lost: {error:?}"
    );
}

async fn abandon(scene: &Scene, catalog: &Catalog, name: &'static str) {
    let task = scene.new_task();
    if tried!(catalog.begin(begin_request(name, task))).is_err() {
        return;
    }
    upload(scene, name).await;
    let _ = tried!(catalog.abandon(&backup(name), &task, "by chance".to_owned()));
}

async fn delete(scene: &Scene, catalog: &Catalog, name: &str, request: Request) {
    scene.known().doomed.insert(name.to_owned());
    let (work, _progress, _stop) = Work::new();
    let _ = tried!(catalog.delete(&backup(name), &request, &work));
}

async fn list(catalog: &Catalog) -> Option<Vec<BackupSummary>> {
    let listed = catalog.list(None).await.ok()?;
    let listed = listed.into_iter();
    Some(listed.map(|it| it.try_into().expect("a summary")).collect())
}

/// Good backups that retention always keeps.
const FLOOR: u32 = 2;

/// Deletes what a policy lets go. The clock is the catalog's own.
async fn retain(scene: &Scene, catalog: &Catalog) {
    let policies = Policies {
        cluster: Some(Policy {
            last: 1,
            floor: FLOOR,
            ..Policy::new()
        }),
        ..Policies::default()
    };
    for _ in 0..TRIES {
        let Some(listed) = list(catalog).await else {
            return;
        };
        let backups: Vec<Backup> = listed.iter().map(Backup::from).collect();
        let ruled = policies.decide(&backups, catalog.now()).expect("a policy");
        let going = Policies::going(&ruled, &backups);
        let Some(next) = going.first() else {
            return;
        };
        let request = Request {
            started_at: Some(next.started_at),
            relies_on: next.relied_on.clone(),
            ..Request::default()
        };
        delete(scene, catalog, next.name.as_str(), request).await;
    }
}

async fn collect(scene: &Scene, catalog: &Catalog) {
    let _ = scene;
    let Ok(found) = catalog.garbage(None).await else {
        return;
    };
    for garbage in found {
        let request = Request {
            only_garbage: true,
            ..Request::default()
        };
        let (work, _progress, _stop) = Work::new();
        let _ = tried!(catalog.delete(&garbage.backup, &request, &work));
    }
}

async fn read(scene: &Scene, catalog: &Catalog, name: &str) {
    let task = scene.new_task();
    if tried!(catalog.pin(&backup(name), &task)).is_err() {
        return;
    }
    let (work, _progress, _stop) = Work::new();
    match catalog
        .verify(&backup(name), VerifyLevel::Manifest, &work)
        .await
    {
        Ok(report) => assert!(report.ok, "{name} is pinned and not whole: {report:?}"),
        Err(error) => assert!(may_pass(&error), "{name} is pinned and gone: {error:?}"),
    }
    let _ = tried!(catalog.unpin(&backup(name), &task));
}

/// Two full backups, a differential, one whose task is dead, one that was given up, and what arrived late.
pub async fn begin(scene: &Scene) {
    let catalog = &scene.catalogs[0];
    for name in ["f1", "f2", "d1.f1"] {
        make(scene, catalog, name).await;
    }
    assert_eq!(scene::complete(&scene.store.memory).len(), 3);
    abandon(scene, catalog, "failed").await;
    let task = scene.new_task();
    let begun = catalog.begin(begin_request("dead", task)).await;
    begun.expect("begins");
    upload(scene, "dead").await;
    let late = format!("{}late", keys::data(&backup("gone")));
    scene
        .store
        .put(&late, Bytes::from_static(b"late"))
        .await
        .expect("put");
}

/// Finds everything as it must be, removes what tasks have left that are dead, and collects: nothing else stays.
pub async fn end(scene: &Scene) {
    scene.store.all_arrive().await.expect("deletes");
    check_complete(scene).await;
    check_floor(scene);
    let catalog = &scene.catalogs[1];
    for key in scene.store.memory.keys() {
        if key.contains("/pins/") {
            scene.store.delete(&key).await.expect("released");
        }
    }
    for summary in list(catalog).await.expect("a list") {
        let is_running = summary.state == Some(model::BackupState::Running);
        let is_marked = summary.state == Some(model::BackupState::Deleting);
        if is_running || is_marked {
            let request = Request {
                even_if_running: true,
                earlier_are_dead: true,
                ..Request::default()
            };
            delete(scene, catalog, summary.backup.name.as_str(), request).await;
        }
    }
    collect(scene, catalog).await;
    check_complete(scene).await;
    let left = catalog.garbage(None).await.expect("a list");
    assert_eq!(left, [], "not collected");
    check_nothing_else(scene);
}

async fn check_complete(scene: &Scene) {
    let memory = &scene.store.memory;
    let all = memory.keys();
    let complete = scene::complete(memory);
    for name in &complete {
        for needed in needs(name) {
            assert!(
                all.contains(&needed),
                "{name} is complete without `{needed}`"
            );
        }
        // One whose deletion is about to be refused is marked.
        let base = base_of(name).map(|base| keys::backup_manifest(&backup(base)));
        assert!(
            base.is_none_or(|base| all.contains(&base)),
            "{name} has lost its base"
        );
    }
    let known = scene.known().clone();
    for name in known.completed.difference(&known.doomed) {
        assert!(complete.contains(name), "{name} was complete and is lost");
    }
}

/// Retention leaves as many good backups as its floor; each deletion by name takes one more at most. By manifests alone, since
/// marks are a means of what is tested.
fn check_floor(scene: &Scene) {
    let known = scene.known().clone();
    let left = scene::with_manifest(&scene.store.memory);
    // It was never complete.
    let was_complete = |name: &&String| *name != "dead" && !left.contains(name);
    let by_name = known.named.iter().filter(was_complete).count();
    assert!(
        left.len() + by_name >= FLOOR as usize,
        "{left:?} are left, and {by_name} were deleted by name"
    );
}

/// Every object is of a complete backup, or of none by its nature.
fn check_nothing_else(scene: &Scene) {
    let memory = &scene.store.memory;
    let complete = scene::complete(memory);
    for key in memory.keys() {
        let of = complete.iter().any(|name| {
            let folder = format!("/c/{name}/");
            key.contains(&folder) || key.ends_with(&format!("/c/{name}.json"))
        });
        let is_fixed = key.ends_with("README.txt") || key.contains("/probes/");
        let is_fixed = is_fixed || key.contains("/tombstones/");
        assert!(of || is_fixed, "`{key}` is left of nothing");
    }
}
