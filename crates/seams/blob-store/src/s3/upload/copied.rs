//! A part that the store takes from another object.

use std::ops::Range;
use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;

use super::{Upload, completed};
use crate::StoreError;
use crate::error::not_copied;
use crate::s3::denied::{COPY_HINT, lacking};
use crate::s3::error::{Condition, classify, condition};
use crate::s3::put::{is_unsuited, words};

impl Upload {
    /// Has the store take a part from the object `from`, whose bucket and key are encoded in `path`: a range of it, or all.
    pub async fn copy_part(
        self: Arc<Self>,
        number: u32,
        from: &str,
        path: &str,
        range: Option<Range<u64>>,
    ) -> Result<CompletedPart, StoreError> {
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let (s3, key) = (&self.s3, &self.key);
        let number = i32::try_from(number).map_err(|error| s3.other(key, error))?;
        let copied = s3
            .client
            .upload_part_copy()
            .bucket(&s3.bucket)
            .key(&self.object)
            .upload_id(&self.id)
            .part_number(number)
            .copy_source(path)
            .set_copy_source_range(range)
            .send()
            .await;
        match copied {
            Ok(copied) => {
                let tag = copied.copy_part_result().and_then(|part| part.e_tag());
                let tag = tag.map(str::to_owned);
                // A store may have begun to respond with success before it was sure.
                if tag.is_none() {
                    return Err(not_copied(key, &s3.store, "it names no tag of a part"));
                }
                Ok(completed(number, tag, None))
            }
            Err(error) if condition(&error) == Condition::NoSuchUpload => {
                Err(self.failed(error, false))
            }
            Err(error) if is_unsuited(&error) => {
                let what = format!("it does not copy objects: {}", words(&error));
                Err(not_copied(key, &s3.store, what))
            }
            // What is missing is the source.
            Err(error) => Err(lacking(classify(&s3.store, from, error), COPY_HINT)),
        }
    }
}
