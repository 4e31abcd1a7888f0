//! Reading objects: whole with a limit, or as a stream that goes on where a connection broke.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::S3;
use super::error::classify;
use crate::{ByteStream, StoreError};

/// How often a body that breaks is taken up again without one byte of progress.
const RESUMES_MAX: u32 = 5;
/// The pause before the first of them; doubles.
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

/// Where in an object the reading is.
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
    /// Answers the reader with the size of the whole object.
    async fn open(
        s3: &S3,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<(Self, u64), StoreError> {
        let asked = range.clone().filter(|range| range.start < range.end);
        let opened = request(s3, key, asked, None).await;
        let (answer, size) = match (opened, &range) {
            (Ok(answer), _) => {
                let size = size_of(&answer);
                (answer, size)
            }
            // S3 answers 416 where the range starts behind the end; the size says it in words.
            (Err(StoreError::Other { .. }), Some(_)) => {
                let answer = request(s3, key, None, None).await?;
                let size = size_of(&answer);
                (answer, size)
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
            tag: answer.e_tag().map(str::to_owned),
            body: Some(answer.body),
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
                    let answer = request(&self.s3, &self.key, rest, self.tag.clone()).await?;
                    self.body.insert(answer.body).next().await
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

    /// Prepares to go on after a break, unless there were too many without progress.
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

/// The size of the whole object, also where a part was asked for.
fn size_of(answer: &GetObjectOutput) -> u64 {
    let total = answer
        .content_range()
        .and_then(|range| range.rsplit_once('/'))
        .and_then(|(_, total)| total.parse().ok());
    let length = answer
        .content_length()
        .and_then(|len| u64::try_from(len).ok());
    total.or(length).unwrap_or(0)
}
