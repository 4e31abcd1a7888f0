//! Reading an object, and whether it is there.

use std::ops::Range;

use async_trait::async_trait;

use super::Gcs;
use super::error::{classify, explain};
use super::list::Item;
use crate::range::Said;
use crate::read::{Opened, Reads, Response};
use crate::rest::text;
use crate::{Meta, StoreError};

const ITEM_BYTES_MAX: usize = 64 << 10;

#[async_trait]
impl Reads for Gcs {
    async fn request(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        tag: Option<String>,
    ) -> Result<Response, StoreError> {
        let mut pairs = vec![("alt", "media")];
        if let Some(tag) = &tag {
            pairs.push(("ifGenerationMatch", tag));
        }
        let mut request = self
            .object(http::Method::GET, key, &pairs)?
            .accept(&[200, 206]);
        if let Some(range) = &range {
            let bytes = format!("bytes={}-{}", range.start, range.end - 1);
            request = request.header("range", &bytes);
        }
        let reply = match self.rest.send(&request).await {
            Ok(reply) => reply,
            Err(refusal) if range.is_some() && refusal.status() == Some(416) => {
                return Ok(Response::BeyondEnd(classify(&self.store, key, refusal)));
            }
            Err(refusal) => return Err(explain(self, key, refusal).await),
        };
        let headers = reply.headers.clone();
        let said = Said {
            status: reply.status,
            content_range: text(&headers, "content-range"),
            content_length: text(&headers, "content-length").and_then(|text| text.parse().ok()),
        };
        let tag = text(&headers, "x-goog-generation").map(str::to_owned);
        let body = self.rest.chunks(reply);
        let opened = Opened::of(self, key, range.as_ref(), said, tag, body)?;
        Ok(Response::Body(opened))
    }
}

pub async fn head(gcs: &Gcs, key: &str) -> Result<Option<Meta>, StoreError> {
    let pairs = [("fields", "name,size,generation")];
    let request = gcs.object(http::Method::GET, key, &pairs)?;
    let reply = match gcs.rest.fetch(&request, ITEM_BYTES_MAX).await {
        Ok(reply) => reply,
        Err(refusal) => {
            let error = explain(gcs, key, refusal).await;
            return if error.is_not_found() {
                Ok(None)
            } else {
                Err(error)
            };
        }
    };
    let item: Item = serde_json::from_slice(&reply.body).map_err(|error| gcs.other(key, error))?;
    let size = item.size.parse();
    let size = size.map_err(|_| gcs.other(key, "it did not say how long the object is"))?;
    Ok(Some(Meta {
        key: key.to_owned(),
        size,
        tag: item.generation,
    }))
}
