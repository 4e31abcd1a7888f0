//! Streams of any length: small ones in one request, longer ones in parts that are uploaded in parallel.
//!
//! At most `parallel_parts` parts are in memory, the one that is being filled included. An upload that is not
//! completed is aborted, also when the future is dropped; the parts of a killed process are discarded by the
//! storage-catalog, when the backup is committed or deleted, or by the bucket's lifecycle rule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use tokio::task::JoinSet;

use super::S3;
use super::denied::{PUT_HINT, lacking};
use super::error::{Condition, classify, condition};
use super::parts::Parts;
use super::put::{is_unsuited, unsuited_part};
use crate::{BlobStore, ByteStream, Put, StoreError};

/// S3's own limit.
const PARTS_MAX: u64 = 10_000;

pub async fn put(
    s3: &S3,
    key: &str,
    size_hint: Option<u64>,
    body: ByteStream,
) -> Result<Put, StoreError> {
    let fair_share = size_hint.unwrap_or(0).div_ceil(PARTS_MAX);
    let part_bytes = usize::try_from(s3.part_bytes.max(fair_share)).unwrap_or(usize::MAX);
    let mut parts = Parts::new(body, part_bytes);
    let first = parts.next().await?.unwrap_or_default();
    if parts.is_at_end().await? {
        return s3.put(key, first).await;
    }
    let upload = Upload::begin(s3, key).await?;
    let mut sending = Sending::new(upload.clone(), s3.parallel_parts);
    let sent = match sending.all(first, &mut parts).await {
        Ok(sent) => upload.complete(sent).await,
        Err(error) => Err(error),
    };
    if !matches!(sent, Ok(Put::Created)) {
        // Parts in flight would arrive after the abort.
        sending.tasks.shutdown().await;
        upload.abort().await;
    }
    sent
}

/// The same for one part, however small: for finding out whether the store creates once in this way, too.
pub async fn put_one_part(s3: &S3, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let upload = Upload::begin(s3, key).await?;
    let sent = match upload.part(1, bytes).await {
        Ok(part) => upload.complete(vec![part]).await,
        Err(error) => Err(error),
    };
    if !matches!(sent, Ok(Put::Created)) {
        upload.abort().await;
    }
    sent
}

/// The parts that are being uploaded.
struct Sending {
    upload: Arc<Upload>,
    parallel: usize,
    tasks: JoinSet<Result<CompletedPart, StoreError>>,
    sent: Vec<CompletedPart>,
}

impl Sending {
    fn new(upload: Arc<Upload>, parallel: usize) -> Self {
        Self {
            upload,
            parallel,
            tasks: JoinSet::new(),
            sent: Vec::new(),
        }
    }

    /// Sends all parts; returns them in order.
    async fn all(
        &mut self,
        first: Bytes,
        parts: &mut Parts,
    ) -> Result<Vec<CompletedPart>, StoreError> {
        let mut next = Some(first);
        let mut number = 0;
        while let Some(bytes) = next {
            number += 1;
            if number as u64 > PARTS_MAX {
                let why =
                    "the stream has more than 10,000 parts: give its size, or set larger parts";
                return Err(crate::source_error(&self.upload.key, why));
            }
            let upload = self.upload.clone();
            self.tasks
                .spawn(async move { upload.part(number, bytes).await });
            // The next part is read only when there is room for it.
            while self.tasks.len() >= self.parallel {
                self.join_one().await?;
            }
            next = parts.next().await?;
        }
        while !self.tasks.is_empty() {
            self.join_one().await?;
        }
        let mut sent = std::mem::take(&mut self.sent);
        sent.sort_by_key(CompletedPart::part_number);
        Ok(sent)
    }

    async fn join_one(&mut self) -> Result<(), StoreError> {
        match self.tasks.join_next().await {
            Some(Ok(part)) => self.sent.push(part?),
            Some(Err(panicked)) => return Err(self.upload.s3.other(&self.upload.key, panicked)),
            None => {}
        }
        Ok(())
    }
}

/// A multipart upload that aborts itself unless it is finished.
struct Upload {
    s3: S3,
    key: String,
    object: String,
    id: String,
    finished: AtomicBool,
}

impl Upload {
    /// Begins an upload in a task of its own: if the caller goes away in the middle of the request, the store may have begun it
    /// already, and then it is aborted as soon as its id is known.
    async fn begin(s3: &S3, key: &str) -> Result<Arc<Self>, StoreError> {
        let (begun_on, begun_for) = (s3.clone(), key.to_owned());
        let begun = tokio::spawn(async move { Self::request(&begun_on, &begun_for).await });
        begun.await.map_err(|panicked| s3.other(key, panicked))?
    }

    async fn request(s3: &S3, key: &str) -> Result<Arc<Self>, StoreError> {
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
        Ok(Arc::new(Self {
            s3: s3.clone(),
            key: key.to_owned(),
            object,
            id: id.to_owned(),
            finished: AtomicBool::new(false),
        }))
    }

    async fn part(&self, number: i32, bytes: Bytes) -> Result<CompletedPart, StoreError> {
        let checksum = self.s3.checksum(&bytes);
        let request = self
            .s3
            .client
            .upload_part()
            .bucket(&self.s3.bucket)
            .key(&self.object)
            .upload_id(&self.id)
            .part_number(number)
            .set_checksum_crc32(checksum.clone())
            .body(Body::from(bytes))
            .customize();
        let request = if self.s3.sign_payload {
            request
        } else {
            request.disable_payload_signing()
        };
        let sent = request.send().await;
        let sent = sent.map_err(|error| match is_unsuited(&error) {
            true => unsuited_part(&self.s3, &self.key, &error, false),
            false => lacking(classify(&self.s3.store, &self.key, error), PUT_HINT),
        })?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag().map(str::to_owned))
            .set_checksum_crc32(checksum)
            .build())
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

    /// Discards what was sent.
    async fn abort(&self) {
        if self.finished.swap(true, Ordering::SeqCst) {
            return;
        }
        let request = abort(&self.s3, &self.object, &self.id);
        if let Err(error) = request.await {
            tracing::warn!(
                key = self.key, upload_id = self.id, error = %error,
                "a multipart upload could not be aborted; a lifecycle rule for incomplete uploads frees its parts"
            );
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
            runtime.spawn(async move {
                let _ = abort(&s3, &object, &id).await;
            });
        }
    }
}

/// Discards the parts of an upload. Succeeds if there is none of that id.
pub async fn abort(s3: &S3, object: &str, id: &str) -> Result<(), StoreError> {
    let request = s3.client.abort_multipart_upload();
    let aborted = request
        .bucket(&s3.bucket)
        .key(object)
        .upload_id(id)
        .send()
        .await;
    match aborted {
        Ok(_) => Ok(()),
        Err(error) if condition(&error) == Condition::NoSuchUpload => Ok(()),
        Err(error) => Err(classify(&s3.store, object, error)),
    }
}
