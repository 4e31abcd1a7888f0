//! Reading objects: whole with a limit, or as a stream that resumes where a connection broke.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::S3;
use super::denied;
use super::error::{classify, is_beyond_end};
use super::range::{Said, Status, size_of_object};
use crate::{BlobStore, ByteStream, StoreError};

/// How often a broken body is resumed without one byte of progress.
const RESUMES_MAX: u32 = 5;
/// The pause before the first resumption; doubles each time.
const RESUME_PAUSE: Duration = Duration::from_millis(200);
const RANGE_HINT: &str =
    "find out what stands between here and the store and drops or changes the Range header";

pub async fn whole(s3: &S3, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
    let reader = Reader::open(s3, key, None).await?;
    let size = reader.size;
    if size > bytes_max {
        return Err(StoreError::TooLarge {
            key: key.to_owned(),
            store: s3.store.clone(),
            size,
            bytes_max,
        });
    }
    let mut bytes = BytesMut::with_capacity(usize::try_from(size).unwrap_or(0));
    let mut chunks = reader.into_stream();
    while let Some(chunk) = chunks.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

pub async fn stream(
    s3: &S3,
    key: &str,
    range: Option<Range<u64>>,
) -> Result<ByteStream, StoreError> {
    Ok(Reader::open(s3, key, range).await?.into_stream())
}

/// The position of a reader in an object.
struct Reader {
    s3: S3,
    key: String,
    at: u64,
    end: u64,
    /// Of the whole object.
    size: u64,
    /// Makes sure that a resumed body is of the same object.
    tag: Option<String>,
    body: Option<Body>,
    resumes: u32,
    pause: Duration,
}

impl Reader {
    async fn open(s3: &S3, key: &str, range: Option<Range<u64>>) -> Result<Self, StoreError> {
        let opened = match &range {
            // HTTP has no empty ranges.
            Some(range) if range.start >= range.end => Opened::nothing(s3, key).await?,
            _ => match request(s3, key, range.clone(), None).await? {
                Response::Body(opened) => opened,
                Response::BeyondEnd(error) => Opened::nothing(s3, key).await?.or(error, &range)?,
            },
        };
        let range = range.unwrap_or(0..opened.size);
        if range.end > opened.size || range.start > range.end {
            return Err(StoreError::OutOfRange {
                key: key.to_owned(),
                store: s3.store.clone(),
                size: opened.size,
                start: range.start,
                end: range.end,
            });
        }
        Ok(Self {
            s3: s3.clone(),
            key: key.to_owned(),
            at: range.start,
            end: range.end,
            size: opened.size,
            tag: opened.tag,
            body: opened.body,
            resumes: 0,
            pause: RESUME_PAUSE,
        })
    }

    fn into_stream(self) -> ByteStream {
        stream::try_unfold(self, |mut reader| async move {
            let chunk = reader.next().await?;
            Ok(chunk.map(|chunk| (chunk, reader)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while self.at < self.end {
            let chunk = match &mut self.body {
                Some(body) => body.next().await,
                None => self.resume().await?.next().await,
            };
            match chunk {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(mut chunk)) => {
                    let rest = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
                    chunk.truncate(rest);
                    self.at += chunk.len() as u64;
                    (self.resumes, self.pause) = (0, RESUME_PAUSE);
                    return Ok(Some(chunk));
                }
                Some(Err(error)) => self.broke(error.into()).await?,
                None => self.broke("the body ended early".into()).await?,
            }
        }
        Ok(None)
    }

    /// The rest of the body, of the very same object.
    async fn resume(&mut self) -> Result<&mut Body, StoreError> {
        let rest = Some(self.at..self.end);
        let opened = match request(&self.s3, &self.key, rest, self.tag.clone()).await? {
            Response::Body(opened) => opened,
            Response::BeyondEnd(error) => return Err(error),
        };
        let is_same = opened.size == self.size && opened.tag == self.tag;
        match opened.body {
            Some(body) if is_same => Ok(self.body.insert(body)),
            _ => {
                let what = "the object was replaced while it was read";
                Err(self.s3.other(&self.key, what))
            }
        }
    }

    /// Prepares to resume after a break, unless there were too many without progress.
    async fn broke(
        &mut self,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> Result<(), StoreError> {
        self.body = None;
        self.resumes += 1;
        if self.resumes > RESUMES_MAX {
            return Err(StoreError::Unavailable {
                key: self.key.clone(),
                store: self.s3.store.clone(),
                source,
            });
        }
        tokio::time::sleep(self.pause).await;
        self.pause *= 2;
        Ok(())
    }
}

/// An object whose body is what was asked for.
struct Opened {
    size: u64,
    tag: Option<String>,
    /// `None` if nothing of it was asked for.
    body: Option<Body>,
}

impl Opened {
    async fn nothing(s3: &S3, key: &str) -> Result<Self, StoreError> {
        match s3.head(key).await? {
            Some(meta) => Ok(Self {
                size: meta.size,
                tag: Some(meta.tag),
                body: None,
            }),
            None => Err(StoreError::NotFound {
                key: key.to_owned(),
                store: s3.store.clone(),
            }),
        }
    }

    /// The store's refusal, if the object is long enough for the range.
    fn or(self, refusal: StoreError, range: &Option<Range<u64>>) -> Result<Self, StoreError> {
        if range.as_ref().is_some_and(|range| range.end > self.size) {
            Ok(self)
        } else {
            Err(refusal)
        }
    }
}

enum Response {
    Body(Opened),
    /// The store says that the range begins behind the object's end.
    BeyondEnd(StoreError),
}

async fn request(
    s3: &S3,
    key: &str,
    range: Option<Range<u64>>,
    tag: Option<String>,
) -> Result<Response, StoreError> {
    let status = Status::default();
    let bytes = range.as_ref();
    let bytes = bytes.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
    let sent = s3
        .client
        .get_object()
        .bucket(&s3.bucket)
        .key(s3.object(key)?)
        .set_range(bytes)
        .set_if_match(tag)
        .customize()
        .interceptor(status.clone())
        .send()
        .await;
    let response = match sent {
        Ok(response) => response,
        Err(error) if range.is_some() && is_beyond_end(&error) => {
            return Ok(Response::BeyondEnd(classify(&s3.store, key, error)));
        }
        Err(error) => {
            let error = classify(&s3.store, key, error);
            return Err(denied::explain(s3, key, error).await);
        }
    };
    let length = response.content_length();
    let said = Said {
        status: status.get(),
        content_range: response.content_range(),
        content_length: length.and_then(|length| u64::try_from(length).ok()),
    };
    let size = size_of_object(range.as_ref(), said).map_err(|what| StoreError::Unsuitable {
        key: key.to_owned(),
        store: s3.store.clone(),
        what: what.into(),
        hint: RANGE_HINT,
    })?;
    Ok(Response::Body(Opened {
        size,
        tag: response.e_tag().map(str::to_owned),
        body: Some(response.body),
    }))
}
