//! What earlier tries have sent of an object that they never finished.
//!
//! None of this is needed to store the object. If the store does not list uploads, or a right is missing, everything
//! is sent again. If it is out of reach, the caller waits for it: to begin another upload then would leave behind what
//! was sent already.

use std::cmp::Reverse;
use std::collections::HashMap;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumAlgorithm, MultipartUpload, Part, StorageClass};

use super::S3;
use super::error::{Condition, classify, condition, status_of};
use super::put::is_unsuited;
use crate::StoreError;

/// More pages of parts than 10,000 parts can have.
const PAGES_MAX: usize = 100;
/// Of more uploads of one object than tries are likely to have left, the parts are not listed.
const UPLOADS_MAX: usize = 16;

/// A part that the store holds, as it reports it.
pub struct SentPart {
    pub size: u64,
    /// In base64.
    pub crc32: String,
    pub tag: String,
}

/// The parts of an upload by their numbers.
pub type SentParts = HashMap<i32, SentPart>;

/// The unfinished uploads of one object.
#[derive(Default)]
pub struct Found {
    /// The one with the most parts, the newest of several.
    pub best: Option<(String, SentParts)>,
    pub others: Vec<String>,
}

/// The uploads of this object that were begun and neither completed nor aborted; `None` if they cannot be listed.
pub async fn find(s3: &S3, key: &str, object: &str) -> Result<Option<Found>, StoreError> {
    let Some(listed) = unfinished(s3, key, object).await? else {
        return Ok(None);
    };
    let mut found = Found::default();
    for (place, upload) in listed.into_iter().enumerate() {
        let id = upload.id;
        if place >= UPLOADS_MAX || !upload.is_alike {
            found.others.push(id);
            continue;
        }
        let Some(listed) = sent_parts(s3, key, object, &id).await? else {
            // Some stores list uploads for a while after they are gone.
            s3.learnt.given_up().insert(id);
            continue;
        };
        let Listing::Sent(parts) = listed else {
            found.others.push(id);
            continue;
        };
        let most = found.best.as_ref().map(|(_, parts)| parts.len());
        if most.is_some_and(|most| most >= parts.len()) {
            found.others.push(id);
        } else if let Some((fewer, _)) = found.best.replace((id, parts)) {
            found.others.push(fewer);
        }
    }
    Ok(Some(found))
}

/// The parts of an upload.
enum Listing {
    Sent(SentParts),
    /// None has a checksum, or there is none: it may be a copy that broke off, which was begun without checksums.
    Unchecked,
}

struct Listed {
    id: String,
    begun: Option<DateTime>,
    /// Whether this process would begin it in the same way, as far as the store shows.
    is_alike: bool,
}

/// The uploads of this object, the newest first; `None` if they cannot be listed.
async fn unfinished(s3: &S3, key: &str, object: &str) -> Result<Option<Vec<Listed>>, StoreError> {
    let listed = s3.client.list_multipart_uploads().bucket(&s3.bucket);
    let page = match listed.prefix(object).send().await {
        Ok(page) => page,
        Err(error) if is_never_listed(&error) => {
            tracing::debug!(object, error = %error, "unfinished uploads cannot be listed");
            return Ok(None);
        }
        Err(error) => return Err(classify(&s3.store, key, error)),
    };
    let own = page.uploads().iter().filter(|it| it.key() == Some(object));
    let mut found: Vec<_> = own.filter_map(|it| listed_upload(s3, it)).collect();
    found.retain(|it| !s3.learnt.given_up().contains(&it.id));
    found.sort_by_key(|it| Reverse(it.begun));
    Ok(Some(found))
}

fn listed_upload(s3: &S3, upload: &MultipartUpload) -> Option<Listed> {
    // Without a setting the store chooses, and that is this class.
    let class = s3.storage_class.as_ref();
    let class = class.unwrap_or(&StorageClass::Standard);
    let same_class = upload.storage_class().is_none_or(|listed| listed == class);
    let checksum = upload.checksum_algorithm();
    let same_checksum = checksum.is_none_or(|listed| *listed == ChecksumAlgorithm::Crc32);
    Some(Listed {
        id: upload.upload_id()?.to_owned(),
        begun: upload.initiated().copied(),
        is_alike: same_class && same_checksum,
    })
}

/// The parts of an upload; `None` if there is no such upload, and no parts if a right is missing.
async fn sent_parts(
    s3: &S3,
    key: &str,
    object: &str,
    id: &str,
) -> Result<Option<Listing>, StoreError> {
    let mut sent = SentParts::new();
    let mut marker: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let listed = s3.client.list_parts().bucket(&s3.bucket).key(object);
        let listed = listed.upload_id(id).set_part_number_marker(marker.clone());
        let page = match listed.send().await {
            Ok(page) => page,
            Err(error) if condition(&error) == Condition::NoSuchUpload => return Ok(None),
            Err(error) if is_never_listed(&error) => {
                tracing::debug!(object, error = %error, "the parts of an upload cannot be listed");
                return Ok(Some(Listing::Sent(sent)));
            }
            Err(error) => return Err(classify(&s3.store, key, error)),
        };
        sent.extend(page.parts().iter().filter_map(sent_part));
        let next = page.next_part_number_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) || next.is_none() || next == marker {
            break;
        }
        marker = next;
    }
    Ok(Some(match sent.is_empty() {
        true => Listing::Unchecked,
        false => Listing::Sent(sent),
    }))
}

fn sent_part(part: &Part) -> Option<(i32, SentPart)> {
    let sent = SentPart {
        size: u64::try_from(part.size()?).ok()?,
        crc32: part.checksum_crc32()?.to_owned(),
        tag: part.e_tag()?.to_owned(),
    };
    Some((part.part_number()?, sent))
}

/// Whether the store does not know this listing, or a right is missing. Any other error may pass.
fn is_never_listed<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let code = error.code().unwrap_or_default();
    match status_of(error) {
        Some(401 | 403) => ["", "AccessDenied"].contains(&code),
        Some(404) => ["", "NotFound", "NoSuchKey"].contains(&code),
        _ => is_unsuited(error),
    }
}
