//! Pins: what keeps a backup from being deleted while a task needs it, or as long as people want to keep it.
//!
//! A pin is written first, and only then is it checked whether the backup is being deleted; a deletion writes its mark
//! first and then looks for pins. On a store that reads its own writes at least one of two sees the other. Both may give
//! up; never do both go on.

use blob_store::Put;
use bucket::{Pin, keys};
use jiff::Timestamp;
use model::manifest::Marker;
use model::{BackupPin, BackupRef, TaskId};

use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// Pins a complete backup for a task. Safe to repeat.
    pub async fn pin(&self, backup: &BackupRef, task: &TaskId) -> Result<(), CatalogError> {
        let pin = Marker {
            backup: backup.clone(),
            at: self.now(),
            task_id: Some(*task),
            reason: None,
            until: None,
        };
        self.set_pin(backup, task, pin).await
    }

    /// Pins a complete backup for people. The same reason and end make the same pin, so that it is safe to repeat. It lies
    /// where pins of tasks lie: a release that does not know pins of people keeps the backup, too.
    pub async fn pin_by_people(
        &self,
        backup: &BackupRef,
        reason: String,
        until: Option<Timestamp>,
    ) -> Result<(), CatalogError> {
        if until.is_some_and(|until| until <= self.now()) {
            return Err(CatalogError::PinEnded {
                backup: backup.clone(),
            });
        }
        let id = id_of(&reason, until);
        let pin = Marker {
            backup: backup.clone(),
            at: self.now(),
            task_id: Some(id),
            reason: Some(reason),
            until,
        };
        self.set_pin(backup, &id, pin).await
    }

    /// Releases all pins of people, also those that have ended. Returns how many there were.
    pub async fn unpin_by_people(&self, backup: &BackupRef) -> Result<u32, CatalogError> {
        let mut released = 0;
        for pin in self.all_pins(backup).await? {
            if pin.reason.is_some() {
                self.unpin(backup, &pin.id).await?;
                released += 1;
            }
        }
        Ok(released)
    }

    async fn set_pin(
        &self,
        backup: &BackupRef,
        task: &TaskId,
        pin: Marker,
    ) -> Result<(), CatalogError> {
        if !self.exists(&keys::backup_manifest(backup)).await? {
            return Err(self.why_not_complete(backup).await?);
        }
        let by_people = pin.reason.is_some();
        let created = self.create(&keys::pin(backup, task), Pin(pin)).await?;
        let marked = !self.marks(backup).await?.is_empty();
        // A deletion that came to its end between our first check and the pin has removed its mark again.
        let there = self.exists(&keys::backup_manifest(backup)).await?;
        if !marked && there {
            return Ok(());
        }
        match created.put {
            // Another person may have been told meanwhile that this very pin is there. If the deletion is given up, it holds.
            Put::Created if there && by_people => Err(self.why_not_pinned(backup).await?),
            // It may be an earlier call's pin that holds: the deletion, if it still lives, has seen it and gives up.
            Put::Exists if there => Err(CatalogError::AnotherDeletion {
                backup: backup.clone(),
            }),
            // The task's own, also if it is from an earlier try: with the backup gone it holds nothing, and would hold
            // the next backup of that name.
            Put::Created | Put::Exists => {
                self.unpin(backup, task).await?;
                Err(self.why_not_pinned(backup).await?)
            }
        }
    }

    /// Why a pin was taken back. A deletion that was given up meanwhile leaves a complete backup: the next try pins it.
    async fn why_not_pinned(&self, backup: &BackupRef) -> Result<CatalogError, CatalogError> {
        let why = self.why_not_complete(backup).await?;
        let is_gone = !self.exists(&keys::backup_manifest(backup)).await?;
        Ok(match why {
            CatalogError::Deleting { .. } => why,
            _ if is_gone => why,
            _ => CatalogError::AnotherDeletion {
                backup: backup.clone(),
            },
        })
    }

    /// Releases a pin. Succeeds if there is none, and if the store lets nothing be deleted.
    pub async fn unpin(&self, backup: &BackupRef, task: &TaskId) -> Result<(), CatalogError> {
        self.tidy(&keys::pin(backup, task)).await
    }

    /// Every pin of a backup, those that have ended among them.
    pub async fn all_pins(&self, backup: &BackupRef) -> Result<Vec<BackupPin>, CatalogError> {
        let metas = self.metas(&keys::pins(backup)).await?;
        self.pins_of(backup, &metas).await
    }

    /// The ids under which pins lie.
    pub async fn pins(&self, backup: &BackupRef) -> Result<Vec<TaskId>, CatalogError> {
        let prefix = keys::pins(backup);
        let pins = self.metas(&prefix).await?;
        let task_of = |key: &str| {
            key.strip_prefix(&prefix)?
                .strip_suffix(".json")?
                .parse()
                .ok()
        };
        Ok(pins.iter().filter_map(|meta| task_of(&meta.key)).collect())
    }
}

/// The id of a pin by people, made from its reason and its end.
fn id_of(reason: &str, until: Option<Timestamp>) -> TaskId {
    let until = until.map(|until| until.to_string()).unwrap_or_default();
    let hash = blake3::hash(format!("{until} {reason}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    TaskId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
