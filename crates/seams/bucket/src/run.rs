//! Files of one pack that come with one request.

use std::ops::Range;
use std::slice;

use blob_store::{ByteStream, StoreError};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use model::manifest::StoredFile;

use crate::Bucket;

/// What lies between two files is read over if it is no more than this: another request would take longer. What is read
/// over in one part is no more than this either, or than its files: else few small files could cost a whole pack.
const GAP_BYTES_MAX: u64 = 256 << 10;

/// What comes with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run<File> {
    /// A file that is an object of its own.
    Whole(File),
    /// Files of a pack, in the order in which they lie there.
    Part(PackPart, Vec<File>),
}

/// A part of a pack, and where files are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackPart {
    object: String,
    range: Range<u64>,
    /// Of each file in the object: ascending, and none overlaps the one before.
    places: Vec<Range<u64>>,
    /// Of its files.
    file_bytes: u64,
}

/// How large a part of a pack may be.
#[derive(Debug, Clone, Copy)]
pub struct RunLimits {
    /// Its bytes. A file that is larger comes by itself.
    pub bytes_max: u64,
    /// Its files.
    pub files_max: usize,
}

impl<File> Run<File> {
    /// Its files.
    pub fn files(&self) -> &[File] {
        match self {
            Self::Whole(file) => slice::from_ref(file),
            Self::Part(_, files) => files,
        }
    }
}

/// The pack that a file is in, and where; none if it is an object of its own.
pub fn pack_place(file: &StoredFile) -> Option<(String, Range<u64>)> {
    Some((file.object.clone(), file.place()?))
}

/// Groups files by what one request brings: first those that are objects of their own, in their order, then the parts of
/// packs.
pub fn runs<File>(
    files: Vec<File>,
    pack_place: impl Fn(&File) -> Option<(String, Range<u64>)>,
    limits: RunLimits,
) -> Vec<Run<File>> {
    let mut runs = Vec::new();
    let mut packed = Vec::new();
    for file in files {
        match pack_place(&file) {
            None => runs.push(Run::Whole(file)),
            Some((object, place)) => packed.push((object, place, file)),
        }
    }
    packed.sort_by(|a, b| (&a.0, a.1.start, a.1.end).cmp(&(&b.0, b.1.start, b.1.end)));
    for (object, place, file) in packed {
        if let Some(Run::Part(part, files)) = runs.last_mut()
            && part.object == object
            && part.has_room(&place, limits)
        {
            part.range.end = place.end;
            part.file_bytes += place.end - place.start;
            part.places.push(place);
            files.push(file);
        } else {
            let part = PackPart {
                object,
                range: place.clone(),
                file_bytes: place.end - place.start,
                places: vec![place],
            };
            runs.push(Run::Part(part, vec![file]));
        }
    }
    runs
}

impl PackPart {
    /// The key of the pack.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// How many bytes come.
    pub fn bytes(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn has_room(&self, next: &Range<u64>, limits: RunLimits) -> bool {
        let Some(gap) = next.start.checked_sub(self.range.end) else {
            return false;
        };
        let bytes = next.end - self.range.start;
        let file_bytes = self.file_bytes + (next.end - next.start);
        gap <= GAP_BYTES_MAX
            && bytes - file_bytes <= GAP_BYTES_MAX.max(file_bytes)
            && bytes <= limits.bytes_max
            && self.places.len() < limits.files_max
    }

    /// Divides the bytes of the part among its files while they come.
    pub fn split(&self) -> Split {
        Split {
            places: self.places.clone(),
            at: self.range.start,
            next: 0,
        }
    }
}

/// Divides the bytes of a part of a pack among its files.
#[derive(Debug)]
pub struct Split {
    places: Vec<Range<u64>>,
    at: u64,
    /// The first file of which not all has passed.
    next: usize,
}

impl Split {
    /// Which bytes of the next piece belong to which file, by its number in the run. Empty files get none.
    pub fn pass(&mut self, piece: &Bytes) -> Vec<(usize, Bytes)> {
        let (start, end) = (self.at, self.at + piece.len() as u64);
        self.at = end;
        let mut parts = Vec::new();
        while let Some(place) = self.places.get(self.next).filter(|place| place.start < end) {
            let inside = place.start.max(start)..place.end.min(end);
            if inside.start < inside.end {
                let [from, to] = [inside.start, inside.end].map(|at| (at - start) as usize);
                parts.push((self.next, piece.slice(from..to)));
            }
            if place.end > end {
                break;
            }
            self.next += 1;
        }
        parts
    }
}

/// A part of a pack in memory.
#[derive(Debug, Clone)]
pub struct LoadedPart {
    object: String,
    start: u64,
    bytes: Bytes,
}

impl LoadedPart {
    /// A file, if it lies in the part; shorter than it should be if the pack has ended before.
    pub fn file(&self, file: &StoredFile) -> Option<Bytes> {
        let place = file.place().filter(|_| file.object == self.object)?;
        let offset = place.start.checked_sub(self.start)?;
        let start = usize::try_from(offset).ok()?;
        let bytes = usize::try_from(file.bytes).ok()?;
        let end = start.checked_add(bytes)?.min(self.bytes.len());
        (start <= end).then(|| self.bytes.slice(start..end))
    }
}

impl Bucket {
    /// Reads a part of a pack.
    pub async fn open_part(&self, part: &PackPart) -> Result<ByteStream, StoreError> {
        if part.range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        self.store
            .get_stream(&part.object, Some(part.range.clone()))
            .await
    }

    /// Reads a part of a pack into memory.
    pub async fn load_part(&self, part: &PackPart) -> Result<LoadedPart, StoreError> {
        let mut body = self.open_part(part).await?;
        let wanted = usize::try_from(part.bytes()).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(wanted);
        while let Some(piece) = body.try_next().await? {
            let room = wanted - bytes.len();
            bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Ok(LoadedPart {
            object: part.object.clone(),
            start: part.range.start,
            bytes: bytes.into(),
        })
    }
}

#[cfg(test)]
mod tests;
