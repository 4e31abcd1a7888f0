//! Data.db as uncompressed bytes by their positions, each chunk checked before it is used.

use std::io::{self, Read};
use std::ops::Range;

use crate::DATA;
use crate::codec::Codec;
use crate::compression_info::CompressionInfo;
use crate::crc::CrcFile;
use crate::error::{Damage, Error, Result};
use crate::layout::DataLayout;
use crate::source::ReadAt;

/// The least that is fetched of Data at once, in bytes: many chunks, because a request to an object store costs the
/// same for one byte and for a mebibyte.
pub(crate) const READ_BYTES: usize = 1 << 20;

/// Reads ranges of uncompressed Data in order.
pub struct Uncompressed {
    data: Box<dyn ReadAt>,
    compressed: Option<Compressed>,
    /// The position of the first byte, if Data is not compressed.
    base: u64,
    /// The positions that can be read.
    extent: Range<u64>,
    /// The range that is being read.
    position: u64,
    end: u64,
    raw: RawWindow,
    /// Uncompressed bytes in memory, and the position of the first of them.
    block: Vec<u8>,
    block_start: u64,
    /// The least that is fetched at once, in bytes.
    read_bytes: usize,
    /// The checksums of uncompressed Data, if they should be checked.
    crc: Option<Box<CrcFile>>,
}

struct Compressed {
    info: Box<CompressionInfo>,
    codec: Codec,
}

/// Bytes of Data as they are stored, around the chunk that is read.
#[derive(Default)]
struct RawWindow {
    bytes: Vec<u8>,
    start: u64,
}

impl Uncompressed {
    /// Reads compressed Data with its checksums checked; plain Data is not checked.
    pub fn new(data: Box<dyn ReadAt>, layout: DataLayout) -> Result<Self> {
        let (compressed, base, extent) = match layout {
            DataLayout::Plain { base, .. } => (None, base, base..base.saturating_add(data.len())),
            DataLayout::Compressed(info) => {
                let codec = Codec::new(&info.compressor, &info.parameters)?;
                let length = u64::from(info.chunk_length);
                let end = info.chunks.end.saturating_mul(length);
                let extent = info.chunks.start * length..end.min(info.data_length);
                (Some(Compressed { info, codec }), 0, extent)
            }
        };
        Ok(Self {
            data,
            compressed,
            base,
            position: extent.start,
            end: extent.end,
            extent,
            raw: RawWindow::default(),
            block: Vec::new(),
            block_start: 0,
            read_bytes: READ_BYTES,
            crc: None,
        })
    }

    /// Also checks uncompressed Data, against CRC.db if there is one, and fetches `read_bytes` at once.
    pub(crate) fn checked(
        data: Box<dyn ReadAt>,
        mut layout: DataLayout,
        read_bytes: usize,
    ) -> Result<Self> {
        let crc = match &mut layout {
            DataLayout::Plain { crc, .. } => crc.take(),
            DataLayout::Compressed(_) => None,
        };
        Ok(Self {
            crc,
            read_bytes: read_bytes.max(1),
            ..Self::new(data, layout)?
        })
    }

    /// The positions that exist: all of Data, except in a zero-copy-streamed SSTable.
    pub fn extent(&self) -> Range<u64> {
        self.extent.clone()
    }

    /// The position of the next byte.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Continues with another range. Chunks behind its end are not fetched.
    pub fn seek(&mut self, range: Range<u64>) -> Result<()> {
        if range.start > range.end || range.start < self.extent.start || range.end > self.extent.end
        {
            return Err(Damage::at(
                DATA,
                range.start,
                format!(
                    "bytes {} to {} of its content are requested, it has {} to {}",
                    range.start, range.end, self.extent.start, self.extent.end
                ),
            )
            .into());
        }
        self.position = range.start;
        self.end = range.end;
        Ok(())
    }

    /// The next bytes, as many as are in memory, at least one; empty at the end of the range.
    pub fn fill(&mut self) -> Result<&[u8]> {
        if self.position >= self.end {
            return Ok(&[]);
        }
        let block_end = self.block_start + self.block.len() as u64;
        if !(self.block_start..block_end).contains(&self.position) {
            self.load()?;
        }
        let from = usize::try_from(self.position - self.block_start).unwrap_or(usize::MAX);
        let len = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let bytes = self.block.get(from..).unwrap_or_default();
        let bytes = &bytes[..bytes.len().min(len)];
        if bytes.is_empty() {
            return Err(Damage::at(
                DATA,
                self.data.len(),
                format!(
                    "ends before byte {} of its uncompressed content",
                    self.position
                ),
            )
            .into());
        }
        Ok(bytes)
    }

    /// Skips bytes that [`fill`](Self::fill) returned.
    pub fn consume(&mut self, len: usize) {
        self.position = self.position.saturating_add(len as u64).min(self.end);
    }

    /// Fills `buffer`; damage if the range ends before that.
    pub fn read_exactly(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Err(Damage::at(
                    DATA,
                    self.position,
                    format!(
                        "{} bytes more were expected in the uncompressed content",
                        buffer.len() - filled
                    ),
                )
                .into());
            }
            let take = bytes.len().min(buffer.len() - filled);
            buffer[filled..filled + take].copy_from_slice(&bytes[..take]);
            filled += take;
            self.consume(take);
        }
        Ok(())
    }

    fn load(&mut self) -> Result<()> {
        match &mut self.compressed {
            None => {
                // Only whole chunks can be checked.
                let chunk = self.crc.as_ref().map_or(1, |crc| crc.chunk_length);
                let chunk = u64::from(chunk.max(1));
                let offset = self.position - self.base;
                let from = offset - offset % chunk;
                let end = (self.end - self.base).div_ceil(chunk).saturating_mul(chunk);
                let most = (self.read_bytes as u64)
                    .div_ceil(chunk)
                    .saturating_mul(chunk);
                let to = end.min(from.saturating_add(most)).min(self.data.len());
                self.block.clear();
                self.block.resize(to.saturating_sub(from) as usize, 0);
                self.data
                    .read_exact_at(from, &mut self.block)
                    .map_err(|source| Error::read(DATA, source))?;
                self.block_start = self.base + from;
                if let Some(crc) = &mut self.crc {
                    check_chunks(crc, from, &self.block)?;
                }
            }
            Some(compressed) => {
                let length = u64::from(compressed.info.chunk_length);
                let index = self.position / length;
                let last = (self.end - 1) / length;
                let reader = Reader {
                    data: &*self.data,
                    read_bytes: self.read_bytes,
                };
                compressed.load(index, last, &reader, &mut self.raw, &mut self.block)?;
                self.block_start = index * length;
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    data: &'a dyn ReadAt,
    read_bytes: usize,
}

/// Checks whole chunks; `from` is the offset of the first one in Data.db.
fn check_chunks(crc: &mut CrcFile, from: u64, bytes: &[u8]) -> Result<()> {
    let length = u64::from(crc.chunk_length);
    for (index, chunk) in (from / length..).zip(bytes.chunks(crc.chunk_length as usize)) {
        let (expected, found) = (crc.checksum(index)?, crc32fast::hash(chunk));
        if expected != found {
            let what = format!("chunk {index} has CRC32 {found:08x}, expected {expected:08x}");
            return Err(Damage::at(DATA, index * length, what).into());
        }
    }
    Ok(())
}

impl Compressed {
    fn load(
        &mut self,
        index: u64,
        last: u64,
        reader: &Reader<'_>,
        raw: &mut RawWindow,
        block: &mut Vec<u8>,
    ) -> Result<()> {
        block.clear();
        let chunk = self.info.chunk(index)?;
        let stored_len = chunk.stored_len as usize;
        let wanted_len = stored_len + 4;
        let bytes = match raw.get(chunk.offset, wanted_len) {
            Some(range) => range,
            None => {
                let most = reader.read_bytes;
                let read_len = self.window_len(chunk.offset, wanted_len, index, last, most)?;
                raw.load(reader.data, chunk.offset, read_len)?;
                0..wanted_len
            }
        };
        let (content, checksum) = raw.bytes[bytes].split_at(stored_len);
        let found = crc32fast::hash(content);
        if checksum != found.to_be_bytes() {
            let expected = checksum
                .iter()
                .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
            return Err(Damage::at(
                DATA,
                chunk.offset,
                format!("chunk {index} has CRC32 {found:08x}, expected {expected:08x}"),
            )
            .into());
        }
        self.info
            .uncompress(&mut self.codec, &chunk, content, block)
            .map_err(|what| {
                Damage::at(
                    DATA,
                    chunk.offset,
                    format!("chunk {index} does not decompress: {what}"),
                )
                .into()
            })
    }

    /// How much to read, beginning with a chunk: up to the range's end, in pieces of `most` bytes.
    fn window_len(
        &mut self,
        offset: u64,
        wanted: usize,
        index: u64,
        last: u64,
        most: usize,
    ) -> Result<usize> {
        if wanted >= most {
            return Ok(wanted);
        }
        let last = last.clamp(index, self.info.chunks.end.saturating_sub(1).max(index));
        let last = self.info.chunk(last)?;
        let end = last.offset + u64::from(last.stored_len) + 4;
        // Moves the window of offsets back to the current position.
        self.info.chunk(index)?;
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        Ok(left.clamp(wanted, most))
    }
}

impl RawWindow {
    fn get(&self, offset: u64, len: usize) -> Option<Range<usize>> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let to = from.checked_add(len)?;
        (to <= self.bytes.len()).then_some(from..to)
    }

    fn load(&mut self, data: &dyn ReadAt, offset: u64, len: usize) -> Result<()> {
        self.bytes.resize(len, 0);
        self.start = offset;
        if let Err(source) = data.read_exact_at(offset, &mut self.bytes) {
            self.bytes.clear();
            return Err(Error::read(DATA, source));
        }
        Ok(())
    }
}

/// The key of the partition at a position.
pub fn key_at(data: &mut Uncompressed, position: u64) -> Result<Vec<u8>> {
    let end = data.extent().end;
    data.seek(position..end.min(position.saturating_add(2)))?;
    let mut len = [0; 2];
    data.read_exactly(&mut len)?;
    let len = u16::from_be_bytes(len);
    let from = position.saturating_add(2);
    data.seek(from..end.min(from.saturating_add(u64::from(len))))?;
    let mut key = vec![0; usize::from(len)];
    data.read_exactly(&mut key)?;
    Ok(key)
}

impl Read for Uncompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill().map_err(io::Error::other)?;
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        self.consume(len);
        Ok(len)
    }
}
