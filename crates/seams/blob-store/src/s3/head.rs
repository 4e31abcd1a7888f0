//! Whether an object is there, and how large it is.

use aws_sdk_s3::types::ServerSideEncryption;

use super::S3;
use super::denied;
use super::error::classify;
use crate::{Meta, StoreError};

/// An object as the store reports it.
pub struct Head {
    pub meta: Meta,
    /// Its tag is no hash of its content then, in whichever form it is.
    pub has_kms: bool,
}

/// Whether an object is there.
pub async fn head(s3: &S3, key: &str) -> Result<Option<Head>, StoreError> {
    match once(s3, key).await {
        // Finding out why has had expired credentials read again.
        Err(error) if denied::is_unclear(&error) => once(s3, key).await,
        found => found,
    }
}

/// One request, and what it takes to understand a refusal.
async fn once(s3: &S3, key: &str) -> Result<Option<Head>, StoreError> {
    let object = s3.object(key)?;
    let head = s3.client.head_object().bucket(&s3.bucket).key(&object);
    let error = match head.send().await {
        Ok(head) => {
            let has_kms = matches!(
                head.server_side_encryption(),
                Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse)
            );
            let meta = Meta {
                key: key.to_owned(),
                size: u64::try_from(head.content_length().unwrap_or(0)).unwrap_or(0),
                tag: head.e_tag().unwrap_or_default().to_owned(),
            };
            return Ok(Some(Head { meta, has_kms }));
        }
        Err(error) => classify(&s3.store, key, error),
    };
    if error.is_not_found() {
        return missing(s3, key).await;
    }
    match denied::explain(s3, key, error).await {
        error if error.is_not_found() => Ok(None),
        error => Err(error),
    }
}

/// A response to HEAD has no body that distinguishes a missing object from a missing bucket.
async fn missing(s3: &S3, key: &str) -> Result<Option<Head>, StoreError> {
    let bucket = s3.client.head_bucket().bucket(&s3.bucket).send().await;
    match bucket.map_err(|error| classify(&s3.store, key, error)) {
        Ok(_) => Ok(None),
        Err(error) if error.is_not_found() => Err(s3.other(key, "the bucket does not exist")),
        // A caller without permission for HEAD on the bucket still got 404 for the object, not 403.
        Err(StoreError::PermissionDenied { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
