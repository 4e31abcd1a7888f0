//! Deleting objects, one or many.

use std::sync::atomic::Ordering;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::S3;
use super::denied::{DELETE_HINT, lacking};
use super::error::classify;
use super::put::is_unsuited;
use crate::StoreError;
use crate::error::Explained;

/// S3's own limit for one deletion request.
const DELETE_KEYS_MAX: usize = 1000;

pub async fn one(s3: &S3, key: &str) -> Result<(), StoreError> {
    let object = s3.object(key)?;
    let delete = s3.client.delete_object().bucket(&s3.bucket).key(&object);
    match delete.send().await {
        Ok(deleted) => {
            // A marker now hides the object: the bucket has versions and still holds the bytes.
            if deleted.delete_marker() == Some(true) {
                s3.learnt.keeps_versions.store(true, Ordering::Relaxed);
            }
            Ok(())
        }
        Err(error) => match classify(&s3.store, key, error) {
            error if error.is_not_found() => Ok(()),
            error => Err(lacking(error, DELETE_HINT)),
        },
    }
}

pub async fn many(s3: &S3, keys: &[String]) -> Result<(), StoreError> {
    for batch in keys.chunks(DELETE_KEYS_MAX) {
        if !s3.learnt.refuses_bulk.load(Ordering::Relaxed) && bulk(s3, batch).await? {
            continue;
        }
        crate::delete::one_by_one(s3, batch).await?;
    }
    Ok(())
}

/// Returns whether the store knows how to delete in bulk. Some demand the header Content-MD5, which the SDK does not
/// send, and some do not know the request at all.
async fn bulk(s3: &S3, keys: &[String]) -> Result<bool, StoreError> {
    let mut batch = Delete::builder().quiet(true);
    for key in keys {
        let object = ObjectIdentifier::builder().key(s3.object(key)?).build();
        batch = batch.objects(object.map_err(|error| s3.other(key, error))?);
    }
    let first = keys.first().map_or("", String::as_str);
    let batch = batch.build().map_err(|error| s3.other(first, error))?;
    let delete = s3.client.delete_objects().bucket(&s3.bucket).delete(batch);
    let response = match delete.send().await {
        Ok(response) => response,
        Err(error) if is_unsuited(&error) => {
            let error = classify(&s3.store, first, error);
            tracing::warn!(
                store = s3.store,
                error = %error,
                "the store does not delete in bulk; objects are deleted one by one"
            );
            s3.learnt.refuses_bulk.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        Err(error) => return Err(lacking(classify(&s3.store, first, error), DELETE_HINT)),
    };
    let Some(failed) = response.errors().first() else {
        return Ok(true);
    };
    let key = failed.key().unwrap_or(first).to_owned();
    let code = failed.code().unwrap_or_default().to_owned();
    let words = format!("{code}: {}", failed.message().unwrap_or_default());
    let (store, denied) = (s3.store.clone(), code == "AccessDenied");
    let is_busy = matches!(
        code.as_str(),
        "InternalError" | "SlowDown" | "ServiceUnavailable"
    );
    let hint = denied.then_some(DELETE_HINT);
    let source = Box::new(Explained { words, code, hint });
    Err(match (denied, is_busy) {
        (true, _) => StoreError::PermissionDenied { key, store, source },
        (_, true) => StoreError::Unavailable { key, store, source },
        _ => StoreError::Other { key, store, source },
    })
}
