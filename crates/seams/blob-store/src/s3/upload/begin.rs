//! How an upload comes about: taken up where an earlier try has left it, or begun.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::types::ChecksumAlgorithm;

use super::Upload;
use crate::s3::S3;
use crate::s3::denied::{PUT_HINT, lacking};
use crate::s3::error::classify;
use crate::s3::put::{is_unsuited, unsuited_part};
use crate::s3::resume::{self, Found};
use crate::{BlobStore, StoreError};

/// An object of fewer parts is sent again sooner than the store is asked what it has of it.
const RESUMED_PARTS_MIN: u64 = 4;

impl Upload {
    /// Takes up an unfinished upload of this object, or begins one; `None` if the object is there already.
    pub async fn take_up(s3: &S3, key: &str, parts: u64) -> Result<Option<Arc<Self>>, StoreError> {
        // Without checksums there is nothing to compare the parts by.
        if parts < RESUMED_PARTS_MIN || !s3.checksums {
            return Self::begin(s3, key).await.map(Some);
        }
        if let Ok(Some(_)) = s3.head(key).await {
            return Ok(None);
        }
        // The store does not list the key that an upload is encrypted with, and it must be the one of the settings.
        if s3.sse_kms_key.is_some() {
            return Self::begin(s3, key).await.map(Some);
        }
        let object = s3.object(key)?;
        let Some(found) = resume::find(s3, key, &object).await? else {
            // A later try would not find this upload either.
            return Self::begin(s3, key).await.map(Some);
        };
        let Found { best, others } = found;
        let Some((id, before)) = best else {
            return Self::begin_in_task(s3, key, true, others).await.map(Some);
        };
        let parts = before.len();
        tracing::info!(key, parts, "an unfinished upload is taken up");
        let mut upload = Self::new(s3, key, object, id);
        (upload.is_resumable, upload.is_taken_up) = (true, true);
        (upload.before, upload.others) = (before, others);
        Ok(Some(Arc::new(upload)))
    }

    pub async fn begin(s3: &S3, key: &str) -> Result<Arc<Self>, StoreError> {
        Self::begin_in_task(s3, key, false, Vec::new()).await
    }

    /// Begins an upload in a task of its own: if the caller goes away in the middle of the request, the store may have
    /// begun it already, and then it is aborted as soon as its id is known.
    async fn begin_in_task(
        s3: &S3,
        key: &str,
        is_resumable: bool,
        others: Vec<String>,
    ) -> Result<Arc<Self>, StoreError> {
        let (begun_on, begun_for) = (s3.clone(), key.to_owned());
        let begun = tokio::spawn(async move {
            let mut upload = Self::request(&begun_on, &begun_for).await?;
            (upload.is_resumable, upload.others) = (is_resumable, others);
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
            is_taken_up: false,
            is_spoilt: AtomicBool::new(false),
            before: HashMap::new(),
            others: Vec::new(),
            advanced: AtomicBool::new(false),
        }
    }
}
