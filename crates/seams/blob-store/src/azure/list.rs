//! Listings, page by page.

use futures::stream::{StreamExt, TryStreamExt, once, try_unfold};
use http::Method;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::Azure;
use super::read::unquoted;
use crate::rest::{Request, query, shortened};
use crate::{Children, Meta, MetaStream, StoreError, key};

/// More than 5,000 entries, the store's own limit for a page, have.
const PAGE_BYTES_MAX: usize = 32 << 20;
const ORDER_HINT: &str = "use a storage account without hierarchical namespace: with it, listings are in another order and name \
     folders";

pub fn all(azure: &Azure, prefix: &str) -> MetaStream {
    if let Err(error) = key::check_prefix(prefix) {
        return once(async { Err(error) }).boxed();
    }
    let (azure, prefix) = (azure.clone(), prefix.to_owned());
    try_unfold(Some((String::new(), String::new())), move |state| {
        let (azure, prefix) = (azure.clone(), prefix.clone());
        async move {
            let Some((marker, last)) = state else {
                return Ok(None);
            };
            let (children, next) = page(&azure, &prefix, false, &marker).await?;
            let last = in_order(&azure, last, &children.objects)?;
            let objects = futures::stream::iter(children.objects.into_iter().map(Ok));
            Ok(Some((objects, next.map(|next| (next, last)))))
        }
    })
    .try_flatten()
    .boxed()
}

pub async fn children(azure: &Azure, prefix: &str) -> Result<Children, StoreError> {
    key::check_prefix(prefix)?;
    let mut all = Children::default();
    let mut marker = String::new();
    loop {
        let (mut children, next) = page(azure, prefix, true, &marker).await?;
        all.prefixes.append(&mut children.prefixes);
        all.objects.append(&mut children.objects);
        match next {
            Some(next) => marker = next,
            None => return Ok(all),
        }
    }
}

/// The last key of a page, if its keys follow each other and those before. A caller that merges listings would miss
/// objects in another order.
fn in_order(azure: &Azure, last: String, objects: &[Meta]) -> Result<String, StoreError> {
    let mut last = last;
    for object in objects {
        if object.key <= last {
            return Err(StoreError::Unsuitable {
                key: object.key.clone(),
                store: azure.store.clone(),
                what: format!("its listing has `{}` after `{last}`", object.key).into(),
                hint: ORDER_HINT,
            });
        }
        last.clone_from(&object.key);
    }
    Ok(last)
}

/// One page of a listing, and the marker of the next one.
async fn page(
    azure: &Azure,
    prefix: &str,
    one_level: bool,
    marker: &str,
) -> Result<(Children, Option<String>), StoreError> {
    let own = format!("{}{prefix}", azure.prefix);
    let mut pairs = vec![("restype", "container"), ("comp", "list"), ("prefix", &own)];
    if one_level {
        pairs.push(("delimiter", "/"));
    }
    if !marker.is_empty() {
        pairs.push(("marker", marker));
    }
    let request = Request::new(Method::GET, format!("{}{}", azure.container, query(&pairs)));
    let reply = azure.rest.fetch(&request, PAGE_BYTES_MAX).await;
    let reply = reply.map_err(|refusal| azure.failed(prefix, refusal))?;
    let broken = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Other {
        key: prefix.to_owned(),
        store: azure.store.clone(),
        source,
    };
    let text = std::str::from_utf8(&reply.body).map_err(|error| broken(error.into()))?;
    let Document::EnumerationResults(page) =
        quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| broken(error.into()))?;
    let next = page.next_marker.filter(|next| !next.is_empty());
    if next.as_deref() == Some(marker) {
        let what = "a page of a listing did not say where the next begins";
        return Err(broken(what.into()));
    }
    // What is left out of a listing would look deleted.
    let strip = |name: Name| {
        let text = name.text.clone();
        let decoded = name.decoded().filter(|name| name.starts_with(&own));
        let below = decoded.and_then(|name| name.strip_prefix(&azure.prefix).map(str::to_owned));
        below.ok_or_else(|| {
            broken(
                format!(
                    "a listing below `{own}` has the name `{}`",
                    shortened(&text)
                )
                .into(),
            )
        })
    };
    let mut children = Children::default();
    for prefix in page.blobs.prefixes {
        children.prefixes.push(strip(prefix.name)?);
    }
    for blob in page.blobs.blobs {
        let (size, tag) = (blob.properties.size, unquoted(&blob.properties.tag));
        let key = strip(blob.name)?;
        children.objects.push(Meta { key, size, tag });
    }
    Ok((children, next))
}

/// Its root has to have this name: an empty listing must not be seen in the page of a proxy.
#[derive(Deserialize)]
enum Document {
    EnumerationResults(Page),
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "Blobs", default)]
    blobs: Blobs,
    #[serde(rename = "NextMarker", default)]
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    blobs: Vec<Blob>,
    #[serde(rename = "BlobPrefix", default)]
    prefixes: Vec<BlobPrefix>,
}

#[derive(Deserialize)]
struct Blob {
    #[serde(rename = "Name")]
    name: Name,
    #[serde(rename = "Properties")]
    properties: Properties,
}

#[derive(Deserialize)]
struct BlobPrefix {
    #[serde(rename = "Name")]
    name: Name,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length")]
    size: u64,
    #[serde(rename = "Etag")]
    tag: String,
}

/// A name with characters that XML cannot carry is percent-encoded, and says so.
#[derive(Deserialize)]
struct Name {
    #[serde(rename = "@Encoded", default)]
    encoded: bool,
    #[serde(rename = "$text", default)]
    text: String,
}

impl Name {
    fn decoded(self) -> Option<String> {
        match self.encoded {
            false => Some(self.text),
            true => {
                let decoded = percent_decode_str(&self.text).decode_utf8().ok()?;
                Some(decoded.into_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_prefixes_between_objects_and_encoded_names() {
        let Document::EnumerationResults(page) = quick_xml::de::from_str(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Prefix>p</Prefix><Blobs>\
             <Blob><Name>p/a &amp;b</Name><Properties><Etag>0x1</Etag><Content-Length>7</Content-Length>\
             <BlobType>BlockBlob</BlobType></Properties></Blob><BlobPrefix><Name>p/b/</Name></BlobPrefix>\
             <Blob><Name Encoded=\"true\">p/c%EF%BF%BE</Name><Properties><Etag>0x2</Etag>\
             <Content-Length>0</Content-Length></Properties></Blob></Blobs><NextMarker>n</NextMarker>\
             </EnumerationResults>",
        )
        .expect("parses");
        let names: Vec<_> = page
            .blobs
            .blobs
            .into_iter()
            .map(|blob| blob.name.decoded())
            .collect();
        let expected = [Some("p/a &b".to_owned()), Some("p/c\u{fffe}".to_owned())];
        assert_eq!(names, expected);
        assert_eq!(page.blobs.prefixes.len(), 1);
        assert_eq!(page.next_marker.as_deref(), Some("n"));
    }

    #[test]
    fn an_empty_page_is_one() {
        let Document::EnumerationResults(page) = quick_xml::de::from_str(
            "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>",
        )
        .expect("parses");
        assert!(page.blobs.blobs.is_empty());
        assert_eq!(page.next_marker.unwrap_or_default(), "");
    }

    #[test]
    fn another_document_is_no_page() {
        for other in [
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body>Sign in</body></html>",
            "<Error><Code>ServerBusy</Code></Error>",
        ] {
            assert!(
                quick_xml::de::from_str::<Document>(other).is_err(),
                "{other}"
            );
        }
    }
}
