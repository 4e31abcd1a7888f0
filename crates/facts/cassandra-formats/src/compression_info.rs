//! CompressionInfo.db: how Data.db is compressed and where its chunks begin.

pub mod writer;

use std::ops::Range;

use crate::COMPRESSION_INFO;
use crate::bytes::Cursor;
use crate::codec::{Codec, Compressor};
use crate::error::{Damage, Error, Result};
use crate::read_ahead::ReadAhead;
use crate::source::ReadAt;
use crate::version::Version;

/// The length of the checksum behind each chunk.
const CHECKSUM_LEN: u64 = 4;
/// The longest header that is accepted: a name and some parameters.
const MAX_HEADER: u64 = 256 * 1024;
/// Chunks are held in memory whole. Cassandra's have up to a few MiB.
const MAX_CHUNK_LENGTH: u32 = 128 << 20;

/// A chunk of Data.db. Its checksum of four bytes follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Offset in Data.db.
    pub offset: u64,
    /// Its length as it is stored, without the checksum, in bytes.
    pub stored_len: u32,
    /// Its uncompressed length in bytes; 0 for the chunk that a writer leaves at the end if it synced twice.
    pub uncompressed_len: u32,
}

/// An open CompressionInfo.db: its header, and the offsets of the chunks, which are read on demand.
pub struct CompressionInfo {
    /// How the chunks are compressed.
    pub compressor: Compressor,
    /// The parameters of the compressor, in the order of the file.
    pub parameters: Vec<(String, String)>,
    /// The uncompressed length of every chunk but the last, in bytes; a power of two.
    pub chunk_length: u32,
    /// From this compressed length on, a chunk is stored uncompressed. `None` in versions that compress all chunks.
    pub max_compressed_length: Option<u32>,
    /// The uncompressed length of Data, in bytes.
    pub data_length: u64,
    /// How many chunks have an offset here.
    pub chunk_count: u64,
    /// The chunks that Data.db holds: all, except in a zero-copy-streamed SSTable.
    pub chunks: Range<u64>,
    /// The chunk offset that is the first byte of Data.db.
    base: u64,
    /// Length of Data.db as it is stored.
    stored_length: u64,
    header_len: u64,
    window: ReadAhead,
}

impl CompressionInfo {
    /// Reads the header. `data_len` is the length of Data.db as it is stored, in bytes.
    pub fn open(source: Box<dyn ReadAt>, version: Version, data_len: u64) -> Result<Self> {
        Self::parse(source, version, data_len)
    }

    /// For a zero-copy-streamed SSTable, whose CompressionInfo.db is that of its original: `covered` are the
    /// uncompressed positions of the original that it was streamed for. Chunks keep the indexes of the original.
    pub fn open_slice(
        source: Box<dyn ReadAt>,
        version: Version,
        data_len: u64,
        covered: Range<u64>,
    ) -> Result<Self> {
        let mut info = Self::parse(source, version, data_len)?;
        let length = u64::from(info.chunk_length);
        let chunks = covered.start / length..covered.end.div_ceil(length);
        if chunks.is_empty() || chunks.end > info.chunk_count {
            let what = format!(
                "chunks {} to {} of the slice are not among {} chunks",
                chunks.start, chunks.end, info.chunk_count
            );
            return Err(Damage::whole(COMPRESSION_INFO, what).into());
        }
        (info.base, _) = info.offsets(chunks.start)?;
        info.chunks = chunks;
        Ok(info)
    }

    fn parse(source: Box<dyn ReadAt>, version: Version, data_len: u64) -> Result<Self> {
        let mut window = ReadAhead::new(COMPRESSION_INFO, source);
        let len = window.len();
        let head = window.get(0, len.min(MAX_HEADER) as usize)?;
        let cursor = &mut Cursor::new(COMPRESSION_INFO, head);
        let compressor = Compressor::of(&cursor.utf("compressor")?);
        let parameters = (0..cursor.count(4, "parameters")?)
            .map(|_| Ok((cursor.utf("parameter")?, cursor.utf("parameter's value")?)))
            .collect::<Result<_, Damage>>()?;
        let chunk_length = parse_chunk_length(cursor)?;
        let max_compressed_length = if version.has_max_compressed_length() {
            Some(parse_max_compressed_length(cursor, chunk_length)?)
        } else {
            None
        };
        let data_length = parse_data_length(cursor)?;
        let chunk_count = parse_chunk_count(cursor, data_length, chunk_length, len)?;
        let header_len = cursor.offset();
        let mut info = Self {
            compressor,
            parameters,
            chunk_length,
            max_compressed_length,
            data_length,
            chunk_count,
            chunks: 0..chunk_count,
            base: 0,
            stored_length: data_len,
            header_len,
            window,
        };
        match info.offsets(0)?.0 {
            0 => Ok(info),
            first => {
                let what = format!("the first chunk begins at {first}, expected 0");
                Err(Damage::at(COMPRESSION_INFO, header_len, what).into())
            }
        }
    }

    /// The position of the chunk at `index`. Going forward is cheap.
    pub fn chunk(&mut self, index: u64) -> Result<Chunk> {
        if !self.chunks.contains(&index) {
            let what = format!(
                "chunk {index} is requested, Data.db has {} to {}",
                self.chunks.start, self.chunks.end
            );
            return Err(Damage::whole(COMPRESSION_INFO, what).into());
        }
        let (offset, next) = self.offsets(index)?;
        let start = offset.saturating_sub(self.base);
        let end = match next {
            Some(next) => next.saturating_sub(self.base),
            None => self.stored_length,
        };
        let is_last = index + 1 == self.chunks.end;
        if end > self.stored_length || (is_last && end != self.stored_length) {
            let what = format!(
                "chunk {index} ends at {end}, Data.db at {}",
                self.stored_length
            );
            return Err(self.damage(index, what));
        }
        let uncompressed_len = self.uncompressed_len(index);
        let stored_len = end
            .checked_sub(start)
            .and_then(|len| len.checked_sub(CHECKSUM_LEN))
            .filter(|len| offset >= self.base && (*len > 0 || uncompressed_len == 0))
            .filter(|len| *len <= self.max_stored_len());
        match stored_len {
            Some(stored_len) => Ok(Chunk {
                offset: start,
                stored_len: stored_len as u32,
                uncompressed_len,
            }),
            None => {
                let what = format!(
                    "chunk {index} goes from {start} to {end}, expected up to {} bytes and a checksum",
                    self.max_stored_len()
                );
                Err(self.damage(index, what))
            }
        }
    }

    /// How many uncompressed bytes Data.db holds: all, except in a zero-copy-streamed SSTable.
    pub fn uncompressed_here(&self) -> u64 {
        let length = u64::from(self.chunk_length);
        let end = self.chunks.end.saturating_mul(length).min(self.data_length);
        end.saturating_sub(self.chunks.start.saturating_mul(length))
    }

    /// Checks every offset.
    pub fn check_all(&mut self) -> Result<()> {
        self.chunks
            .clone()
            .try_for_each(|index| self.chunk(index).map(drop))
    }

    /// Whether the chunk is compressed; else it is stored as it is because compression saved too little.
    pub fn is_compressed(&self, chunk: &Chunk) -> bool {
        self.max_compressed_length
            .is_none_or(|max| chunk.stored_len < max)
    }

    /// Replaces `out` with the chunk's uncompressed bytes; `stored` are its stored bytes without the checksum. The
    /// error is what is wrong with them.
    pub fn uncompress(
        &self,
        codec: &mut Codec,
        chunk: &Chunk,
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let len = chunk.uncompressed_len as usize;
        if self.is_compressed(chunk) {
            return codec.decompress(stored, out, len);
        }
        // A short last chunk that is stored uncompressed is padded to `max_compressed_length`.
        let expected = self
            .max_compressed_length
            .map_or(len, |max| len.max(max as usize));
        let (bytes, padding) = stored
            .split_at_checked(len)
            .filter(|_| stored.len() == expected)
            .ok_or_else(|| {
                format!(
                    "{expected} bytes that are not compressed expected, {} found",
                    stored.len()
                )
            })?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err("the bytes that fill up the chunk are not zero".to_owned());
        }
        out.clear();
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// The most bytes that any compressor makes of a chunk, encryption included.
    fn max_stored_len(&self) -> u64 {
        u64::from(self.chunk_length) * 2 + 65_536
    }

    fn uncompressed_len(&self, index: u64) -> u32 {
        let length = u64::from(self.chunk_length);
        let before = index.saturating_mul(length);
        self.data_length.saturating_sub(before).min(length) as u32
    }

    /// The stored offsets of the chunk at `index` and of the one behind it, if there is one.
    fn offsets(&mut self, index: u64) -> Result<(u64, Option<u64>)> {
        let has_next = index + 1 < self.chunk_count;
        let len = if has_next { 16 } else { 8 };
        let bytes = self.window.get(self.header_len + index * 8, len)?;
        let (first, rest) = bytes.split_first_chunk().expect("eight were requested");
        let next = rest.first_chunk().copied().map(u64::from_be_bytes);
        Ok((u64::from_be_bytes(*first), next))
    }

    fn damage(&self, index: u64, what: String) -> Error {
        Damage::at(COMPRESSION_INFO, self.header_len + index * 8, what).into()
    }
}

fn parse_chunk_length(cursor: &mut Cursor<'_>) -> Result<u32, Damage> {
    let start = cursor.clone();
    let length = cursor.i32("chunk length")?;
    u32::try_from(length)
        .ok()
        .filter(|length| length.is_power_of_two() && *length <= MAX_CHUNK_LENGTH)
        .ok_or_else(|| {
            start.damage(format!(
                "the chunk length is {length}, expected a power of two up to {MAX_CHUNK_LENGTH}"
            ))
        })
}

fn parse_max_compressed_length(cursor: &mut Cursor<'_>, chunk_length: u32) -> Result<u32, Damage> {
    let start = cursor.clone();
    let length = cursor.i32("maximum compressed length")?;
    u32::try_from(length)
        .ok()
        .filter(|found| *found <= chunk_length || length == i32::MAX)
        .ok_or_else(|| {
            start.damage(format!(
                "the maximum compressed length is {length}, the chunk length {chunk_length}"
            ))
        })
}

fn parse_data_length(cursor: &mut Cursor<'_>) -> Result<u64, Damage> {
    let start = cursor.clone();
    let length = cursor.i64("data length")?;
    u64::try_from(length)
        .ok()
        .filter(|length| *length > 0)
        .ok_or_else(|| start.damage(format!("the data length is {length}")))
}

fn parse_chunk_count(
    cursor: &mut Cursor<'_>,
    data_length: u64,
    chunk_length: u32,
    len: u64,
) -> Result<u64, Damage> {
    let start = cursor.clone();
    let found = cursor.i32("chunk count")?;
    let count = u64::try_from(found).unwrap_or(0);
    let needed = data_length.div_ceil(chunk_length.into());
    // A writer that syncs with nothing left to write adds an empty chunk; one is usual.
    if !(needed..=needed.saturating_add(2)).contains(&count) {
        let what = format!("{found} chunks found, {data_length} bytes of data need {needed}");
        return Err(start.damage(what));
    }
    let expected = cursor.offset() + count * 8;
    if expected != len {
        let what = format!("{count} chunks end at {expected}, CompressionInfo.db at {len}");
        return Err(start.damage(what));
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
