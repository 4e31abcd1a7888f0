//! Uploads in parts that killed processes have begun and never completed.

use super::S3;
use super::denied::{LISTING_HINT, lacking};
use super::error::{Condition, classify, condition};
use crate::StoreError;

/// Aborts every upload under a prefix that is not completed. Returns how many.
pub async fn discard(s3: &S3, prefix: &str) -> Result<u64, StoreError> {
    crate::key::check_prefix(prefix)?;
    let own = format!("{}{prefix}", s3.prefix);
    let (mut discarded, mut key_marker, mut id_marker) = (0, None, None);
    loop {
        let listed = s3.client.list_multipart_uploads().bucket(&s3.bucket);
        let page = listed
            .prefix(&own)
            .set_key_marker(key_marker.clone())
            .set_upload_id_marker(id_marker.clone())
            .send()
            .await
            .map_err(|error| lacking(classify(&s3.store, prefix, error), LISTING_HINT))?;
        for upload in page.uploads() {
            let (Some(object), Some(id)) = (upload.key(), upload.upload_id()) else {
                continue;
            };
            if object.starts_with(&own) {
                abort(s3, object, id).await?;
                discarded += 1;
            }
        }
        let next_key = page.next_key_marker().map(str::to_owned);
        let next_id = page.next_upload_id_marker().map(str::to_owned);
        let is_last = page.is_truncated() != Some(true) || next_key.is_none();
        if is_last || (next_key == key_marker && next_id == id_marker) {
            return Ok(discarded);
        }
        (key_marker, id_marker) = (next_key, next_id);
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
        Ok(_) => {
            s3.learnt.given_up().remove(id);
        }
        // Some stores go on listing it.
        Err(error) if condition(&error) == Condition::NoSuchUpload => {
            s3.learnt.given_up().insert(id.to_owned());
        }
        Err(error) => return Err(classify(&s3.store, object, error)),
    }
    Ok(())
}
