//! Finds out what a refused read means.
//!
//! A caller that may not list a bucket gets 403 for what does not exist, and a response to HEAD has no body that
//! says why. A listing of the one key settles both.

use super::S3;
use super::error::classify;
use crate::StoreError;
use crate::error::Explained;

const LIST_HINT: &str = "grant s3:ListBucket on the bucket for keys below the prefix: without it the store replies 403 \
     to a request for an object that does not exist; docs/stores.md has the policy";
const GET_HINT: &str =
    "grant s3:GetObject on the objects below the prefix; docs/stores.md has the policy";
pub const PUT_HINT: &str =
    "grant s3:PutObject on the objects below the prefix; docs/stores.md has the policy";
pub const COPY_HINT: &str = "grant s3:GetObject and s3:PutObject on the objects below the prefix, so that objects are copied inside the store; \
     docs/stores.md has the policy";
pub const DELETE_HINT: &str =
    "grant s3:DeleteObject on the objects below the prefix; docs/stores.md has the policy";
pub const LISTING_HINT: &str =
    "grant s3:ListBucket on the bucket for keys below the prefix; docs/stores.md has the policy";

/// What a refusal to read an object means: that there is none, that a right is missing, or that the credentials are no
/// good. Any other error is returned as it is.
pub async fn explain(s3: &S3, key: &str, error: StoreError) -> StoreError {
    if !is_unclear(&error) {
        return error;
    }
    let Ok(object) = s3.object(key) else {
        return error;
    };
    let list = s3.client.list_objects_v2().bucket(&s3.bucket);
    match list.prefix(&object).max_keys(1).send().await {
        Ok(page) if page.contents().iter().any(|at| at.key() == Some(&object)) => {
            lacking(error, GET_HINT)
        }
        // Only a refusal can stand for a missing object: 400 may be about anything.
        Ok(_) if matches!(error, StoreError::PermissionDenied { .. }) => StoreError::NotFound {
            key: key.to_owned(),
            store: s3.store.clone(),
        },
        Ok(_) => error,
        Err(refusal) => lacking(classify(&s3.store, key, refusal), LIST_HINT),
    }
}

/// Whether the store has not said why it refused.
pub fn is_unclear(error: &StoreError) -> bool {
    match error {
        StoreError::PermissionDenied { source, .. } | StoreError::Other { source, .. } => {
            let code = source.downcast_ref::<Explained>();
            code.is_some_and(|explained| {
                explained.hint.is_none() && ["", "AccessDenied"].contains(&explained.code.as_str())
            })
        }
        _ => false,
    }
}

/// Names the right that is missing, if that is what a refusal is about.
pub fn lacking(mut error: StoreError, hint: &'static str) -> StoreError {
    if let StoreError::PermissionDenied { source, .. } = &mut error
        && let Some(explained) = source.downcast_mut::<Explained>()
        && ["", "AccessDenied"].contains(&explained.code.as_str())
    {
        explained.hint = Some(hint);
    }
    error
}
