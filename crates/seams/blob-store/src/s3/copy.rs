//! Copies an object inside the store.
//!
//! CopyObject overwrites: its condition on the key that it writes is younger than that of the other requests, and a store
//! that does not know it ignores it unseen. So a copy is an upload in parts whose parts the store takes from the source,
//! completed with the same condition as every other upload.
//!
//! The parts are those that the source was uploaded in. Then the store's own hashes of the copy must be those of the
//! source: its tag is the MD5 of the object, or that of the MD5s of its parts. They are compared before the upload is
//! completed. Where tags are something else, as with KMS, nothing is copied.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use md5::{Digest, Md5};

use super::S3;
use super::error::classify;
use super::head::{Head, head};
use super::upload::Upload;
use crate::error::{not_copied, not_copied_size};
use crate::sending::Sending;
use crate::{BlobStore, Meta, Put, StoreError};

/// Why nothing is copied where KMS encrypts.
const KMS: &str = "with KMS its hashes do not show whether a copy is equal";
/// The largest part that S3 copies with one request.
const PART_BYTES_MAX: u64 = 5 << 30;
/// Before copying more parts than this, it is asked whether the key is free.
const PARTS_UNASKED_MAX: u64 = 4;

pub async fn copy(
    s3: &S3,
    from: &str,
    key: &str,
    sizes: RangeInclusive<u64>,
) -> Result<Put, StoreError> {
    if s3.sse_kms_key.is_some() {
        return Err(not_copied(key, &s3.store, KMS));
    }
    let source = Arc::new(Source::find(s3, from, key, &sizes).await?);
    if source.parts() > PARTS_UNASKED_MAX && s3.head(key).await?.is_some() {
        return Ok(Put::Exists);
    }
    // Not every store takes parts of other objects into an upload that was begun with checksums.
    let unchecked = S3 {
        checksums: false,
        ..s3.clone()
    };
    let mut sending = Sending::new(Upload::begin(&unchecked, key).await?, s3.parallel_parts);
    let started = all(&mut sending, &source).await;
    let is_equal = |parts: &[CompletedPart]| source.check(s3, key, parts);
    sending.finish_if(started, is_equal).await
}

async fn all(sending: &mut Sending<Upload>, source: &Arc<Source>) -> Result<(), StoreError> {
    for at in 0..source.parts() {
        let (source, range) = (source.clone(), source.part(at));
        sending
            .start(|upload, number| async move {
                upload
                    .copy_part(number, &source.key, &source.path, range)
                    .await
            })
            .await?;
    }
    Ok(())
}

/// An object that is copied, as the store reports it.
struct Source {
    key: String,
    /// Bucket and key as a header names them.
    path: String,
    bytes: u64,
    tag: Tag,
    part_bytes: u64,
}

impl Source {
    async fn find(
        s3: &S3,
        from: &str,
        key: &str,
        sizes: &RangeInclusive<u64>,
    ) -> Result<Self, StoreError> {
        let refused = |what: &str| not_copied(key, &s3.store, what);
        let Some(Head { meta, has_kms }) = head(s3, from).await? else {
            return Err(StoreError::NotFound {
                key: from.to_owned(),
                store: s3.store.clone(),
            });
        };
        let not_this = |what: &str| StoreError::NotCopied {
            key: key.to_owned(),
            store: s3.store.clone(),
            what: what.into(),
        };
        let Meta { size, tag, .. } = meta;
        if !sizes.contains(&size) {
            return Err(not_copied_size(key, &s3.store, size, sizes));
        }
        if size == 0 {
            return Err(not_this("the source is empty"));
        }
        // The bucket may have a default that no setting names. Such tags have the form of MD5, and are none.
        if has_kms {
            return Err(refused(KMS));
        }
        let tag = Tag::parse(&tag).ok_or_else(|| refused("it names no MD5 of the source"))?;
        let part_bytes = match tag.parts {
            None | Some(1) => size,
            Some(parts) => first_part(s3, from)
                .await?
                .filter(|&bytes| bytes > 0 && size.div_ceil(bytes) == u64::from(parts))
                .ok_or_else(|| refused("it does not report the parts of the source"))?,
        };
        if part_bytes > PART_BYTES_MAX {
            return Err(not_this("a part of the source is too large"));
        }
        Ok(Self {
            key: from.to_owned(),
            path: encoded(&format!("{}/{}", s3.bucket, s3.object(from)?)),
            bytes: size,
            tag,
            part_bytes,
        })
    }

    fn parts(&self) -> u64 {
        self.bytes.div_ceil(self.part_bytes)
    }

    /// The bytes of a part; none if that is the whole, because not every store takes a range of a small object.
    fn part(&self, at: u64) -> Option<Range<u64>> {
        let start = at * self.part_bytes;
        (self.parts() > 1).then(|| start..self.bytes.min(start + self.part_bytes))
    }

    /// Refuses parts that differ from the source.
    fn check(&self, s3: &S3, key: &str, parts: &[CompletedPart]) -> Result<(), StoreError> {
        let tags = parts.iter().map(|part| part.e_tag().and_then(Tag::parse));
        let md5s: Option<Vec<_>> = tags.map(|tag| tag.map(|tag| tag.md5)).collect();
        if md5s.is_some_and(|md5s| self.tag.is_of(&md5s)) {
            return Ok(());
        }
        let what = "the MD5 of a copy differs from that of its source, or is none";
        Err(not_copied(key, &s3.store, what))
    }
}

/// The size of the first part that an object was uploaded in.
async fn first_part(s3: &S3, key: &str) -> Result<Option<u64>, StoreError> {
    let head = s3.client.head_object().bucket(&s3.bucket);
    let head = head.key(s3.object(key)?).part_number(1).send().await;
    match head {
        Ok(head) => Ok(head
            .content_length()
            .and_then(|size| u64::try_from(size).ok())),
        Err(error) => Err(classify(&s3.store, key, error)),
    }
}

/// What a tag says of the content.
#[derive(Debug, PartialEq, Eq)]
struct Tag {
    md5: [u8; 16],
    /// If it was uploaded in parts: how many. The MD5 is that of theirs then.
    parts: Option<u16>,
}

impl Tag {
    /// `None` if it has another form.
    fn parse(tag: &str) -> Option<Self> {
        let (hex, parts) = match tag.trim_matches('"').split_once('-') {
            Some((hex, parts)) => (hex, Some(parts.parse().ok()?)),
            None => (tag.trim_matches('"'), None),
        };
        let is_hex = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(hex, 16).ok().filter(|_| is_hex)?;
        Some(Self {
            md5: number.to_be_bytes(),
            parts,
        })
    }

    /// Whether it is the tag of an object with these parts.
    fn is_of(&self, md5s: &[[u8; 16]]) -> bool {
        match self.parts {
            None => md5s == [self.md5],
            Some(parts) => {
                let of_all = Md5::digest(md5s.concat());
                md5s.len() == usize::from(parts) && self.md5[..] == of_all[..]
            }
        }
    }
}

/// With what a header must not hold in percents.
fn encoded(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_its_parts_and_of_no_others() {
        let md5 = |bytes: &[u8]| -> [u8; 16] { Md5::digest(bytes).into() };
        let (one, two) = (md5(b"one"), md5(b"two"));
        let hex = |md5: [u8; 16]| format!("{:032x}", u128::from_be_bytes(md5));
        let whole = Tag::parse(&format!("\"{}\"", hex(one))).expect("a tag");
        assert!(whole.is_of(&[one]));
        assert!(!whole.is_of(&[two]) && !whole.is_of(&[one, two]) && !whole.is_of(&[]));
        let both = hex(md5(&[one, two].concat()));
        let parted = Tag::parse(&format!("\"{both}-2\"")).expect("a tag");
        assert!(parted.is_of(&[one, two]));
        assert!(!parted.is_of(&[two, one]) && !parted.is_of(&[one]));
        let three = Tag::parse(&format!("{both}-3")).expect("a tag");
        assert!(!three.is_of(&[one, two]));
        for other in [
            "",
            "\"e\"",
            &format!("+{}", &both[1..]),
            &format!("{both}-x"),
        ] {
            assert_eq!(Tag::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_is_encoded_but_for_its_slashes() {
        let path = encoded("b/p/nb-1-big-Data.db/a+b c/ü%?#");
        assert_eq!(path, "b/p/nb-1-big-Data.db/a%2Bb%20c/%C3%BC%25%3F%23");
    }
}
