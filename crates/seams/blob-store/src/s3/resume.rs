//! What earlier tries have sent of an object that they never finished.
//!
//! None of this is needed to store the object: a store that lists no uploads, or a right that is missing, only means
//! that everything is sent again.

use std::cmp::Reverse;
use std::collections::HashMap;

use aws_sdk_s3::types::Part;

use super::S3;

/// More pages of parts than 10,000 parts can have.
const PAGES_MAX: usize = 100;

/// A part that the store holds, as it reports it.
pub struct SentPart {
    pub size: u64,
    /// In base64.
    pub crc32: String,
    pub tag: String,
}

/// The ids of the uploads of this object that were begun and neither completed nor aborted, the newest first.
pub async fn unfinished(s3: &S3, object: &str) -> Vec<String> {
    let listed = s3.client.list_multipart_uploads().bucket(&s3.bucket);
    let page = match listed.prefix(object).send().await {
        Ok(page) => page,
        Err(error) => {
            tracing::debug!(object, error = %error, "unfinished uploads cannot be listed");
            return Vec::new();
        }
    };
    let own = page.uploads().iter().filter(|it| it.key() == Some(object));
    let mut found: Vec<_> = own
        .filter_map(|it| Some((it.initiated().copied(), it.upload_id()?.to_owned())))
        .filter(|(_, id)| !s3.learnt.given_up().contains(id))
        .collect();
    found.sort_by_key(|(begun, _)| Reverse(*begun));
    found.into_iter().map(|(_, id)| id).collect()
}

/// The parts of an upload by their numbers; those without a checksum are left out, because they cannot be compared.
pub async fn sent_parts(s3: &S3, object: &str, id: &str) -> HashMap<i32, SentPart> {
    let mut sent = HashMap::new();
    let mut marker: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let listed = s3.client.list_parts().bucket(&s3.bucket).key(object);
        let listed = listed.upload_id(id).set_part_number_marker(marker.clone());
        let page = match listed.send().await {
            Ok(page) => page,
            Err(error) => {
                tracing::debug!(object, error = %error, "the parts of an upload cannot be listed");
                return sent;
            }
        };
        sent.extend(page.parts().iter().filter_map(sent_part));
        let next = page.next_part_number_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) || next.is_none() || next == marker {
            return sent;
        }
        marker = next;
    }
    sent
}

fn sent_part(part: &Part) -> Option<(i32, SentPart)> {
    let sent = SentPart {
        size: u64::try_from(part.size()?).ok()?,
        crc32: part.checksum_crc32()?.to_owned(),
        tag: part.e_tag()?.to_owned(),
    };
    Some((part.part_number()?, sent))
}
