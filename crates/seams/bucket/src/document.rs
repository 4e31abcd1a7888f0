//! The documents of the bucket: which kinds there are, how large each may be, and the one reader and writer of all.
//!
//! A limit holds for the writer and for every reader, so that what was written can be read everywhere.

use blob_store::{Put, StoreError};
use bytes::Bytes;
use model::Sample;
use model::manifest::{
    BackupManifest, Failure, Intent, KeptSummary, Marker, NodeManifest, Summaries, Verification,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::envelope::{self, DocumentError, DocumentKind};
use crate::error::BucketError;
use crate::node_manifest::CommittedNodes;
use crate::{Bucket, keys, node_manifest, off_thread};

/// Intents, failures, pins, marks and results of verifications are some hundred bytes.
const SMALL_BYTES_MAX: u64 = 1 << 20;
/// The schema of a cluster with thousands of tables is some megabytes.
const BACKUP_MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// A million files are some 300 MB.
const NODE_MANIFEST_BYTES_MAX: u64 = 1 << 30;
/// Twenty thousand summaries are some 15 MB.
const SUMMARIES_BYTES_MAX: u64 = 256 << 20;
/// Documents up to here are checked and parsed in place: it takes less than half a millisecond.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// The body of a document in the bucket, with what holds for all documents of its kind.
pub trait Document: DeserializeOwned + Send + 'static {
    /// The kind that the header names.
    const KIND: DocumentKind;
    /// The largest document of this kind, in bytes, header included. The writer refuses what readers would refuse.
    const BYTES_MAX: u64;

    /// Refuses a document that does not belong under `key`, or whose content is not valid.
    fn check(&self, key: &str) -> Result<(), DocumentError>;

    /// The lowest form that can hold its content: releases that know no higher one can use what they would
    /// understand.
    fn format(&self) -> u32 {
        envelope::FORMAT_BEFORE_PACKS
    }
}

/// The pin of a task: keeps a backup from being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(pub Marker);

/// The mark of one attempt to delete a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeletionMark(pub Marker);

/// The name of a backup that was deleted: it is never taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tombstone(pub Marker);

macro_rules! document {
    ($type:ty, $kind:ident, $max:ident, $check:expr) => {
        impl Document for $type {
            const KIND: DocumentKind = DocumentKind::$kind;
            const BYTES_MAX: u64 = $max;

            fn check(&self, key: &str) -> Result<(), DocumentError> {
                let check: fn(&Self, &str) -> Result<(), DocumentError> = $check;
                check(self, key)
            }
        }
    };
}

document!(Intent, Intent, SMALL_BYTES_MAX, |intent, key| {
    belongs(keys::intent(&intent.backup), key)
});
document!(Failure, Failure, SMALL_BYTES_MAX, |failure, key| {
    belongs(keys::failure(&failure.backup), key)
});
document!(Pin, Pin, SMALL_BYTES_MAX, |Pin(pin), key| {
    let task = pin.task_id.ok_or_else(|| DocumentError::Content {
        what: "a pin without a task".to_owned(),
    })?;
    belongs(keys::pin(&pin.backup, &task), key)
});
document!(
    DeletionMark,
    Deletion,
    SMALL_BYTES_MAX,
    |DeletionMark(mark), key| {
        let own = keys::deletion_marks(&mark.backup);
        if key.starts_with(&own) {
            Ok(())
        } else {
            Err(DocumentError::Misplaced { own })
        }
    }
);
document!(
    Tombstone,
    Tombstone,
    SMALL_BYTES_MAX,
    |Tombstone(it), key| { belongs(keys::tombstone(&it.backup), key) }
);
document!(
    Verification,
    Verification,
    SMALL_BYTES_MAX,
    |verification, key| {
        let Verification { backup, result, .. } = verification;
        let own = keys::verifications_of(backup, result.level);
        let of_sample = |sample: Sample| keys::samples_of_part(backup, result.level, sample);
        let of_sample = result.sample.map(of_sample);
        // Damage that a sample has found is kept as that of the whole, too.
        let is_damage = result.sample.is_none() || result.damaged > 0;
        if is_damage && key.starts_with(&own) || of_sample.is_some_and(|own| key.starts_with(&own))
        {
            Ok(())
        } else {
            Err(DocumentError::Misplaced { own })
        }
    }
);
document!(
    Summaries,
    Summaries,
    SUMMARIES_BYTES_MAX,
    |summaries, key| {
        let own = keys::summaries(&summaries.cluster);
        let is_own = |kept: &KeptSummary| kept.summary.backup.cluster == summaries.cluster;
        if key.starts_with(&own) && summaries.backups.iter().all(is_own) {
            Ok(())
        } else {
            Err(DocumentError::Misplaced { own })
        }
    }
);
document!(
    BackupManifest,
    BackupManifest,
    BACKUP_MANIFEST_BYTES_MAX,
    |manifest, key| belongs(keys::backup_manifest(&manifest.backup), key)
);
document!(
    CommittedNodes,
    BackupManifest,
    BACKUP_MANIFEST_BYTES_MAX,
    |committed, key| belongs(keys::backup_manifest(&committed.backup), key)
);

impl Document for NodeManifest {
    const KIND: DocumentKind = DocumentKind::NodeManifest;
    const BYTES_MAX: u64 = NODE_MANIFEST_BYTES_MAX;

    fn check(&self, key: &str) -> Result<(), DocumentError> {
        node_manifest::check(self, key)
    }

    fn format(&self) -> u32 {
        node_manifest::format(self)
    }
}

/// A whole document of another backup where this one's belongs is as bad as damage.
fn belongs(own: String, key: &str) -> Result<(), DocumentError> {
    if own == key {
        Ok(())
    } else {
        Err(DocumentError::Misplaced { own })
    }
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// Its body.
    pub document: T,
    /// Hex BLAKE3 of its body.
    pub blake3: String,
}

/// A document that was to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// Whether it was created or another object was there already.
    pub put: Put,
    /// The body that was given.
    pub document: T,
    /// Hex BLAKE3 of that body.
    pub blake3: String,
}

impl Bucket {
    /// Reads a document and checks it: header, hash, size, and that it belongs under `key`. `None` if there is none.
    pub async fn read<T: Document>(&self, key: &str) -> Result<Option<Read<T>>, BucketError> {
        let document = |source| BucketError::Document {
            key: key.to_owned(),
            source,
        };
        let sealed = match self.store.get(key, T::BYTES_MAX).await {
            Ok(sealed) => sealed,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(StoreError::TooLarge {
                size, bytes_max, ..
            }) => {
                return Err(document(DocumentError::TooLarge {
                    bytes: size,
                    bytes_max,
                }));
            }
            Err(source) => return Err(source.into()),
        };
        Ok(Some(open::<T>(key, sealed).await.map_err(document)?))
    }

    /// Creates a document unless there is an object under its key. Refuses one that readers would refuse.
    pub async fn write<T: Document + Serialize>(
        &self,
        key: &str,
        document: T,
    ) -> Result<Written<T>, BucketError> {
        let sealed = if is_small(&document) {
            seal_checked(key, &document).map(|sealed| (document, sealed))
        } else {
            let key = key.to_owned();
            let seal = move || seal_checked(&key, &document).map(|sealed| (document, sealed));
            off_thread(seal).await
        };
        let (document, (sealed, blake3)) = sealed.map_err(|source| BucketError::Unwritable {
            key: key.to_owned(),
            source,
        })?;
        Ok(Written {
            put: self.store.put(key, sealed.into()).await?,
            document,
            blake3,
        })
    }
}

/// Whether the body has at most [`INLINE_BYTES_MAX`] bytes; a larger one is written no further than that.
fn is_small(document: &impl Serialize) -> bool {
    let mut buffer = [0; INLINE_BYTES_MAX];
    serde_json::to_writer(&mut buffer[..], document).is_ok()
}

fn seal_checked<T: Document + Serialize>(
    key: &str,
    document: &T,
) -> Result<(Vec<u8>, String), DocumentError> {
    document.check(key)?;
    let (sealed, blake3) = seal_document(document)?;
    let bytes = sealed.len() as u64;
    if bytes > T::BYTES_MAX {
        return Err(DocumentError::TooLarge {
            bytes,
            bytes_max: T::BYTES_MAX,
        });
    }
    Ok((sealed, blake3))
}

/// Wraps a document in its form, unchecked; returns the bytes to store and the hex BLAKE3 of the body.
pub fn seal_document<T: Document + Serialize>(
    document: &T,
) -> Result<(Vec<u8>, String), DocumentError> {
    envelope::seal_as(document.format(), T::KIND, document)
}

async fn open<T: Document>(key: &str, sealed: Bytes) -> Result<Read<T>, DocumentError> {
    if sealed.len() <= INLINE_BYTES_MAX {
        return open_checked(key, &sealed);
    }
    let key = key.to_owned();
    off_thread(move || open_checked(&key, &sealed)).await
}

pub(crate) fn open_checked<T: Document>(
    key: &str,
    sealed: &[u8],
) -> Result<Read<T>, DocumentError> {
    let opened = envelope::open::<T>(T::KIND, sealed)?;
    let (document, blake3) = (opened.document, opened.blake3);
    // Readers of that form would misunderstand it.
    if document.format() > opened.format {
        return Err(DocumentError::Content {
            what: format!("it has what form {} does not know", opened.format),
        });
    }
    document.check(key)?;
    Ok(Read { document, blake3 })
}

#[cfg(test)]
mod tests;
