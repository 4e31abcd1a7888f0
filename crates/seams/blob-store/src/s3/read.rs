//! One request for an object or a range of it.

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use futures::stream::{self, StreamExt};

use super::S3;
use super::denied;
use super::error::{classify, is_beyond_end};
use super::status::Status;
use crate::StoreError;
use crate::range::Said;
use crate::read::{Body, Opened, Reads, Response};

#[async_trait]
impl Reads for S3 {
    async fn request(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        tag: Option<String>,
    ) -> Result<Response, StoreError> {
        let status = Status::default();
        let bytes = range.as_ref();
        let bytes = bytes.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let sent = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.object(key)?)
            .set_range(bytes)
            .set_if_match(tag)
            .customize()
            .interceptor(status.clone())
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) if range.is_some() && is_beyond_end(&error) => {
                return Ok(Response::BeyondEnd(classify(&self.store, key, error)));
            }
            Err(error) => {
                let error = classify(&self.store, key, error);
                return Err(denied::explain(self, key, error).await);
            }
        };
        let content_range = response.content_range().map(str::to_owned);
        let length = response.content_length();
        let said = Said {
            status: status.get(),
            content_range: content_range.as_deref(),
            content_length: length.and_then(|length| u64::try_from(length).ok()),
        };
        let tag = response.e_tag().map(str::to_owned);
        let opened = Opened::of(self, key, range.as_ref(), said, tag, chunks(response.body))?;
        Ok(Response::Body(opened))
    }
}

fn chunks(body: ByteStream) -> Body {
    stream::unfold(body, |mut body| async move {
        let chunk = body.next().await?;
        Some((chunk.map_err(Into::into), body))
    })
    .boxed()
}
