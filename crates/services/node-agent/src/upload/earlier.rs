//! What an earlier backup holds of this node: the base that a differential refers to, or the backup that a full one copies
//! from.

use std::collections::HashMap;

use api::{ErrorKind, ServiceError};
use model::manifest::{BackupKind, KeptDamage, NodeManifest};
use model::{BackupName, BackupRef, HostId};
use tracing::warn;

use super::copy::Copying;
use super::facts::BaseFacts;
use super::{FileKey, Kept, Upload, UploadError, file_key};
use crate::agent::Agent;

/// The files of an earlier backup, and what becomes of those that are unchanged.
#[derive(Default)]
pub(super) struct Earlier {
    pub files: HashMap<FileKey, Kept>,
    /// The backup that a chain of copies began with which ends in it, the first of several by name.
    pub copied_from: Option<BackupName>,
    pub reuse: Reuse,
}

/// What becomes of a file that an earlier backup holds.
#[derive(Default)]
pub(super) enum Reuse {
    #[default]
    Nothing,
    /// The manifest refers to the object of the base.
    Refer(BackupName),
    /// The object is copied inside the store.
    Copy(Copying),
}

impl Upload {
    /// Refuses a base that does not fit the kind of the backup. A differential refers to its base and copies nothing.
    pub(super) fn check_earlier(&self) -> Result<(), UploadError> {
        let is_differential = self.kind == BackupKind::Differential;
        let copies = self.copy_from.is_some();
        match self.base.is_some() != is_differential || copies && is_differential {
            true => Err(UploadError::Base),
            false => Ok(()),
        }
    }

    fn named(&self, name: &BackupName) -> BackupRef {
        BackupRef {
            cluster: self.backup.cluster.clone(),
            name: name.clone(),
        }
    }
}

/// What the base of an upload, or the backup that it copies from, holds and knows of this node; nothing where the node was
/// not in it.
pub(super) async fn earlier(
    agent: &Agent,
    upload: &Upload,
    host_id: HostId,
) -> Result<(Earlier, BaseFacts), UploadError> {
    let Some(name) = upload.base.as_ref().or(upload.copy_from.as_ref()) else {
        return Ok(Default::default());
    };
    let copies = upload.base.is_none();
    let backup = upload.named(name);
    let bucket = agent.bucket();
    let manifest = match bucket.committed_node_manifest(&backup, &host_id).await {
        // A backup that is only copied from may be deleted at any time, and is not needed.
        Err(error) if copies && error.kind() != ErrorKind::Unavailable => {
            let error = api::error::chain(&error);
            warn!(copy_from = %backup, error, "nothing is copied inside the store");
            None
        }
        read => read?,
    };
    let Some(manifest) = manifest else {
        return Ok(Default::default());
    };
    let facts = BaseFacts::of(&manifest);
    let mut copied_from = manifest.copied_from().pop_first();
    // It was uploaded, with all that its differentials refer to: the chain begins here.
    if copies && copied_from.is_none() {
        copied_from = manifest.base.clone().or(Some(backup.name));
    }
    let files = files_of(manifest);
    let reuse = match &upload.base {
        Some(base) => Reuse::Refer(base.clone()),
        None => Reuse::Copy(Copying::of(&files)),
    };
    let earlier = Earlier {
        files,
        copied_from,
        reuse,
    };
    Ok((earlier, facts))
}

fn files_of(manifest: NodeManifest) -> HashMap<FileKey, Kept> {
    let mut damaged: HashMap<_, Vec<KeptDamage>> = HashMap::new();
    for damage in manifest.damaged {
        let table = (damage.keyspace.clone(), damage.table.clone());
        let file = (damage.index.clone(), damage.file_name());
        damaged.entry((table, file)).or_default().push(damage);
    }
    let mut files = HashMap::new();
    for table in manifest.tables {
        let name = (table.keyspace, table.table);
        for file in table.files {
            let place = (name.clone(), (file.index.clone(), file.name.clone()));
            let damage = damaged.remove(&place).unwrap_or_default();
            files.insert(file_key(table.id, &file), Kept { file, damage });
        }
    }
    files
}
