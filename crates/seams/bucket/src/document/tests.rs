use std::sync::Arc;

use blob_store::testing::Memory;
use jiff::Timestamp;
use model::{BackupRef, TaskId};
use uuid::Uuid;

use super::*;

/// A document whose kind has a limit that a test can reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Limited {
    text: String,
}

impl Document for Limited {
    const KIND: DocumentKind = DocumentKind::Pin;
    const BYTES_MAX: u64 = 200_000;

    fn check(&self, _key: &str) -> Result<(), DocumentError> {
        Ok(())
    }
}

/// A document that has this many bytes with its header.
fn limited(bytes: usize) -> Limited {
    let of = |text: usize| Limited {
        text: "x".repeat(text),
    };
    // The header's length depends on the digits of the body's, which are the same for all of about this size.
    let sealed = envelope::seal(Limited::KIND, &of(bytes - 1000)).unwrap().0;
    of(bytes - (sealed.len() - (bytes - 1000)))
}

fn bucket() -> (Bucket, Memory) {
    let memory = Memory::default();
    (Bucket::new(Arc::new(memory.clone())), memory)
}

fn backup(name: &str) -> BackupRef {
    BackupRef {
        cluster: "prod".parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

fn failure(name: &str) -> Failure {
    Failure {
        backup: backup(name),
        failed_at: Timestamp::UNIX_EPOCH,
        reason: "a node is down".to_owned(),
    }
}

fn marker(task_id: Option<TaskId>) -> Marker {
    Marker {
        backup: backup("b1"),
        at: Timestamp::UNIX_EPOCH,
        task_id,
        reason: None,
        until: None,
    }
}

#[tokio::test]
async fn the_largest_document_that_may_be_written_can_be_read() {
    let (bucket, memory) = bucket();
    let document = limited(Limited::BYTES_MAX as usize);
    let written = bucket.write("k", document.clone()).await.unwrap();
    assert_eq!(written.put, Put::Created);
    let size = memory_bytes(&memory, "k").await.len() as u64;
    assert_eq!(size, Limited::BYTES_MAX);
    let read = bucket.read::<Limited>("k").await.unwrap().unwrap();
    assert_eq!((read.document, read.blake3), (document, written.blake3));
}

#[tokio::test]
async fn what_readers_would_refuse_is_not_written() {
    let (bucket, memory) = bucket();
    let document = limited(Limited::BYTES_MAX as usize + 1);
    let error = bucket.write("k", document.clone()).await.unwrap_err();
    assert_eq!(api::ServiceError::reason(&error), "DOCUMENT_TOO_LARGE");
    let hint = api::ServiceError::hint(&error).unwrap();
    assert!(hint.contains("fewer tables"), "{hint}");
    assert!(memory.keys().is_empty());

    let (sealed, _) = envelope::seal(Limited::KIND, &document).unwrap();
    memory.overwrite("k", sealed);
    let error = bucket.read::<Limited>("k").await.unwrap_err();
    assert_eq!(api::ServiceError::reason(&error), "DOCUMENT_TOO_LARGE");
    assert!(
        matches!(
            error,
            BucketError::Document {
                source: DocumentError::TooLarge {
                    bytes: 200_001,
                    bytes_max: 200_000
                },
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn all_readers_of_a_backup_manifest_have_one_limit() {
    assert_eq!(CommittedNodes::BYTES_MAX, BackupManifest::BYTES_MAX);
    assert_eq!(CommittedNodes::KIND, BackupManifest::KIND);
}

#[tokio::test]
async fn a_document_of_another_backup_is_neither_read_nor_written() {
    let (bucket, memory) = bucket();
    let (own, other) = (keys::failure(&backup("b1")), keys::failure(&backup("b2")));
    bucket.write(&own, failure("b1")).await.unwrap();
    memory.overwrite(&other, memory_bytes(&memory, &own).await);
    let error = bucket.read::<Failure>(&other).await.unwrap_err();
    let BucketError::Document { key, source } = error else {
        panic!("{error:?}");
    };
    assert_eq!(key, other);
    assert!(matches!(source, DocumentError::Misplaced { own: found } if found == own));

    let error = bucket.write(&other, failure("b1")).await.unwrap_err();
    assert!(matches!(error, BucketError::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_document_that_is_there_stays() {
    let (bucket, _) = bucket();
    let key = keys::failure(&backup("b1"));
    bucket.write(&key, failure("b1")).await.unwrap();
    let mut other = failure("b1");
    other.reason = "another".to_owned();
    let written = bucket.write(&key, other.clone()).await.unwrap();
    assert_eq!((written.put, written.document), (Put::Exists, other));
    let read = bucket.read::<Failure>(&key).await.unwrap().unwrap();
    assert_eq!(read.document, failure("b1"));
    assert_eq!(bucket.read::<Failure>("nothing").await.unwrap(), None);
}

#[test]
fn pins_and_marks_belong_to_their_backup_and_task() {
    let task = TaskId(Uuid::from_u128(1));
    let pin = Pin(marker(Some(task)));
    assert!(pin.check(&keys::pin(&backup("b1"), &task)).is_ok());
    assert!(pin.check(&keys::pin(&backup("b2"), &task)).is_err());
    assert!(Pin(marker(None)).check("k").is_err());
    let mark = DeletionMark(marker(None));
    let key = |name| keys::deletion_mark(&backup(name), 1, &Uuid::nil());
    assert!(mark.check(&key("b1")).is_ok());
    assert!(mark.check(&key("b10")).is_err());
}

async fn memory_bytes(memory: &Memory, key: &str) -> Bytes {
    use blob_store::BlobStore;
    memory.get(key, u64::MAX).await.unwrap()
}
