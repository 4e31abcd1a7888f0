//! A resumable upload: pieces of one object, one after the other.
//!
//! A piece whose reply is lost may have been stored whole, in part or not at all, and the last one may have created the
//! object. So the store is asked before the piece is sent again, as a whole: it ignores bytes that it has.

use http::HeaderMap;
use http::Method;

use super::Gcs;
use super::checksum::Crc32c;
use super::put::{REPLY_BYTES_MAX, begin, created, refused};
use crate::rest::{Fetched, Payload, Refusal, pause, text};
use crate::{BlobStore, Put, StoreError};

/// The store wants the next bytes.
const GO_ON: u16 = 308;
/// The longest id of an upload that is believed.
const ID_BYTES_MAX: usize = 4096;

pub struct Session {
    gcs: Gcs,
    pub key: String,
    id: String,
    /// Bytes that the store has for certain.
    sent: u64,
}

/// What came of a piece.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    GoOn,
    Ended(Put),
}

/// What the store has of an upload.
enum State {
    Has(u64),
    Created(Fetched),
}

impl Session {
    /// `None` if the object is there already.
    pub async fn begin(gcs: &Gcs, key: &str) -> Result<Option<Self>, StoreError> {
        let reply = match gcs.rest.fetch(&begin(gcs, key)?, REPLY_BYTES_MAX).await {
            Ok(reply) => reply,
            Err(refusal) => return refused(gcs, key, refusal).await.map(|_| None),
        };
        let id = text(&reply.headers, "location").and_then(upload_id);
        let id = id.ok_or_else(|| gcs.other(key, "the store began an upload without an id"))?;
        Ok(Some(Self {
            gcs: gcs.clone(),
            key: key.to_owned(),
            id: id.to_owned(),
            sent: 0,
        }))
    }

    /// Sends the next piece; `sum`, of all bytes, with the last one.
    pub async fn piece(
        &mut self,
        payload: Payload,
        sum: Option<&Crc32c>,
    ) -> Result<Sent, StoreError> {
        // Not inside the request, whose time is limited.
        self.gcs.pace(payload.len()).await;
        let end = self.sent + payload.len();
        let mut attempt = 1;
        loop {
            let refusal = match self.put(&payload, end, sum).await {
                Ok(State::Created(reply)) => return self.created(reply, end, sum),
                Ok(State::Has(has)) if has == end && sum.is_none() => {
                    self.sent = end;
                    return Ok(Sent::GoOn);
                }
                Ok(State::Has(has)) => {
                    self.check(has, end)?;
                    Refusal::NoResponse(match has == end {
                        true => "it has all bytes but did not complete the object".to_owned(),
                        false => format!("it has stored {has} of {end} bytes"),
                    })
                }
                Err(refusal) => refusal,
            };
            let is_hopeless = !refusal.may_pass() || payload.is_broken();
            if attempt >= self.gcs.rest.attempts_max() || is_hopeless {
                return self.failed(refusal).await.map(Sent::Ended);
            }
            tokio::time::sleep(pause(attempt, refusal.retry_after())).await;
            attempt += 1;
            match self.state().await {
                Ok(State::Created(reply)) => return self.created(reply, end, sum),
                Ok(State::Has(has)) if has == end && sum.is_none() => {
                    self.sent = end;
                    return Ok(Sent::GoOn);
                }
                Ok(State::Has(has)) => self.check(has, end)?,
                Err(refusal) => return self.failed(refusal).await.map(Sent::Ended),
            }
        }
    }

    /// Completes an object whose last piece had no mark of the end.
    pub async fn end(&mut self, sum: &Crc32c) -> Result<Put, StoreError> {
        match self.piece(Payload::default(), Some(sum)).await? {
            Sent::Ended(put) => Ok(put),
            Sent::GoOn => Err(self.unavailable("it does not complete the object".to_owned())),
        }
    }

    async fn put(
        &self,
        payload: &Payload,
        end: u64,
        sum: Option<&Crc32c>,
    ) -> Result<State, Refusal> {
        let total = match sum {
            Some(_) => end.to_string(),
            None => "*".to_owned(),
        };
        let range = match payload.len() {
            0 => format!("bytes */{total}"),
            _ => format!("bytes {}-{}/{total}", self.sent, end - 1),
        };
        let mut request = self.request().header("content-range", &range).once();
        if let Some(sum) = sum {
            let hash = format!("crc32c={}", sum.encoded());
            request = request.header("x-goog-hash", &hash);
        }
        let request = request.payload(payload.clone());
        self.fetch(&request).await
    }

    /// What the store has, and whether it has created the object.
    async fn state(&self) -> Result<State, Refusal> {
        let request = self.request().header("content-range", "bytes */*");
        self.fetch(&request).await
    }

    async fn fetch(&self, request: &crate::rest::Request) -> Result<State, Refusal> {
        let reply = self.gcs.rest.fetch(request, REPLY_BYTES_MAX).await?;
        Ok(match reply.status {
            GO_ON => State::Has(stored(&reply.headers)),
            _ => State::Created(reply),
        })
    }

    /// The address is made here: the one in the reply could lead elsewhere, and a token goes with each request.
    fn request(&self) -> crate::rest::Request {
        let pairs = [("uploadType", "resumable"), ("upload_id", self.id.as_str())];
        let request = self.gcs.upload(Method::PUT, &pairs);
        request.accept(&[200, 201, GO_ON])
    }

    fn created(&self, reply: Fetched, end: u64, sum: Option<&Crc32c>) -> Result<Sent, StoreError> {
        let Some(sum) = sum else {
            let what = "the store has completed an object before its end";
            return Err(self.gcs.other(&self.key, what));
        };
        created(&self.gcs, &self.key, &reply.body, end, sum)?;
        Ok(Sent::Ended(Put::Created))
    }

    /// Refuses a state that sending the piece again would not mend.
    fn check(&self, has: u64, end: u64) -> Result<(), StoreError> {
        match has {
            // What was sent before is not at hand any more.
            has if has < self.sent => {
                Err(self.unavailable(format!("it has lost all but {has} bytes of an upload")))
            }
            has if has > end => {
                let what = format!("it has {has} bytes of an upload of which {end} were sent");
                Err(self.gcs.other(&self.key, what))
            }
            _ => Ok(()),
        }
    }

    async fn failed(&self, refusal: Refusal) -> Result<Put, StoreError> {
        // The upload is gone: completed by a try whose reply was lost, or discarded.
        if matches!(refusal.status(), Some(404 | 410)) {
            return match self.gcs.head(&self.key).await? {
                Some(_) => Ok(Put::Exists),
                None => Err(self.unavailable("it has discarded the upload".to_owned())),
            };
        }
        refused(&self.gcs, &self.key, refusal).await
    }

    fn unavailable(&self, what: String) -> StoreError {
        StoreError::Unavailable {
            key: self.key.clone(),
            store: self.gcs.store.clone(),
            source: what.into(),
        }
    }
}

/// How many bytes the store has: none if there is no header.
fn stored(headers: &HeaderMap) -> u64 {
    let range = text(headers, "range").and_then(|range| range.strip_prefix("bytes=0-"));
    let last: Option<u64> = range.and_then(|last| last.parse().ok());
    last.map_or(0, |last| last.saturating_add(1))
}

/// The id in the address that an upload was begun at.
fn upload_id(location: &str) -> Option<&str> {
    let (_, query) = location.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, id) = pairs.find(|(name, _)| *name == "upload_id")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let is_id = !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(is_plain);
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_of_a_location_is_taken() {
        let location = "https://elsewhere/upload/b/o?uploadType=resumable&upload_id=AB-c_1&name=x";
        assert_eq!(upload_id(location), Some("AB-c_1"));
        for bad in [
            "",
            "?upload_id=",
            "?upload_id=a%0d",
            "?upload_id=a/b",
            "?other=a",
        ] {
            assert_eq!(upload_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_stored_is_read_from_the_range() {
        let stored_with = |range: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("range", http::HeaderValue::from_static(range));
            stored(&headers)
        };
        assert_eq!(stored(&HeaderMap::new()), 0);
        assert_eq!(stored_with("bytes=0-99"), 100);
        assert_eq!(stored_with("bytes=5-99"), 0);
        assert_eq!(stored_with("bytes=0-18446744073709551615"), u64::MAX);
    }
}
