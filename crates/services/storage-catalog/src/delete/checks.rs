//! What is checked before a backup is deleted.

use bucket::keys;
use jiff::Timestamp;
use model::{BackupName, BackupRef, ClusterName, ages};

use super::mark::Mark;
use crate::beside::is_in_force;
use crate::catalog::Catalog;
use crate::error::CatalogError;

/// After a leap of dates pins do not end until the backups since then span so many days.
const LEAP_DAYS: u32 = 32;

/// What must hold for a backup to be deleted.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The task that makes the backup is known to be dead.
    pub even_if_running: bool,
    /// When the backup that is meant was begun; none: whichever has the name.
    pub started_at: Option<Timestamp>,
    /// Backups of the cluster that must be there, complete and not being deleted.
    pub relies_on: Vec<BackupName>,
    /// What bears the name must be of no use to anyone.
    pub only_garbage: bool,
    /// The time after which nothing may be deleted any more: the caller may have lost its right to by then.
    pub not_after: Option<Timestamp>,
    /// The attempts that have left marks are known to be dead: if this one is refused, their marks go, too.
    pub earlier_are_dead: bool,
    /// An earlier deletion must have begun to delete. One that has only left marks is taken back.
    pub only_if_begun: bool,
}

impl Catalog {
    /// Refuses what is not there and what is being made. Returns whether an earlier deletion had begun.
    pub(super) async fn check_deletable(
        &self,
        backup: &BackupRef,
        request: &Request,
    ) -> Result<bool, CatalogError> {
        let even_if_running = request.even_if_running;
        if !self.marks(backup).await?.is_empty() {
            return Ok(true);
        }
        if self.exists(&keys::backup_manifest(backup)).await?
            || self.exists(&keys::failure(backup)).await?
        {
            return Ok(false);
        }
        match self.read_intent(backup).await {
            Ok(Some(intent)) if !even_if_running => Err(CatalogError::Running {
                backup: backup.clone(),
                task: intent.task_id,
            }),
            Ok(Some(_)) => Ok(false),
            Err(error) if error.is_unreadable() && even_if_running => Ok(false),
            Err(error) => Err(error),
            Ok(None) if self.has_folder(backup).await? => Ok(false),
            Ok(None) => Err(self.why_not_complete(backup).await?),
        }
    }

    /// Whether every object of a backup with a manifest is still there: then an earlier deletion has deleted nothing.
    pub(super) async fn is_whole(&self, backup: &BackupRef) -> Result<bool, CatalogError> {
        let manifest = match self.read_manifest(backup).await {
            Err(error) if error.is_unreadable() => return Ok(true),
            read => read?,
        };
        for node in manifest.iter().flat_map(|manifest| &manifest.nodes) {
            let stored = match self.read_node(backup, &node.host_id).await {
                Err(error) if error.is_unreadable() => continue,
                read => read?,
            };
            let Some(stored) = stored else {
                return Ok(false);
            };
            let wrong = self.bucket.wrong_files(&stored.document).await;
            let wrong = wrong.map_err(CatalogError::store("list the bucket"))?;
            if !wrong.is_empty() {
                return Ok(false);
            }
        }
        Ok(manifest.is_some())
    }

    pub(super) async fn check_unneeded(&self, backup: &BackupRef) -> Result<(), CatalogError> {
        let mut pins = self.all_pins(backup).await?;
        if pins.iter().any(|pin| pin.until.is_some()) {
            let certain = self.certain_time(&backup.cluster).await?;
            pins.retain(|pin| is_in_force(pin, certain));
        }
        let in_force = pins.into_iter();
        let (by_people, by_tasks): (Vec<_>, Vec<_>) =
            in_force.partition(|pin| pin.reason.is_some());
        if !by_tasks.is_empty() {
            return Err(CatalogError::Pinned {
                backup: backup.clone(),
                tasks: by_tasks.into_iter().map(|pin| pin.id).collect(),
            });
        }
        if !by_people.is_empty() {
            return Err(CatalogError::Kept {
                backup: backup.clone(),
                reasons: by_people.into_iter().filter_map(|pin| pin.reason).collect(),
            });
        }
        let dependents = self.dependents(backup).await?;
        if !dependents.is_empty() {
            let backup = backup.clone();
            return Err(CatalogError::IsBase { backup, dependents });
        }
        Ok(())
    }

    /// A time that is certain to have come, whichever single clock is wrong: not after this one's, and not after the second
    /// newest complete backup of the cluster. Without two nothing is certain, and pins do not end.
    async fn certain_time(&self, cluster: &ClusterName) -> Result<Timestamp, CatalogError> {
        let now = self.now();
        let survey = self.survey(Some(cluster)).await?;
        let mut dates = Vec::new();
        for (other, meta) in &survey.manifests {
            if survey.remnants.contains(other) {
                continue;
            }
            match self.known(other, meta).await {
                Ok(known) if known.summary.started_at <= now => {
                    dates.push(known.summary.started_at)
                }
                Ok(_) | Err(CatalogError::NotFound { .. }) => {}
                Err(error) if error.is_unreadable() => {}
                Err(error) => return Err(error),
            }
        }
        dates.sort_by(|a, b| b.cmp(a));
        if ages::has_leapt(&dates, LEAP_DAYS) {
            return Ok(Timestamp::MIN);
        }
        Ok(ages::reference(&dates, ages::REFERENCE_MIN))
    }

    /// The check that counts, after the mark is set. Once the manifest is gone a pin holds nothing: a task that sets one
    /// now sees the mark and takes the pin back.
    pub(super) async fn check_unneeded_now(
        &self,
        backup: &BackupRef,
        is_there: bool,
    ) -> Result<(), CatalogError> {
        match self.check_unneeded(backup).await {
            Err(CatalogError::Pinned { .. } | CatalogError::Kept { .. }) if !is_there => {
                let dependents = self.dependents(backup).await?;
                if dependents.is_empty() {
                    Ok(())
                } else {
                    Err(CatalogError::IsBase {
                        backup: backup.clone(),
                        dependents,
                    })
                }
            }
            checked => checked,
        }
    }

    /// Refuses another backup than the one that was meant, and a deletion that was decided by backups which are no longer
    /// there. Counts once the mark is set: of two deletions that rely on each other's backups at least one sees the other's
    /// mark, and a backup of the same name that is begun sees this one's.
    pub(super) async fn check_as_asked(
        &self,
        backup: &BackupRef,
        request: &Request,
        mark: Option<&Mark>,
    ) -> Result<(), CatalogError> {
        let now = self.now();
        if let Some(not_after) = request.not_after.filter(|not_after| now > *not_after) {
            return Err(CatalogError::TooLate {
                backup: backup.clone(),
                not_after,
            });
        }
        // Once the mark is set, an earlier attempt that has not buried the name by now deletes nothing any more.
        if request.only_if_begun && !self.exists(&keys::tombstone(backup)).await? {
            return Err(CatalogError::DeletionNotBegun {
                backup: backup.clone(),
            });
        }
        if request.only_garbage && !self.is_garbage(backup, mark).await? {
            return Err(CatalogError::NotGarbage {
                backup: backup.clone(),
            });
        }
        if let Some(meant) = request.started_at {
            let found = self.begun_at(backup).await?;
            if found.is_some_and(|found| found.as_millisecond() != meant.as_millisecond()) {
                return Err(CatalogError::AnotherBackup {
                    backup: backup.clone(),
                    meant,
                });
            }
        }
        for name in &request.relies_on {
            let other = BackupRef {
                cluster: backup.cluster.clone(),
                name: name.clone(),
            };
            if !self.is_reliable(&other).await? {
                return Err(CatalogError::ReliedOnGone {
                    backup: backup.clone(),
                    gone: other,
                });
            }
        }
        Ok(())
    }

    /// Whether a backup is complete and is not being deleted. A manifest beside a failure may be about to be taken back by
    /// the commit that has created it.
    async fn is_reliable(&self, backup: &BackupRef) -> Result<bool, CatalogError> {
        Ok(self.marks(backup).await?.is_empty()
            && self.exists(&keys::backup_manifest(backup)).await?
            && !self.exists(&keys::failure(backup)).await?
            && !self.is_remnant(backup).await?)
    }

    /// Whether what bears the name is of no use. Once the mark is set this stays so: a backup of the name that is begun sees
    /// the mark. An earlier mark shows that a backup was to be deleted; that of an attempt like this one shows nothing.
    async fn is_garbage(
        &self,
        backup: &BackupRef,
        mark: Option<&Mark>,
    ) -> Result<bool, CatalogError> {
        if self.exists(&keys::backup_manifest(backup)).await? {
            return self.is_remnant(backup).await;
        }
        let marks = self.marks(backup).await?;
        let is_own = |key: &str| mark.is_some_and(|mark| mark.is(key));
        let is_half_deleted = marks
            .iter()
            .any(|meta| !is_own(&meta.key) && !keys::is_collection_mark(&meta.key));
        // A deletion that was found right has begun to delete.
        Ok(is_half_deleted
            || self.exists(&keys::tombstone(backup)).await?
            || self.exists(&keys::failure(backup)).await?
            || !self.exists(&keys::intent(backup)).await?)
    }

    /// When the backup was begun; none if nothing is left that has it.
    pub(crate) async fn begun_at(
        &self,
        backup: &BackupRef,
    ) -> Result<Option<Timestamp>, CatalogError> {
        match self.read_intent(backup).await {
            Ok(Some(intent)) => return Ok(Some(intent.started_at)),
            Err(error) if !error.is_unreadable() => return Err(error),
            _ => {}
        }
        let manifest = self.read_manifest(backup).await?;
        Ok(manifest.map(|manifest| manifest.started_at))
    }
}
