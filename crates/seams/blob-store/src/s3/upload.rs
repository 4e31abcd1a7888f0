//! One upload in parts: begun or taken up again, sent, and completed or aborted.

mod begin;
mod copied;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::S3;
use super::denied::{PUT_HINT, lacking};
use super::error::{Condition, classify, condition};
use super::multipart::PARTS_MAX;
use super::put::{is_unsuited, unsuited_part};
use super::resume::SentParts;
use super::unfinished::abort;
use crate::sending::InParts;
use crate::{BlobStore, Put, StoreError};

/// A multipart upload that aborts itself, unless it is finished or the next try can go on from it.
pub struct Upload {
    pub s3: S3,
    pub key: String,
    object: String,
    id: String,
    finished: AtomicBool,
    /// Whether a later try would take it up.
    is_resumable: bool,
    /// Whether an earlier try has begun it.
    is_taken_up: bool,
    /// Whether the store has shown that it can never be completed.
    is_spoilt: AtomicBool,
    /// What an earlier try has sent.
    before: SentParts,
    /// Other uploads of the object, of no use once it is there.
    others: Vec<String>,
    /// Whether this try has sent a part.
    advanced: AtomicBool,
}

impl Upload {
    /// Sends a part of this size and checksum, unless an earlier try has.
    pub async fn send(
        &self,
        number: u32,
        size: u64,
        crc32: u32,
        body: impl FnOnce() -> Body,
    ) -> Result<CompletedPart, StoreError> {
        let checksum = self.s3.checksums.then(|| encode(crc32));
        let number = i32::try_from(number).map_err(|error| self.s3.other(&self.key, error))?;
        if let Some(sent) = self.before.get(&number)
            && sent.size == size
            && Some(&sent.crc32) == checksum.as_ref()
        {
            return Ok(completed(number, Some(sent.tag.clone()), checksum));
        }
        // Not inside the request, whose time is limited.
        self.s3.pace(size).await;
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
        let sent = sent.map_err(|error| self.failed(error, false))?;
        self.advanced.store(true, Ordering::SeqCst);
        Ok(completed(number, sent.e_tag().map(str::to_owned), checksum))
    }

    /// What to report of a request that failed, and whether another try can use this upload.
    fn failed<E>(&self, error: SdkError<E, HttpResponse>, completes: bool) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (s3, key) = (&self.s3, &self.key);
        match condition(&error) {
            Condition::NoSuchUpload => return self.spoilt(classify(&s3.store, key, error)),
            // S3 then requires the whole upload again; the caller repeats it.
            Condition::Conflict if completes => {
                return self.spoilt(classify(&s3.store, key, error));
            }
            _ => {}
        }
        let error = if is_unsuited(&error) {
            unsuited_part(s3, key, &error, completes)
        } else {
            lacking(classify(&s3.store, key, error), PUT_HINT)
        };
        // It may have been begun with other settings, or lack a part that the store has listed. One that this process
        // begins shows whether that was the reason.
        if self.is_taken_up && !may_pass(&error) {
            return self.spoilt(error);
        }
        error
    }

    /// The next try begins another upload.
    fn spoilt(&self, source: StoreError) -> StoreError {
        self.is_spoilt.store(true, Ordering::SeqCst);
        self.s3.learnt.given_up().insert(self.id.clone());
        StoreError::Unavailable {
            key: self.key.clone(),
            store: self.s3.store.clone(),
            source: source.into(),
        }
    }

    /// Whether the next try can go on from what was sent.
    fn is_of_use(&self) -> bool {
        let has_parts = !self.before.is_empty() || self.advanced.load(Ordering::SeqCst);
        self.is_resumable && has_parts && !self.is_spoilt.load(Ordering::SeqCst)
    }

    async fn abort(&self) {
        if self.finished.swap(true, Ordering::SeqCst) {
            return;
        }
        let is_spoilt = self.is_spoilt.load(Ordering::SeqCst);
        let given_up = give_up(&self.s3, &self.object, &self.id, is_spoilt);
        if let Err(error) = given_up.await {
            tracing::warn!(
                key = self.key, upload_id = self.id, error = %error,
                "a multipart upload could not be aborted; a lifecycle rule for incomplete uploads frees its parts"
            );
        }
    }
}

#[async_trait]
impl InParts for Upload {
    type Part = CompletedPart;
    const PARTS_MAX: u64 = PARTS_MAX;

    fn key(&self) -> &str {
        &self.key
    }

    fn store(&self) -> String {
        self.s3.store.clone()
    }

    async fn part(self: Arc<Self>, number: u32, bytes: Bytes) -> Result<CompletedPart, StoreError> {
        let size = bytes.len() as u64;
        let hashed = bytes.clone();
        let crc32 = tokio::task::spawn_blocking(move || crc32fast::hash(&hashed));
        let crc32 = crc32
            .await
            .map_err(|panicked| self.s3.other(&self.key, panicked))?;
        self.send(number, size, crc32, || Body::from(bytes)).await
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<Put, StoreError> {
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
            return Ok(Put::Created);
        };
        match condition(&error) {
            Condition::Exists => Ok(Put::Exists),
            // An earlier try whose response was lost has completed it; or another client aborted it, and there is no
            // object.
            Condition::NoSuchUpload => {
                let gone = self.failed(error, true);
                match self.s3.head(&self.key).await? {
                    Some(_) => Ok(Put::Exists),
                    None => Err(gone),
                }
            }
            Condition::Conflict | Condition::Other => Err(self.failed(error, true)),
        }
    }

    /// What the next try can go on from is left.
    async fn end(&self, put: &Result<Put, StoreError>) {
        match put {
            Ok(Put::Created) => {}
            Err(error) if may_pass(error) && self.is_of_use() => {
                self.finished.store(true, Ordering::SeqCst);
            }
            Ok(Put::Exists) | Err(_) => self.abort().await,
        }
        if put.is_ok() {
            for id in &self.others {
                // The next to discard them is the storage-catalog.
                let _ = abort(&self.s3, &self.object, id).await;
            }
        }
    }
}

impl Drop for Upload {
    /// Dropped midway, because the task was stopped, or because the store was lost and another file has noticed first.
    fn drop(&mut self) {
        if self.finished.load(Ordering::SeqCst) || self.is_of_use() {
            return;
        }
        // No caller can wait for this; without a runtime the process is ending anyway.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (s3, object, id) = (self.s3.clone(), self.object.clone(), self.id.clone());
            let is_spoilt = self.is_spoilt.load(Ordering::SeqCst);
            s3.learnt.given_up().insert(id.clone());
            runtime.spawn(async move {
                let _ = give_up(&s3, &object, &id, is_spoilt).await;
            });
        }
    }
}

/// Aborts an upload that no try takes up meanwhile, nor later if it is spoilt.
async fn give_up(s3: &S3, object: &str, id: &str, is_spoilt: bool) -> Result<(), StoreError> {
    s3.learnt.given_up().insert(id.to_owned());
    let aborted = abort(s3, object, id).await;
    if aborted.is_err() && !is_spoilt {
        s3.learnt.given_up().remove(id);
    }
    aborted
}

/// Whether a later try may succeed with the same upload: when the store is back, or its operator has renewed
/// credentials, granted a right or made room.
fn may_pass(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unavailable { .. }
            | StoreError::PermissionDenied { .. }
            | StoreError::QuotaExceeded { .. }
    )
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
