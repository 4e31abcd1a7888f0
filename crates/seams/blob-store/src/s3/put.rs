//! Creating an object in one request, and what to make of a store that refuses the headers that this needs.

use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::Bytes;

use super::S3;
use super::denied::{PUT_HINT, lacking};
use super::error::{Condition, classify, condition, status_of};
use crate::{Put, StoreError};

/// How often a conditional create is retried after a conflict with another one on the same key.
const CONFLICT_ATTEMPTS_MAX: u32 = 5;
/// The pause before the first retry; doubles each time.
const CONFLICT_PAUSE: Duration = Duration::from_millis(100);

const CONDITION: &str = "If-None-Match: *";
const CHECKSUM: &str = "x-amz-checksum-crc32";
const CHECKSUM_HINT: &str = "set `checksums = false` in the section [store] of every agent and of the storage-catalog: the store does not know \
     the checksum that is sent with each object";
const CONDITION_HINT: &str = "use a store that honours `If-None-Match: *` on PutObject and CompleteMultipartUpload; without it one backup \
     could overwrite another";
const EITHER_HINT: &str = "try `checksums = false` in the section [store]; if that does not help, the store does not know \
     `If-None-Match: *` and cannot be used";
const PARTS_HINT: &str = "use a store that knows multipart uploads";

type PutError = SdkError<PutObjectError, HttpResponse>;

pub async fn put(s3: &S3, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let object = s3.object(key)?;
    let checksum = s3.checksum(&bytes);
    s3.pace(bytes.len() as u64).await;
    let mut pause = CONFLICT_PAUSE;
    let mut attempt = 1;
    loop {
        let Err(error) = request(s3, &object, bytes.clone(), checksum.clone()).await else {
            return Ok(Put::Created);
        };
        match condition(&error) {
            Condition::Exists => return Ok(Put::Exists),
            Condition::Conflict if attempt < CONFLICT_ATTEMPTS_MAX => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            _ if is_unsuited(&error) => return Err(unsuited(s3, key, bytes, error).await),
            _ => return Err(lacking(classify(&s3.store, key, error), PUT_HINT)),
        }
    }
}

async fn request(
    s3: &S3,
    object: &str,
    bytes: Bytes,
    checksum: Option<String>,
) -> Result<(), PutError> {
    let request = s3
        .client
        .put_object()
        .bucket(&s3.bucket)
        .key(object)
        .if_none_match("*")
        .set_checksum_crc32(checksum)
        .set_storage_class(s3.storage_class.clone())
        .set_server_side_encryption(s3.encryption())
        .set_ssekms_key_id(s3.sse_kms_key.clone())
        .body(Body::from(bytes))
        .customize();
    let request = if s3.sign_payload {
        request
    } else {
        request.disable_payload_signing()
    };
    request.send().await.map(drop)
}

/// Whether a store may have refused a header that it does not know.
pub fn is_unsuited<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    const CODES: &[&str] = &[
        "",
        "NotImplemented",
        "NotSupported",
        "InvalidArgument",
        "InvalidRequest",
        "InvalidHeader",
        "BadRequest",
        "MissingContentMD5",
        "MethodNotAllowed",
        "MalformedXML",
    ];
    match status_of(error) {
        Some(405 | 411 | 415 | 417 | 501 | 505) => true,
        Some(400) => CODES.contains(&error.code().unwrap_or_default()),
        _ => false,
    }
}

/// Finds out which header a store refuses: the same object is sent again without the checksum. It is as conditional as
/// the first time, so whatever comes of it is right.
async fn unsuited(s3: &S3, key: &str, bytes: Bytes, error: PutError) -> StoreError {
    let object = s3.object(key).unwrap_or_default();
    let said = words(&error);
    if !s3.checksums {
        return refused(s3, key, &said, &sent(s3, CONDITION), CONDITION_HINT);
    }
    match request(s3, &object, bytes, None).await {
        Ok(()) => refused(s3, key, &said, CHECKSUM, CHECKSUM_HINT),
        Err(second) if condition(&second) == Condition::Exists => {
            refused(s3, key, &said, CHECKSUM, CHECKSUM_HINT)
        }
        Err(second) if is_unsuited(&second) => {
            refused(s3, key, &said, &sent(s3, CONDITION), CONDITION_HINT)
        }
        Err(second) => classify(&s3.store, key, second),
    }
}

/// The refusal of a request of a multipart upload that may carry a checksum and, if it completes one, a condition.
pub fn unsuited_part<E: ProvideErrorMetadata>(
    s3: &S3,
    key: &str,
    error: &SdkError<E, HttpResponse>,
    completes: bool,
) -> StoreError {
    let said = words(error);
    let checksum = if s3.checksums { CHECKSUM } else { "" };
    match (completes, s3.checksums) {
        (true, true) => {
            let headers = format!("{CHECKSUM} or {CONDITION}");
            refused(s3, key, &said, &headers, EITHER_HINT)
        }
        (true, false) => refused(s3, key, &said, CONDITION, CONDITION_HINT),
        (false, true) => refused(s3, key, &said, &sent(s3, checksum), CHECKSUM_HINT),
        (false, false) => refused(s3, key, &said, &sent(s3, "multipart uploads"), PARTS_HINT),
    }
}

/// The status, the code and the message of a response.
pub fn words<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let status = status_of(error).unwrap_or_default();
    let code = error.code().unwrap_or_default();
    match error.message() {
        Some(message) => format!("it responded {status} {code}: {message}"),
        None => format!("it responded {status} {code}")
            .trim_end()
            .to_owned(),
    }
}

/// The headers that are left as the reason, those of settings among them.
fn sent(s3: &S3, first: &str) -> String {
    let mut headers = vec![first.to_owned()];
    if s3.storage_class.is_some() {
        headers.push("x-amz-storage-class (setting `storage_class`)".to_owned());
    }
    if s3.sse_kms_key.is_some() {
        headers.push("x-amz-server-side-encryption (setting `sse_kms_key`)".to_owned());
    }
    headers.retain(|header| !header.is_empty());
    headers.join(" or ")
}

fn refused(s3: &S3, key: &str, said: &str, headers: &str, hint: &'static str) -> StoreError {
    StoreError::Unsuitable {
        key: key.to_owned(),
        store: s3.store.clone(),
        what: format!("it does not know {headers}: {said}").into(),
        hint,
    }
}
