//! Reading objects: whole with a limit, or as a stream that resumes where a connection broke.
//!
//! Every backend that is reached over a network reads through this; what is its own is one request.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::range::{Said, size_of_object};
use crate::{BlobStore, ByteStream, StoreError};

/// How often a broken body is resumed without one byte of progress.
const RESUMES_MAX: u32 = 5;
/// The pause before the first resumption; doubles each time.
const RESUME_PAUSE: Duration = Duration::from_millis(200);
const RANGE_HINT: &str =
    "find out what stands between here and the store and drops or changes the Range header";

/// The body of a response, as it arrives.
pub type Body = BoxStream<'static, Result<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// A backend whose objects are read by one kind of request.
#[async_trait]
pub trait Reads: BlobStore + Clone + 'static {
    /// Requests an object or a range of it, and only if it still has this tag.
    async fn request(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        tag: Option<String>,
    ) -> Result<Response, StoreError>;
}

/// What a store has returned.
pub enum Response {
    Body(Opened),
    /// The store says that the range begins behind the object's end.
    BeyondEnd(StoreError),
}

/// An object whose body is what was asked for.
pub struct Opened {
    size: u64,
    tag: Option<String>,
    /// `None` if nothing of it was asked for.
    body: Option<Body>,
}

pub async fn whole(store: &impl Reads, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
    let reader = Reader::open(store, key, None).await?;
    let size = reader.size;
    if size > bytes_max {
        return Err(StoreError::TooLarge {
            key: key.to_owned(),
            store: store.describe(),
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
    store: &impl Reads,
    key: &str,
    range: Option<Range<u64>>,
) -> Result<ByteStream, StoreError> {
    Ok(Reader::open(store, key, range).await?.into_stream())
}

/// The position of a reader in an object.
struct Reader<S> {
    store: S,
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

impl<S: Reads> Reader<S> {
    async fn open(store: &S, key: &str, range: Option<Range<u64>>) -> Result<Self, StoreError> {
        let opened = match &range {
            // HTTP has no empty ranges.
            Some(range) if range.start >= range.end => Opened::nothing(store, key).await?,
            _ => match store.request(key, range.clone(), None).await? {
                Response::Body(opened) => opened,
                Response::BeyondEnd(error) => {
                    Opened::nothing(store, key).await?.or(error, &range)?
                }
            },
        };
        let range = range.unwrap_or(0..opened.size);
        if range.end > opened.size || range.start > range.end {
            return Err(StoreError::OutOfRange {
                key: key.to_owned(),
                store: store.describe(),
                size: opened.size,
                start: range.start,
                end: range.end,
            });
        }
        Ok(Self {
            store: store.clone(),
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
                Some(Err(error)) => self.broke(error).await?,
                None => self.broke("the body ended early".into()).await?,
            }
        }
        Ok(None)
    }

    /// The rest of the body, of the very same object.
    async fn resume(&mut self) -> Result<&mut Body, StoreError> {
        let rest = Some(self.at..self.end);
        let opened = match self
            .store
            .request(&self.key, rest, self.tag.clone())
            .await?
        {
            Response::Body(opened) => opened,
            Response::BeyondEnd(error) => return Err(error),
        };
        let is_same = opened.size == self.size && opened.tag == self.tag;
        match opened.body {
            Some(body) if is_same => Ok(self.body.insert(body)),
            _ => Err(StoreError::Other {
                key: self.key.clone(),
                store: self.store.describe(),
                source: "the object was replaced while it was read".into(),
            }),
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
                store: self.store.describe(),
                source,
            });
        }
        tokio::time::sleep(self.pause).await;
        self.pause *= 2;
        Ok(())
    }
}

impl Opened {
    /// Checks that a response is the one that was asked for.
    pub fn of(
        store: &impl BlobStore,
        key: &str,
        range: Option<&Range<u64>>,
        said: Said<'_>,
        tag: Option<String>,
        body: Body,
    ) -> Result<Self, StoreError> {
        let size = size_of_object(range, said).map_err(|what| StoreError::Unsuitable {
            key: key.to_owned(),
            store: store.describe(),
            what: what.into(),
            hint: RANGE_HINT,
        })?;
        let body = Some(body);
        Ok(Self { size, tag, body })
    }

    async fn nothing(store: &impl Reads, key: &str) -> Result<Self, StoreError> {
        match store.head(key).await? {
            Some(meta) => Ok(Self {
                size: meta.size,
                tag: Some(meta.tag),
                body: None,
            }),
            None => Err(StoreError::NotFound {
                key: key.to_owned(),
                store: store.describe(),
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
