//! Listings, page by page.

use futures::stream::{StreamExt, TryStreamExt, once, try_unfold};
use serde::Deserialize;

use super::Gcs;
use super::error::classify;
use crate::rest::shortened;
use crate::{Children, Meta, MetaStream, StoreError, key};

/// More than 1,000 entries, the store's own limit for a page, have.
pub const PAGE_BYTES_MAX: usize = 32 << 20;
const KIND: &str = "storage#objects";
/// What is needed of a page.
const FIELDS: &str = "kind,items(name,size,generation),prefixes,nextPageToken";

pub fn all(gcs: &Gcs, prefix: &str) -> MetaStream {
    if let Err(error) = key::check_prefix(prefix) {
        return once(async { Err(error) }).boxed();
    }
    let (gcs, prefix) = (gcs.clone(), prefix.to_owned());
    try_unfold(Some(String::new()), move |token| {
        let (gcs, prefix) = (gcs.clone(), prefix.clone());
        async move {
            let Some(token) = token else {
                return Ok(None);
            };
            let (children, next) = page(&gcs, &prefix, false, &token).await?;
            let objects = futures::stream::iter(children.objects.into_iter().map(Ok));
            Ok(Some((objects, next)))
        }
    })
    .try_flatten()
    .boxed()
}

pub async fn children(gcs: &Gcs, prefix: &str) -> Result<Children, StoreError> {
    key::check_prefix(prefix)?;
    let mut all = Children::default();
    let mut token = String::new();
    loop {
        let (mut children, next) = page(gcs, prefix, true, &token).await?;
        all.prefixes.append(&mut children.prefixes);
        all.objects.append(&mut children.objects);
        match next {
            Some(next) => token = next,
            None => return Ok(all),
        }
    }
}

/// One page of a listing, and the token of the next one.
async fn page(
    gcs: &Gcs,
    prefix: &str,
    one_level: bool,
    token: &str,
) -> Result<(Children, Option<String>), StoreError> {
    let own = format!("{}{prefix}", gcs.prefix);
    let mut pairs = vec![("prefix", own.as_str()), ("fields", FIELDS)];
    if one_level {
        pairs.push(("delimiter", "/"));
    }
    if !token.is_empty() {
        pairs.push(("pageToken", token));
    }
    let reply = gcs.rest.fetch(&gcs.listing(&pairs), PAGE_BYTES_MAX).await;
    let reply = reply.map_err(|refusal| classify(&gcs.store, prefix, refusal))?;
    let page = page_of(gcs, prefix, &reply.body)?;
    let next = page.next_page_token.filter(|next| !next.is_empty());
    if next.as_deref() == Some(token) {
        let what = "a page of a listing did not say where the next begins";
        return Err(gcs.other(prefix, what));
    }
    // What is left out of a listing would look deleted.
    let strip = |name: &str| {
        let below = name.strip_prefix(&gcs.prefix);
        let below = below.filter(|_| name.starts_with(&own));
        below.map(str::to_owned).ok_or_else(|| {
            let what = format!("a listing below `{own}` has the name `{}`", shortened(name));
            gcs.other(prefix, what)
        })
    };
    let prefixes: Result<Vec<_>, _> = page.prefixes.iter().map(|it| strip(it)).collect();
    let mut children = Children {
        prefixes: prefixes?,
        objects: Vec::new(),
    };
    for item in page.items {
        let key = strip(&item.name)?;
        let size = item.size.parse();
        let size = size.map_err(|_| gcs.other(&key, "a listing has no size for it"))?;
        let tag = item.generation;
        children.objects.push(Meta { key, size, tag });
    }
    Ok((children, next))
}

pub fn page_of(gcs: &Gcs, prefix: &str, body: &[u8]) -> Result<Page, StoreError> {
    let page: Page = serde_json::from_slice(body).map_err(|error| gcs.other(prefix, error))?;
    // An empty listing must not be seen in what something else has sent.
    match page.kind == KIND {
        true => Ok(page),
        false => Err(gcs.other(prefix, "its response is no listing")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    kind: String,
    #[serde(default)]
    pub items: Vec<Item>,
    #[serde(default)]
    prefixes: Vec<String>,
    pub next_page_token: Option<String>,
}

/// An object, as listings and replies show it. Numbers are text.
#[derive(Deserialize)]
pub struct Item {
    pub name: String,
    pub size: String,
    pub generation: String,
    /// CRC32C in base64.
    pub crc32c: Option<String>,
}
