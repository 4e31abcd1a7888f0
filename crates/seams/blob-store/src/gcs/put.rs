//! Creating objects: small ones in one request, larger ones through a resumable upload.

use bytes::Bytes;
use futures::StreamExt;
use http::Method;
use serde_json::json;

use super::Gcs;
use super::checksum::Crc32c;
use super::error::{classify, may_be_there};
use super::list::Item;
use super::session::{Sent, Session};
use crate::parts::Parts;
use crate::rest::{Payload, Refusal, Request};
use crate::twice::{Hashed, Hashing, PartSum, Reread};
use crate::{BlobStore, ByteStream, Put, ReadAgain, StoreError};

/// Replies to uploads and deletions: the description of one object.
pub const REPLY_BYTES_MAX: usize = 256 << 10;
const CREATE: (&str, &str) = ("ifGenerationMatch", "0");
const CHECKSUM_HINT: &str =
    "find out what stands between here and the store and changes what is sent";

/// One request with the description of the object, its checksum among it, and its bytes.
pub async fn whole(gcs: &Gcs, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let mut description = description(gcs, key)?;
    let sum = Crc32c::default().after(&bytes).await;
    description["crc32c"] = json!(sum.encoded());
    // Nothing in the bytes can be taken for it.
    let boundary = uuid::Uuid::new_v4().simple().to_string();
    let before = format!(
        "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{description}\r\n\
         --{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    let after = format!("\r\n--{boundary}--\r\n");
    let size = bytes.len() as u64;
    gcs.pace(size).await;
    let request = gcs
        .upload(Method::POST, &[("uploadType", "multipart"), CREATE])
        .header(
            "content-type",
            &format!("multipart/related; boundary={boundary}"),
        )
        .payload(Payload::Pieces(vec![before.into(), bytes, after.into()]));
    match gcs.rest.fetch(&request, REPLY_BYTES_MAX).await {
        Ok(reply) => {
            created(gcs, key, &reply.body, size, &sum)?;
            Ok(Put::Created)
        }
        Err(refusal) => refused(gcs, key, refusal).await,
    }
}

/// What to report of a refusal to create an object.
pub async fn refused(gcs: &Gcs, key: &str, refusal: Refusal) -> Result<Put, StoreError> {
    let may_exist = may_be_there(&refusal);
    let error = classify(&gcs.store, key, refusal);
    if !may_exist {
        return Err(error);
    }
    match gcs.head(key).await {
        Ok(Some(_)) => Ok(Put::Exists),
        // Whether there is one is not known, and may be on the next try.
        Err(unknown) if unknown.is_retryable() => Err(unknown),
        Ok(None) | Err(_) => Err(error),
    }
}

/// Checks the store's description of what it has created.
pub fn created(
    gcs: &Gcs,
    key: &str,
    body: &[u8],
    size: u64,
    sum: &Crc32c,
) -> Result<(), StoreError> {
    let item: Item = serde_json::from_slice(body).map_err(|error| gcs.other(key, error))?;
    let has_size = item.size.parse() == Ok(size);
    let has_sum = item.crc32c.is_none_or(|found| found == sum.encoded());
    if has_size && has_sum {
        return Ok(());
    }
    Err(StoreError::Unsuitable {
        key: key.to_owned(),
        store: gcs.store.clone(),
        what: format!(
            "it has created an object of {} bytes from {size} that were sent, or with another checksum",
            item.size
        )
        .into(),
        hint: CHECKSUM_HINT,
    })
}

fn description(gcs: &Gcs, key: &str) -> Result<serde_json::Value, StoreError> {
    crate::key::check(key)?;
    let mut description = json!({
        "name": format!("{}{key}", gcs.prefix),
        "contentType": "application/octet-stream",
    });
    if let Some(class) = &gcs.storage_class {
        description["storageClass"] = json!(class);
    }
    Ok(description)
}

/// The request that begins a resumable upload.
pub fn begin(gcs: &Gcs, key: &str) -> Result<Request, StoreError> {
    let description = description(gcs, key)?.to_string();
    let object = format!("{}{key}", gcs.prefix);
    let pairs = [("uploadType", "resumable"), CREATE, ("name", &object)];
    let request = gcs.upload(Method::POST, &pairs);
    Ok(request
        .header("content-type", "application/json; charset=UTF-8")
        .payload(Payload::from(Bytes::from(description))))
}

pub async fn stream(
    gcs: &Gcs,
    key: &str,
    size_hint: Option<u64>,
    body: ByteStream,
) -> Result<Put, StoreError> {
    let size = size_hint.unwrap_or(0);
    let whole_piece = usize::try_from(gcs.part_bytes).unwrap_or(usize::MAX);
    let mut parts = Parts::new(body, whole_piece);
    let first = parts.next().await?.unwrap_or_default();
    // While the first piece is held, the next chunk must not be waited for if it is known that there is one.
    if first.len() < whole_piece || (size <= gcs.part_bytes && parts.is_at_end().await?) {
        return whole(gcs, key, first).await;
    }
    let Some(mut session) = Session::begin(gcs, key).await? else {
        return Ok(Put::Exists);
    };
    let mut next = Some(first);
    let mut sum = Crc32c::default();
    while let Some(bytes) = next {
        sum = sum.after(&bytes).await;
        let is_last = bytes.len() < whole_piece;
        let sent = session.piece(Payload::from(bytes), is_last.then_some(&sum));
        if let Sent::Ended(put) = sent.await? {
            return Ok(put);
        }
        next = parts.next().await?;
    }
    session.end(&sum).await
}

/// The same for one piece, however small: for finding out whether the store creates once in this way, too.
pub async fn one_piece(gcs: &Gcs, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let Some(mut session) = Session::begin(gcs, key).await? else {
        return Ok(Put::Exists);
    };
    let sum = Crc32c::default().after(&bytes).await;
    match session.piece(Payload::from(bytes), Some(&sum)).await? {
        Sent::Ended(put) => Ok(put),
        Sent::GoOn => session.end(&sum).await,
    }
}

pub async fn read_twice(
    gcs: &Gcs,
    key: &str,
    mut body: ByteStream,
    again: ReadAgain,
) -> Result<Put, StoreError> {
    let Some(mut session) = Session::begin(gcs, key).await? else {
        return Ok(Put::Exists);
    };
    let mut sum = Crc32c::default();
    let mut hashing = Hashing::<Crc32c>::new(gcs.part_bytes);
    while let Some(chunk) = body.next().await.transpose()? {
        sum.pass(&chunk);
        let ended = hashing.pass(&chunk);
        // To send a piece, it is read again, for which the memory of this chunk may be needed.
        drop(chunk);
        for piece in ended {
            if let Sent::Ended(put) = reread(&mut session, piece, &again, None).await? {
                return Ok(put);
            }
        }
    }
    if let Some(piece) = hashing.last()
        && let Sent::Ended(put) = reread(&mut session, piece, &again, Some(&sum)).await?
    {
        return Ok(put);
    }
    session.end(&sum).await
}

async fn reread(
    session: &mut Session,
    piece: Hashed<Crc32c>,
    again: &ReadAgain,
    sum: Option<&Crc32c>,
) -> Result<Sent, StoreError> {
    let piece = Reread::new(&session.key, piece, again.clone());
    let fault = piece.fault();
    fault.or_of_store(session.piece(Payload::again(piece), sum).await)
}
