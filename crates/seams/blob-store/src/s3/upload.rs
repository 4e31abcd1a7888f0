//! One upload in parts: begun or taken up again, sent, and completed or aborted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::S3;
use super::denied::{PUT_HINT, lacking};
use super::error::{Condition, classify, condition};
use super::put::{is_unsuited, unsuited_part};
use super::resume::{self, SentPart};
use super::unfinished::abort;
use crate::{BlobStore, Put, StoreError};

/// An object of fewer parts is sent again sooner than the store is asked what it has of it.
const RESUMED_PARTS_MIN: u64 = 4;

/// A multipart upload that aborts itself unless it is finished.
pub struct Upload {
    pub s3: S3,
    pub key: String,
    object: String,
    id: String,
    finished: AtomicBool,
    /// Whether a later try would take it up.
    is_resumable: bool,
    /// What an earlier try has sent.
    before: HashMap<i32, SentPart>,
    /// Other uploads of the object, of no use once it is there.
    others: Vec<String>,
    /// Whether this try has sent a part.
    advanced: AtomicBool,
}

impl Upload {
    /// Takes up an unfinished upload of this object, or begins one; `None` if the object is there already. What stands
    /// in the way of taking up is no reason not to begin.
    pub async fn take_up(s3: &S3, key: &str, parts: u64) -> Result<Option<Arc<Self>>, StoreError> {
        // Without checksums there is nothing to compare the parts by.
        if parts < RESUMED_PARTS_MIN || !s3.checksums {
            return Self::begin(s3, key).await.map(Some);
        }
        if let Ok(Some(_)) = s3.head(key).await {
            return Ok(None);
        }
        let object = s3.object(key)?;
        let mut found = resume::unfinished(s3, &object).await.into_iter();
        let Some(newest) = found.next() else {
            return Self::begin_in_task(s3, key, true).await.map(Some);
        };
        let before = resume::sent_parts(s3, &object, &newest).await;
        tracing::info!(
            key,
            parts = before.len(),
            "an unfinished upload is taken up"
        );
        let mut upload = Self::new(s3, key, object, newest);
        (upload.is_resumable, upload.before) = (true, before);
        upload.others = found.collect();
        Ok(Some(Arc::new(upload)))
    }

    pub async fn begin(s3: &S3, key: &str) -> Result<Arc<Self>, StoreError> {
        Self::begin_in_task(s3, key, false).await
    }

    /// Begins an upload in a task of its own: if the caller goes away in the middle of the request, the store may have begun it
    /// already, and then it is aborted as soon as its id is known.
    async fn begin_in_task(
        s3: &S3,
        key: &str,
        is_resumable: bool,
    ) -> Result<Arc<Self>, StoreError> {
        let (begun_on, begun_for) = (s3.clone(), key.to_owned());
        let begun = tokio::spawn(async move {
            let mut upload = Self::request(&begun_on, &begun_for).await?;
            upload.is_resumable = is_resumable;
            Ok(Arc::new(upload))
        });
        begun.await.map_err(|panicked| s3.other(key, panicked))?
    }

    async fn request(s3: &S3, key: &str) -> Result<Self, StoreError> {
        let object = s3.object(key)?;
        let begun = s3
            .client
            .create_multipart_upload()
            .bucket(&s3.bucket)
            .key(&object)
            .set_checksum_algorithm(s3.checksums.then_some(ChecksumAlgorithm::Crc32))
            .set_storage_class(s3.storage_class.clone())
            .set_server_side_encryption(s3.encryption())
            .set_ssekms_key_id(s3.sse_kms_key.clone())
            .send()
            .await
            .map_err(|error| match is_unsuited(&error) {
                true => unsuited_part(s3, key, &error, false),
                false => lacking(classify(&s3.store, key, error), PUT_HINT),
            })?;
        let Some(id) = begun.upload_id() else {
            return Err(s3.other(key, "the store began an upload without an id"));
        };
        Ok(Self::new(s3, key, object, id.to_owned()))
    }

    fn new(s3: &S3, key: &str, object: String, id: String) -> Self {
        Self {
            s3: s3.clone(),
            key: key.to_owned(),
            object,
            id,
            finished: AtomicBool::new(false),
            is_resumable: false,
            before: HashMap::new(),
            others: Vec::new(),
            advanced: AtomicBool::new(false),
        }
    }

    /// Sends a part, unless an earlier try has.
    pub async fn part(
        self: Arc<Self>,
        number: i32,
        bytes: Bytes,
    ) -> Result<CompletedPart, StoreError> {
        let size = bytes.len() as u64;
        let hashed = bytes.clone();
        let crc32 = tokio::task::spawn_blocking(move || crc32fast::hash(&hashed));
        let crc32 = crc32
            .await
            .map_err(|panicked| self.s3.other(&self.key, panicked))?;
        self.send(number, size, crc32, || Body::from(bytes)).await
    }

    /// Sends a part of this size and checksum, unless an earlier try has.
    pub async fn send(
        &self,
        number: i32,
        size: u64,
        crc32: u32,
        body: impl FnOnce() -> Body,
    ) -> Result<CompletedPart, StoreError> {
        let checksum = self.s3.checksums.then(|| encode(crc32));
        if let Some(sent) = self.before.get(&number)
            && sent.size == size
            && Some(&sent.crc32) == checksum.as_ref()
        {
            return Ok(completed(number, Some(sent.tag.clone()), checksum));
        }
        let request = self
            .s3
            .client
            .upload_part()
            .bucket(&self.s3.bucket)
            .key(&self.object)
            .upload_id(&self.id)
            .part_number(number)
            .set_checksum_crc32(checksum.clone())
            .body(body())
            .customize();
        let request = if self.s3.sign_payload {
            request
        } else {
            request.disable_payload_signing()
        };
        let sent = request.send().await;
        let sent = sent.map_err(|error| match is_unsuited(&error) {
            true => unsuited_part(&self.s3, &self.key, &error, false),
            false if condition(&error) == Condition::NoSuchUpload => {
                self.undecided(classify(&self.s3.store, &self.key, error))
            }
            false => lacking(classify(&self.s3.store, &self.key, error), PUT_HINT),
        })?;
        self.advanced.store(true, Ordering::SeqCst);
        Ok(completed(number, sent.e_tag().map(str::to_owned), checksum))
    }

    pub async fn complete(&self, parts: Vec<CompletedPart>) -> Result<Put, StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let completed = self
            .s3
            .client
            .complete_multipart_upload()
            .bucket(&self.s3.bucket)
            .key(&self.object)
            .upload_id(&self.id)
            .if_none_match("*")
            .multipart_upload(parts.build())
            .send()
            .await;
        let Err(error) = completed else {
            self.finished.store(true, Ordering::SeqCst);
            self.abort_others().await;
            return Ok(Put::Created);
        };
        match condition(&error) {
            Condition::Exists => Ok(Put::Exists),
            // An earlier try whose response was lost has completed it; or another client aborted it, and there is no
            // object.
            Condition::NoSuchUpload => match self.s3.head(&self.key).await? {
                Some(_) => Ok(Put::Exists),
                None => Err(self.undecided(classify(&self.s3.store, &self.key, error))),
            },
            // After a conflict S3 requires the whole upload again; the caller repeats it.
            Condition::Conflict => Err(self.undecided(classify(&self.s3.store, &self.key, error))),
            Condition::Other if is_unsuited(&error) => {
                Err(unsuited_part(&self.s3, &self.key, &error, true))
            }
            Condition::Other => Err(classify(&self.s3.store, &self.key, error)),
        }
    }

    fn undecided(&self, source: StoreError) -> StoreError {
        StoreError::Unavailable {
            key: self.key.clone(),
            store: self.s3.store.clone(),
            source: source.into(),
        }
    }

    /// Leaves what was sent for the next try, if that would take it up. Without progress it does not: then the upload
    /// itself may be at fault.
    pub fn keep_for_later(&self) {
        if self.is_resumable && self.advanced.load(Ordering::SeqCst) {
            self.finished.store(true, Ordering::SeqCst);
        }
    }

    /// Discards what was sent, unless it is finished or kept.
    pub async fn abort(&self) {
        if self.finished.swap(true, Ordering::SeqCst) {
            return;
        }
        let id = self.id.clone();
        self.s3.learnt.given_up().insert(id.clone());
        if let Err(error) = abort(&self.s3, &self.object, &id).await {
            tracing::warn!(
                key = self.key, upload_id = self.id, error = %error,
                "a multipart upload could not be aborted; a lifecycle rule for incomplete uploads frees its parts"
            );
        }
        self.abort_others().await;
    }

    async fn abort_others(&self) {
        for id in &self.others {
            // The next to discard them is the storage-catalog.
            let _ = abort(&self.s3, &self.object, id).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.finished.load(Ordering::SeqCst) {
            return;
        }
        // Dropped midway. No caller can wait for this; without a runtime the process is ending anyway.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (s3, object, id) = (self.s3.clone(), self.object.clone(), self.id.clone());
            s3.learnt.given_up().insert(id.clone());
            runtime.spawn(async move {
                let _ = abort(&s3, &object, &id).await;
            });
        }
    }
}

fn completed(number: i32, tag: Option<String>, checksum: Option<String>) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(tag)
        .set_checksum_crc32(checksum)
        .build()
}

/// A CRC32 as S3 writes it.
pub fn encode(crc32: u32) -> String {
    aws_smithy_types::base64::encode(crc32.to_be_bytes())
}
