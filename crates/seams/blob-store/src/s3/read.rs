//! Reading objects: whole with a limit, or as a stream that resumes where a connection broke.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::S3;
use super::error::classify;
use crate::{ByteStream, StoreError};

/// How often a broken body is resumed without one byte of progress.
const RESUMES_MAX: u32 = 5;
/// The pause before the first resumption; doubles each time.
const RESUME_PAUSE: Duration = Duration::from_millis(200);

pub async fn whole(s3: &S3, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
    let (reader, size) = Reader::open(s3, key, None).await?;
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
    let (reader, _) = Reader::open(s3, key, range).await?;
    Ok(reader.into_stream())
}

/// The position of a reader in an object.
struct Reader {
    s3: S3,
    key: String,
    at: u64,
    end: u64,
    /// Makes sure that a resumed body is of the same object.
    tag: Option<String>,
    body: Option<Body>,
    resumes: u32,
    pause: Duration,
}

impl Reader {
    /// Returns the reader and the size of the whole object.
    async fn open(
        s3: &S3,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<(Self, u64), StoreError> {
        let asked = range.clone().filter(|range| range.start < range.end);
        let opened = request(s3, key, asked, None).await;
        let (response, size) = match (opened, &range) {
            (Ok(response), _) => {
                let size = size_of(&response);
                (response, size)
            }
            // S3 responds with 416 if the range starts behind the end; the error gives the size instead.
            (Err(StoreError::Other { .. }), Some(_)) => {
                let response = request(s3, key, None, None).await?;
                let size = size_of(&response);
                (response, size)
            }
            (Err(error), _) => return Err(error),
        };
        let range = range.unwrap_or(0..size);
        if range.end > size || range.start > range.end {
            return Err(StoreError::OutOfRange {
                key: key.to_owned(),
                store: s3.store.clone(),
                size,
                start: range.start,
                end: range.end,
            });
        }
        let reader = Self {
            s3: s3.clone(),
            key: key.to_owned(),
            at: range.start,
            end: range.end,
            tag: response.e_tag().map(str::to_owned),
            body: Some(response.body),
            resumes: 0,
            pause: RESUME_PAUSE,
        };
        Ok((reader, size))
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
                None => {
                    let rest = Some(self.at..self.end);
                    let response = request(&self.s3, &self.key, rest, self.tag.clone()).await?;
                    self.body.insert(response.body).next().await
                }
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

async fn request(
    s3: &S3,
    key: &str,
    range: Option<Range<u64>>,
    tag: Option<String>,
) -> Result<GetObjectOutput, StoreError> {
    s3.client
        .get_object()
        .bucket(&s3.bucket)
        .key(s3.object(key)?)
        .set_range(range.map(|range| format!("bytes={}-{}", range.start, range.end - 1)))
        .set_if_match(tag)
        .send()
        .await
        .map_err(|error| classify(&s3.store, key, error))
}

/// The size of the whole object, also if a range was requested.
fn size_of(response: &GetObjectOutput) -> u64 {
    let total = response
        .content_range()
        .and_then(|range| range.rsplit_once('/'))
        .and_then(|(_, total)| total.parse().ok());
    let length = response
        .content_length()
        .and_then(|len| u64::try_from(len).ok());
    total.or(length).unwrap_or(0)
}
