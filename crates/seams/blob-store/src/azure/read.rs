//! Reading an object, and whether it is there.

use std::ops::Range;

use async_trait::async_trait;
use http::Method;

use super::Azure;
use super::error::{code, is_missing};
use crate::range::Said;
use crate::read::{Opened, Reads, Response};
use crate::rest::text;
use crate::{Meta, StoreError};

#[async_trait]
impl Reads for Azure {
    async fn request(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        tag: Option<String>,
    ) -> Result<Response, StoreError> {
        let mut request = self.blob(Method::GET, key, &[])?.accept(&[200, 206]);
        if let Some(range) = &range {
            let bytes = format!("bytes={}-{}", range.start, range.end - 1);
            request = request.header("range", &bytes);
        }
        if let Some(tag) = tag {
            request = request.header("if-match", &format!("\"{tag}\""));
        }
        let reply = match self.rest.send(&request).await {
            Ok(reply) => reply,
            Err(refusal) if range.is_some() && code(&refusal) == "InvalidRange" => {
                return Ok(Response::BeyondEnd(self.failed(key, refusal)));
            }
            Err(refusal) => return Err(self.failed(key, refusal)),
        };
        let headers = reply.headers.clone();
        let said = Said {
            status: reply.status,
            content_range: text(&headers, "content-range"),
            content_length: text(&headers, "content-length").and_then(|text| text.parse().ok()),
        };
        let tag = text(&headers, "etag").map(unquoted);
        let body = self.rest.chunks(reply);
        let opened = Opened::of(self, key, range.as_ref(), said, tag, body)?;
        Ok(Response::Body(opened))
    }
}

pub async fn head(azure: &Azure, key: &str) -> Result<Option<Meta>, StoreError> {
    let request = azure.blob(Method::HEAD, key, &[])?;
    let reply = match azure.rest.send(&request).await {
        Ok(reply) => reply,
        Err(refusal) if is_missing(&refusal) => return Ok(None),
        Err(refusal) => return Err(azure.failed(key, refusal)),
    };
    let size = text(&reply.headers, "content-length").and_then(|size| size.parse().ok());
    let size = size.ok_or_else(|| StoreError::Other {
        key: key.to_owned(),
        store: azure.store.clone(),
        source: "it did not say how long the object is".into(),
    })?;
    Ok(Some(Meta {
        key: key.to_owned(),
        size,
        tag: text(&reply.headers, "etag")
            .map(unquoted)
            .unwrap_or_default(),
    }))
}

/// Headers have quotes around a tag, listings have none.
pub fn unquoted(tag: &str) -> String {
    tag.trim_matches('"').to_owned()
}
