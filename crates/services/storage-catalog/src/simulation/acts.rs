//! What happens in the simulation.

use api::ServiceError;
use blob_store::BlobStore;
use bucket::keys;
use bytes::Bytes;
use chassis::work::Work;
use model::manifest::KindWithBase;
use model::{BackupSummary, SampleParts, Schema, Selection, TaskId, VerifyLevel};
use retention::{Backup, Policies, Policy};

use super::scene::{Scene, backup, base_of, content, member, node_manifest};
use super::store::Chance;
use crate::catalog::Catalog;
use crate::delete::Request;
use crate::error::CatalogError;
use crate::samples::NextSample;
use crate::verify::VerifyLimits;
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
    /// Deleted only if another deletion of it has begun to delete; else that one's mark is taken back.
    Finish(&'static str),
    Retention,
    Collection,
    /// Verified while it is pinned, as a restore reads it.
    Read(&'static str),
    /// Pinned by people.
    Keep(&'static str),
}

impl Act {
    pub fn by(chance: &Chance) -> Self {
        const NEW: [&str; 4] = ["n1", "d2.f1", "d3.f2", "n2"];
        const THERE: [&str; 4] = ["f1", "f2", "d1.f1", "n1"];
        let new = NEW[chance.below(4) as usize];
        let there = THERE[chance.below(4) as usize];
        match chance.below(22) {
            0..6 => Self::Backup(new),
            6..8 => Self::AbandonedBackup(new),
            8..12 => Self::Delete(there),
            12 => Self::DeleteDead("dead"),
            13 => Self::DeleteDead(new),
            14..16 => Self::Retention,
            16..18 => Self::Collection,
            18 => Self::Keep(there),
            19 => Self::Finish(there),
            _ => Self::Read(there),
        }
    }

    pub async fn run(self, scene: &Scene, catalog: usize) {
        let catalog = &scene.catalogs[catalog];
        match self {
            Self::Backup(name) => make(scene, catalog, name).await,
            Self::AbandonedBackup(name) => abandon(scene, catalog, name).await,
            Self::Delete(name) => {
                scene.oracle().by_name(name);
                delete(scene, catalog, name, Request::default()).await;
            }
            Self::DeleteDead(name) => {
                scene.oracle().by_name(name);
                let request = Request {
                    even_if_running: true,
                    ..Request::default()
                };
                delete(scene, catalog, name, request).await;
            }
            Self::Finish(name) => {
                let request = Request {
                    only_if_begun: true,
                    ..Request::default()
                };
                delete(scene, catalog, name, request).await;
            }
            Self::Retention => retain(scene, catalog).await,
            Self::Collection => collect(catalog).await,
            Self::Read(name) => read(scene, catalog, name).await,
            Self::Keep(name) => keep(scene, catalog, name).await,
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
pub async fn upload(scene: &Scene, name: &str) -> bool {
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

pub async fn make(scene: &Scene, catalog: &Catalog, name: &'static str) {
    let Some(task) = begin(scene, catalog, name).await else {
        return;
    };
    let committed = if upload(scene, name).await {
        scene.oracle().commits(name);
        tried!(catalog.commit(commit_request(name, task)))
    } else {
        Err(CatalogError::GivenUp {
            backup: backup(name),
        })
    };
    match committed {
        Ok(_) => scene.oracle().was_called_complete(name),
        Err(error) => {
            check_refusal(scene, name, &error);
            give_up(scene, catalog, name, task).await;
        }
    }
}

/// Begins a backup. Returns its task, if that was told that it has begun.
pub async fn begin(scene: &Scene, catalog: &Catalog, name: &str) -> Option<TaskId> {
    let task = scene.new_task();
    scene.oracle().begins(name);
    tried!(catalog.begin(begin_request(name, task))).ok()?;
    scene.oracle().has_begun(name);
    Some(task)
}

/// It may have been committed all the same: then this is refused.
async fn give_up(scene: &Scene, catalog: &Catalog, name: &str, task: TaskId) {
    scene.oracle().gives_up(name);
    let given_up = tried!(catalog.abandon(&backup(name), &task, "by chance".to_owned()));
    if let Err(CatalogError::Committed { .. }) = given_up {
        scene.oracle().was_committed(name);
    }
}

/// A backup is only kept from being committed by a deletion of itself or of its base, or by a store that is away.
fn check_refusal(scene: &Scene, name: &str, error: &CatalogError) {
    let oracle = scene.oracle();
    let has_reason =
        oracle.is_doomed(name) || base_of(name).is_some_and(|base| oracle.is_doomed(base));
    let is_own = matches!(error, CatalogError::GivenUp { .. }) || may_pass(error);
    assert!(
        has_reason || is_own,
        "{name} was being made and is lost: {error:?}"
    );
}

pub async fn abandon(scene: &Scene, catalog: &Catalog, name: &'static str) {
    let Some(task) = begin(scene, catalog, name).await else {
        return;
    };
    upload(scene, name).await;
    give_up(scene, catalog, name, task).await;
}

/// An attempt whose outcome is not known may have left something that others finish.
pub async fn delete(scene: &Scene, catalog: &Catalog, name: &str, request: Request) {
    for _ in 0..TRIES {
        scene.oracle().asks_to_delete(name);
        let (work, _progress, _stop) = Work::new();
        match catalog.delete(&backup(name), &request, &work).await {
            Ok(_) => return,
            Err(error) if may_pass(&error) => {}
            Err(_) => return scene.oracle().was_refused(name),
        }
    }
}

pub async fn list(catalog: &Catalog) -> Option<Vec<BackupSummary>> {
    let listed = catalog.list(None).await.ok()?;
    let listed = listed.into_iter();
    Some(listed.map(|it| it.try_into().expect("a summary")).collect())
}

/// Good backups that retention always keeps.
pub const FLOOR: u32 = 2;

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

pub async fn collect(catalog: &Catalog) {
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
    scene.oracle().was_pinned(name);
    let (work, _progress, _stop) = Work::new();
    let (level, limits) = (VerifyLevel::Objects, VerifyLimits::default());
    let half = SampleParts::new(2).ok();
    let half = half.map(|of| NextSample { of, task: None });
    let named = backup(name);
    let verify = catalog.verify(&named, level, half, &limits, &work);
    match verify.await {
        Ok(report) => assert!(report.ok, "{name} is pinned and not whole: {report:?}"),
        Err(error) => assert!(may_pass(&error), "{name} is pinned and gone: {error:?}"),
    }
    scene.oracle().releases(name);
    let _ = tried!(catalog.unpin(&backup(name), &task));
}

async fn keep(scene: &Scene, catalog: &Catalog, name: &str) {
    let reason = || "by chance".to_owned();
    let pinned = tried!(catalog.pin_by_people(&backup(name), reason(), None));
    if pinned.is_ok() {
        scene.oracle().was_pinned(name);
    }
}
