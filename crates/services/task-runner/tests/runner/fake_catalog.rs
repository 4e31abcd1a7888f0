//! A catalog without a bucket.

use api::ErrorKind;
use api::pb::storage_catalog as pb;
use api::pb::storage_catalog::storage_catalog_server::StorageCatalog;
use api::pb::types;
use api::pb::types::KeyFingerprint;
use futures::stream::{self, BoxStream, StreamExt};
use tonic::{Request, Response, Status};

use crate::fleet::{BackupNow, Fault, Fleet, TIME, host_id, lost, manifest_hash, refuse};

pub struct FakeCatalog {
    pub fleet: Fleet,
}

fn release() -> types::Release {
    types::Release {
        product: types::Product::Cassandra as i32,
        version: "5.0.4".into(),
    }
}

type Answer<T> = Result<Response<T>, Status>;

/// What the one verification of every backup has found.
pub fn verification() -> pb::Verification {
    pb::Verification {
        level: pb::VerifyLevel::Sstables as i32,
        verified_at: "2026-01-02T03:04:05.000Z".into(),
        damaged: 1,
        ..pb::Verification::default()
    }
}

fn name(backup: Option<api::pb::types::BackupRef>) -> String {
    backup.map(|backup| backup.name).unwrap_or_default()
}

fn in_shop(name: String) -> types::BackupRef {
    types::BackupRef {
        cluster: "shop".into(),
        name,
    }
}

fn no_such_backup() -> Status {
    refuse("no such backup", ErrorKind::NotFound, "BACKUP_NOT_FOUND")
}

fn halfway() -> types::Progress {
    types::Progress {
        bytes_done: 4,
        bytes_total: 9,
        ..types::Progress::default()
    }
}

/// Progress and the result, or an error in the result's place.
fn cut_short<T: Send + 'static>(
    fault: Option<Fault>,
    halfway: T,
    last: T,
) -> BoxStream<'static, Result<T, Status>> {
    let last = match fault {
        Some(Fault::Break) => Err(Status::unavailable("the connection broke")),
        _ => Ok(last),
    };
    stream::iter([Ok(halfway), last]).boxed()
}

/// Progress for more than a second, and then the connection breaks.
fn slow_and_cut_short() -> BoxStream<'static, Result<pb::VerifyBackupResponse, Status>> {
    let messages = (1..6u64).map(|bytes_done| async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        if bytes_done == 5 {
            return Err(Status::unavailable("the connection broke"));
        }
        Ok(pb::VerifyBackupResponse {
            progress: Some(types::Progress {
                bytes_done,
                ..types::Progress::default()
            }),
            report: None,
        })
    });
    stream::iter(messages).then(|message| message).boxed()
}

#[tonic::async_trait]
impl StorageCatalog for FakeCatalog {
    type ListSstablesStream = BoxStream<'static, Result<pb::ListSstablesResponse, Status>>;

    async fn list_sstables(
        &self,
        _: Request<pb::ListSstablesRequest>,
    ) -> Answer<Self::ListSstablesStream> {
        self.fleet.enter("sstables").await?;
        let keys: Vec<KeyFingerprint> = self
            .fleet
            .facts()
            .keys
            .iter()
            .map(|name| KeyFingerprint {
                name: name.clone(),
                ..KeyFingerprint::default()
            })
            .collect();
        let node = pb::NodeSstables {
            host_id: host_id(0),
            keys,
            ..pb::NodeSstables::default()
        };
        let message = pb::ListSstablesResponse { node: Some(node) };
        Ok(Response::new(stream::iter([Ok(message)]).boxed()))
    }

    async fn begin_backup(
        &self,
        request: Request<pb::BeginBackupRequest>,
    ) -> Answer<pb::BeginBackupResponse> {
        let fault = self.fleet.enter("begin").await?;
        let request = request.into_inner();
        let begun = name(request.backup.clone());
        let base = match request.kind() {
            api::pb::types::BackupKind::Differential => "the-base".to_owned(),
            _ => String::new(),
        };
        {
            let mut facts = self.fleet.facts();
            let task = request.task_id.clone();
            let now = facts
                .backups
                .entry(name(request.backup))
                .or_insert((BackupNow::Running, task));
            if now.1 != request.task_id || now.0 != BackupNow::Running {
                return Err(refuse(
                    "the name is taken",
                    ErrorKind::AlreadyExists,
                    "BACKUP_EXISTS",
                ));
            }
        }
        {
            let now = self.fleet.time_of_beginning();
            let mut facts = self.fleet.facts();
            facts.started.entry(begun.clone()).or_insert(now);
            if !base.is_empty() {
                facts.bases.insert(begun, base.clone());
            }
        }
        lost(fault)?;
        let copy_from = match base.is_empty() {
            true => "the-source".to_owned(),
            false => String::new(),
        };
        Ok(Response::new(pb::BeginBackupResponse {
            base,
            copy_from,
            started_at: "2026-01-01T00:00:00.000Z".into(),
        }))
    }

    async fn commit_backup(
        &self,
        request: Request<pb::CommitBackupRequest>,
    ) -> Answer<pb::CommitBackupResponse> {
        let fault = self.fleet.enter("commit").await?;
        let request = request.into_inner();
        let name = name(request.backup);
        self.fleet.facts().commits.push(name.clone());
        let all_uploaded = {
            let facts = self.fleet.facts();
            let uploaded = |node: &String| facts.uploaded.contains(&(node.clone(), name.clone()));
            self.fleet
                .nodes
                .iter()
                .filter(|node| uploaded(node))
                .count()
                == request.host_ids.len()
        };
        self.fleet
            .require(all_uploaded, "all uploads come before the commit");
        self.fleet.require(
            request.host_ids.len() + request.missing.len() == self.fleet.nodes.len()
                && request.held.len() == request.missing.len()
                && request.ring.len() == self.fleet.nodes.len(),
            "a commit names every node",
        );
        let release = request.release.map(|release| release.version);
        let lowest = format!("4.1.{}", 10_usize.saturating_sub(self.fleet.nodes.len()));
        self.fleet
            .require(release == Some(lowest), "a commit says the lowest release");
        {
            let mut facts = self.fleet.facts();
            facts.spread_ms = Some(request.snapshot_spread_ms);
            facts.missing = request
                .missing
                .iter()
                .map(|it| it.address.clone())
                .collect();
            match facts.backups.get_mut(&name) {
                Some((now, task))
                    if *task == request.task_id && !matches!(now, BackupNow::Failed(_)) =>
                {
                    *now = BackupNow::Complete;
                }
                _ => {
                    return Err(refuse(
                        "not begun",
                        ErrorKind::FailedPrecondition,
                        "NOT_BEGUN",
                    ));
                }
            }
        }
        lost(fault)?;
        Ok(Response::new(pb::CommitBackupResponse { backup: None }))
    }

    async fn abandon_backup(
        &self,
        request: Request<pb::AbandonBackupRequest>,
    ) -> Answer<pb::AbandonBackupResponse> {
        let fault = self.fleet.enter("abandon").await?;
        let request = request.into_inner();
        {
            let mut facts = self.fleet.facts();
            match facts.backups.get_mut(&name(request.backup)) {
                Some((BackupNow::Complete, _)) => {
                    return Err(refuse(
                        "it is complete",
                        ErrorKind::FailedPrecondition,
                        "COMPLETE",
                    ));
                }
                Some((now, task)) if *task == request.task_id => {
                    *now = BackupNow::Failed(request.reason);
                }
                _ => return Err(refuse("not begun", ErrorKind::NotFound, "BACKUP_NOT_FOUND")),
            }
        }
        lost(fault)?;
        Ok(Response::new(pb::AbandonBackupResponse {}))
    }

    async fn get_backup(
        &self,
        request: Request<pb::GetBackupRequest>,
    ) -> Answer<pb::GetBackupResponse> {
        self.fleet.enter("get-backup").await?;
        let name = name(request.into_inner().backup);
        let complete = {
            let facts = self.fleet.facts();
            matches!(facts.backups.get(&name), Some((BackupNow::Complete, _)))
        };
        if !complete {
            return Err(no_such_backup());
        }
        Ok(Response::new(pb::GetBackupResponse {
            backup: Some(pb::Backup {
                summary: Some(pb::BackupSummary {
                    backup: Some(in_shop(name)),
                    state: pb::BackupState::Complete as i32,
                    kind: types::BackupKind::Full as i32,
                    started_at: TIME.into(),
                    finished_at: TIME.into(),
                    release: Some(release()),
                    ..pb::BackupSummary::default()
                }),
                task_id: uuid::Uuid::nil().to_string(),
                selection: Some(types::Selection::default()),
                schema: Some(types::Schema::default()),
                nodes: (0..self.fleet.nodes.len())
                    .map(|at| pb::BackupNode {
                        member: Some(self.fleet.member(at)),
                        manifest_blake3: manifest_hash(&host_id(at)),
                        release: Some(release()),
                        snapshot_taken_at: TIME.into(),
                        ..pb::BackupNode::default()
                    })
                    .collect(),
                ..pb::Backup::default()
            }),
            verifications: vec![verification()],
        }))
    }

    async fn find_garbage(
        &self,
        _: Request<pb::FindGarbageRequest>,
    ) -> Answer<pb::FindGarbageResponse> {
        self.fleet.enter("find-garbage").await?;
        let facts = self.fleet.facts();
        let garbage = facts.garbage.iter().map(|name| pb::Garbage {
            backup: Some(in_shop(name.clone())),
            kind: pb::GarbageKind::Strays as i32,
            objects: 2,
            bytes: 9,
        });
        let garbage = garbage.collect();
        Ok(Response::new(pb::FindGarbageResponse { garbage }))
    }

    async fn pin_backup(
        &self,
        request: Request<pb::PinBackupRequest>,
    ) -> Answer<pb::PinBackupResponse> {
        let fault = self.fleet.enter("pin").await?;
        self.fleet.facts().pins.insert(request.into_inner().task_id);
        lost(fault)?;
        Ok(Response::new(pb::PinBackupResponse {}))
    }

    async fn unpin_backup(
        &self,
        request: Request<pb::UnpinBackupRequest>,
    ) -> Answer<pb::UnpinBackupResponse> {
        let fault = self.fleet.enter("unpin").await?;
        let request = request.into_inner();
        let backup = name(request.backup);
        self.fleet.facts().held_by.remove(&backup);
        self.fleet.facts().pins.remove(&request.task_id);
        lost(fault)?;
        Ok(Response::new(pb::UnpinBackupResponse { released: 0 }))
    }

    async fn list_backups(
        &self,
        _: Request<pb::ListBackupsRequest>,
    ) -> Answer<pb::ListBackupsResponse> {
        self.fleet.enter("list-backups").await?;
        let facts = self.fleet.facts();
        let backups = facts.backups.iter().map(|(name, (now, _))| {
            let kept = facts.kept.contains(name).then(|| pb::Pin {
                id: uuid::Uuid::nil().to_string(),
                by_people: true,
                reason: "keep it".into(),
                ..pb::Pin::default()
            });
            let started = facts.started.get(name).map_or(TIME, String::as_str);
            let held = facts.held_by.get(name).map(|task| pb::Pin {
                id: task.clone(),
                ..pb::Pin::default()
            });
            pb::BackupSummary {
                backup: Some(in_shop(name.clone())),
                state: match now {
                    BackupNow::Running => pb::BackupState::Running,
                    BackupNow::Complete => pb::BackupState::Complete,
                    BackupNow::Failed(_) => pb::BackupState::Failed,
                    BackupNow::Deleting => pb::BackupState::Deleting,
                } as i32,
                base: facts.bases.get(name).cloned().unwrap_or_default(),
                started_at: started.into(),
                uploaded_bytes: 9,
                covers: Some(pb::Covers {
                    selection: Some(types::Selection::default()),
                    missing: Vec::new(),
                }),
                pins: kept.into_iter().chain(held).collect(),
                ..pb::BackupSummary::default()
            }
        });
        let backups = backups.collect();
        Ok(Response::new(pb::ListBackupsResponse { backups }))
    }

    async fn find_backup(
        &self,
        request: Request<pb::FindBackupRequest>,
    ) -> Answer<pb::FindBackupResponse> {
        self.fleet.enter("find-backup").await?;
        let name = name(request.into_inner().backup);
        if !self.fleet.facts().backups.contains_key(&name) {
            return Err(no_such_backup());
        }
        let started_at = self.fleet.begun_at(&name);
        let mut facts = self.fleet.facts();
        facts.found.insert((name.clone(), started_at.clone()));
        Ok(Response::new(pb::FindBackupResponse {
            backup: Some(in_shop(name)),
            started_at,
        }))
    }

    type VerifyBackupStream = BoxStream<'static, Result<pb::VerifyBackupResponse, Status>>;

    async fn set_verify_limits(
        &self,
        request: Request<pb::SetVerifyLimitsRequest>,
    ) -> Answer<pb::SetVerifyLimitsResponse> {
        self.fleet.enter("verifylimits").await?;
        let request = request.into_inner();
        let asked = (request.bandwidth_bytes_per_second, request.parallel_files);
        let key = ("catalog".to_owned(), request.task_id);
        self.fleet.facts().limits.insert(key, asked);
        Ok(Response::new(pb::SetVerifyLimitsResponse {
            bandwidth_bytes_per_second: asked.0,
            parallel_files: asked.1,
        }))
    }

    async fn verify_backup(
        &self,
        request: Request<pb::VerifyBackupRequest>,
    ) -> Answer<Self::VerifyBackupStream> {
        let request = request.into_inner();
        let call = if request.discard_result {
            "check-objects"
        } else {
            "verify"
        };
        let fault = self.fleet.enter(call).await?;
        let damage: Vec<pb::Damage> = {
            let facts = self.fleet.facts();
            let damage = facts.damage.iter().map(|object| pb::Damage {
                object: object.clone(),
                what: "is missing".into(),
                ..pb::Damage::default()
            });
            damage.collect()
        };
        let report = pb::VerifyReport {
            backup: request.backup.clone(),
            level: request.level,
            ok: damage.is_empty(),
            objects_checked: 3,
            bytes_checked: 9,
            sstables_checked: 0,
            damage,
            not_checked: Vec::new(),
            // Of the task that asks: another one would read another part.
            sample: (request.sample_parts > 0 && !request.task_id.is_empty()).then(|| pb::Sample {
                part: 1,
                parts: request.sample_parts,
                ..pb::Sample::default()
            }),
        };
        let report = pb::VerifyBackupResponse {
            progress: None,
            report: Some(report),
        };
        if fault == Some(Fault::Stuck) {
            return Ok(Response::new(slow_and_cut_short()));
        }
        let halfway = pb::VerifyBackupResponse {
            progress: Some(halfway()),
            report: None,
        };
        Ok(Response::new(cut_short(fault, halfway, report)))
    }

    type DeleteBackupStream = BoxStream<'static, Result<pb::DeleteBackupResponse, Status>>;

    async fn delete_backup(
        &self,
        request: Request<pb::DeleteBackupRequest>,
    ) -> Answer<Self::DeleteBackupStream> {
        let request = pb::DeleteBackupIfRequest {
            backup: request.into_inner().backup,
            ..pb::DeleteBackupIfRequest::default()
        };
        self.delete_backup_if(Request::new(request)).await
    }

    type DeleteBackupIfStream = BoxStream<'static, Result<pb::DeleteBackupResponse, Status>>;

    async fn delete_backup_if(
        &self,
        request: Request<pb::DeleteBackupIfRequest>,
    ) -> Answer<Self::DeleteBackupIfStream> {
        let fault = self.fleet.enter("delete").await?;
        let request = request.into_inner();
        let name = name(request.backup);
        if !request.not_after.is_empty() {
            self.fleet.facts().not_after.push(request.not_after.clone());
        }
        if request.only_garbage {
            let was_garbage = self.fleet.facts().garbage.remove(&name);
            lost(fault)?;
            if !was_garbage {
                return Err(no_such_backup());
            }
            let deleted = pb::DeleteBackupResponse {
                deleted_objects: 2,
                freed_bytes: 9,
                ..pb::DeleteBackupResponse::default()
            };
            let messages = stream::iter([Ok(deleted)]).boxed();
            return Ok(Response::new(messages));
        }
        {
            let mut facts = self.fleet.facts();
            let mut later = std::mem::take(&mut facts.kept_next);
            facts.kept.append(&mut later);
            if request.only_if_begun && facts.only_marked.remove(&name) {
                if let Some((now, _)) = facts.backups.get_mut(&name) {
                    *now = BackupNow::Complete;
                }
                return Err(refuse(
                    "no deletion has begun to delete",
                    ErrorKind::FailedPrecondition,
                    "DELETION_NOT_BEGUN",
                ));
            }
            let is_pinned = !facts.pins.is_empty()
                || facts.kept.contains(&name)
                || facts.undeletable.contains(&name);
            let is_refused_half_done = facts.refused_half_done.contains(&name);
            let there =
                |name: &String| matches!(facts.backups.get(name), Some((BackupNow::Complete, _)));
            if !request.relies_on.iter().all(there) {
                return Err(refuse(
                    "what it relies on is gone",
                    ErrorKind::FailedPrecondition,
                    "RELIED_ON_GONE",
                ));
            }
            let mut needed = facts.bases.iter();
            if needed.any(|(other, base)| *base == name && facts.backups.contains_key(other)) {
                return Err(refuse(
                    "it is a base",
                    ErrorKind::FailedPrecondition,
                    "BACKUP_IS_BASE",
                ));
            }
            let started = facts.started.get(&name).map_or(TIME, String::as_str);
            let time = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
            let is_another = facts.backups.contains_key(&name)
                && !request.started_at.is_empty()
                && time(&request.started_at) != time(started);
            if is_another {
                return Err(refuse(
                    "it is another one",
                    ErrorKind::FailedPrecondition,
                    "BACKUP_IS_ANOTHER",
                ));
            }
            let Some((now, _)) = facts.backups.get_mut(&name) else {
                return Err(no_such_backup());
            };
            if is_refused_half_done {
                *now = BackupNow::Deleting;
                return Err(refuse(
                    "it may go only while another one is there",
                    ErrorKind::FailedPrecondition,
                    "RELIED_ON_GONE",
                ));
            }
            if is_pinned && *now != BackupNow::Deleting {
                return Err(refuse(
                    "the backup is pinned",
                    ErrorKind::FailedPrecondition,
                    "BACKUP_PINNED",
                ));
            }
            *now = BackupNow::Deleting;
            self.fleet.check_meant(&mut facts, &name);
            if fault != Some(Fault::Break) {
                facts.backups.remove(&name);
                facts.started.remove(&name);
                facts.deleted.push((name, request.relies_on));
            }
        }
        lost(fault)?;
        let halfway = pb::DeleteBackupResponse {
            progress: Some(halfway()),
            ..pb::DeleteBackupResponse::default()
        };
        let deleted = pb::DeleteBackupResponse {
            progress: None,
            deleted_objects: 3,
            freed_bytes: 9,
            versions_remain: false,
        };
        Ok(Response::new(cut_short(fault, halfway, deleted)))
    }

    async fn get_store_status(
        &self,
        _: Request<pb::GetStoreStatusRequest>,
    ) -> Answer<pb::GetStoreStatusResponse> {
        Err(Status::unimplemented("the runner does not ask"))
    }
}
