//! Data.db's checksums, of each chunk and of the whole file, computed over bytes that are seen once.

use crc32fast::Hasher;

use crate::error::{Damage, Error, Result};
use crate::layout::DataLayout;
use crate::{COMPRESSION_INFO, DATA, DIGEST};

/// How many damaged chunks are reported one by one, so that a broken disk does not flood a report.
const DAMAGE_MAX: usize = 64;

/// Takes all bytes of Data.db from the front and reports the damaged ones.
pub struct DataChecksums {
    layout: DataLayout,
    whole: Option<Hasher>,
    position: u64,
    data_len: u64,
    /// The chunk that the next byte belongs to.
    chunk: Option<Current>,
    next_chunk: u64,
    damage: Vec<Damage>,
    damaged_chunks: u64,
    /// The layout itself is broken: chunks are not followed any further.
    lost: bool,
}

struct Current {
    index: u64,
    offset: u64,
    crc: Hasher,
    /// CRC32 of the chunk's content.
    content_left: u64,
    /// The checksum behind it, as far as it has been read.
    inline: [u8; 4],
    inline_read: usize,
    inline_len: usize,
}

impl DataChecksums {
    /// `data_len` is the length of Data.db in bytes; `with_digest` says whether to compute the CRC32 of the whole file.
    pub fn new(layout: DataLayout, data_len: u64, with_digest: bool) -> Self {
        let next_chunk = match &layout {
            DataLayout::Compressed(info) => info.chunks.start,
            DataLayout::Plain { .. } => 0,
        };
        Self {
            layout,
            whole: with_digest.then(Hasher::new),
            position: 0,
            data_len,
            chunk: None,
            next_chunk,
            damage: Vec::new(),
            damaged_chunks: 0,
            lost: false,
        }
    }

    /// Takes the next bytes. An error comes from the source of the checksums, never from the bytes.
    pub fn update(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(whole) = &mut self.whole {
            whole.update(bytes);
        }
        let mut rest = bytes;
        while !rest.is_empty() && !self.lost {
            if self.chunk.is_none() {
                self.begin_chunk()?;
            }
            let Some(chunk) = &mut self.chunk else {
                break;
            };
            let used = chunk.take(rest);
            rest = &rest[used..];
            self.position += used as u64;
            if chunk.is_complete() {
                self.end_chunk()?;
            }
        }
        self.position += rest.len() as u64;
        Ok(())
    }

    fn begin_chunk(&mut self) -> Result<()> {
        let index = self.next_chunk;
        let begun = match &mut self.layout {
            DataLayout::Plain { crc: None, .. } => None,
            DataLayout::Compressed(info) if index < info.chunks.end => {
                let chunk = match info.chunk(index) {
                    Ok(chunk) => chunk,
                    Err(error) => return self.lose(error),
                };
                if chunk.offset != self.position {
                    let what = format!(
                        "chunk {index} begins at byte {}, and the one before it ends here",
                        chunk.offset
                    );
                    return self.lose(Damage::at(DATA, self.position, what).into());
                }
                Some((u64::from(chunk.stored_len), 4_u64))
            }
            DataLayout::Compressed(_) => {
                let left = self.data_len.saturating_sub(self.position);
                let what = format!("{left} bytes are left behind the last chunk");
                return self.lose(Damage::at(DATA, self.position, what).into());
            }
            DataLayout::Plain { crc: Some(crc), .. } => {
                let left = self.data_len.saturating_sub(self.position);
                Some((u64::from(crc.chunk_length).min(left), 0))
            }
        };
        match begun {
            Some((content_left, inline_len)) if content_left + inline_len > 0 => {
                self.chunk = Some(Current {
                    index,
                    offset: self.position,
                    crc: Hasher::new(),
                    content_left,
                    inline: [0; 4],
                    inline_read: 0,
                    inline_len: inline_len as usize,
                });
            }
            Some(_) | None => self.lost = true,
        }
        self.next_chunk = self.next_chunk.saturating_add(1);
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<()> {
        let Some(chunk) = self.chunk.take() else {
            return Ok(());
        };
        let found = chunk.crc.finalize();
        let expected = match &mut self.layout {
            DataLayout::Compressed(_) => u32::from_be_bytes(chunk.inline),
            DataLayout::Plain { crc: Some(crc), .. } => match crc.checksum(chunk.index) {
                Ok(expected) => expected,
                Err(error) => return self.lose(error),
            },
            DataLayout::Plain { crc: None, .. } => return Ok(()),
        };
        if expected != found {
            self.damaged_chunks += 1;
            if self.damage.len() < DAMAGE_MAX {
                self.damage.push(Damage::at(
                    DATA,
                    chunk.offset,
                    format!(
                        "chunk {} has CRC32 {found:08x}, expected {expected:08x}",
                        chunk.index
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Notes damage of the layout, after which chunk boundaries are unknown.
    fn lose(&mut self, error: Error) -> Result<()> {
        self.lost = true;
        match error {
            Error::Damaged(damage) => {
                self.damage.push(damage);
                Ok(())
            }
            other => Err(other),
        }
    }

    /// Call it after all bytes: compares with the digest, and returns all damage.
    pub fn finish(mut self, digest: Option<u32>) -> Result<Vec<Damage>> {
        if let Some(chunk) = &self.chunk {
            self.damage.push(Damage::at(
                DATA,
                self.position,
                format!(
                    "ends within chunk {}, {} bytes before its end",
                    chunk.index,
                    chunk.content_left + (chunk.inline_len - chunk.inline_read) as u64
                ),
            ));
        } else if !self.lost {
            self.check_nothing_is_missing();
        }
        if let (Some(whole), Some(expected)) = (self.whole, digest) {
            let found = whole.finalize();
            if found != expected {
                self.damage.push(Damage::whole(
                    DATA,
                    format!("its CRC32 is {found} where {DIGEST} says {expected}"),
                ));
            }
        }
        let unreported = self.damaged_chunks.saturating_sub(DAMAGE_MAX as u64);
        if unreported > 0 {
            self.damage.push(Damage::whole(
                DATA,
                format!("{unreported} further chunks are damaged"),
            ));
        }
        Ok(self.damage)
    }

    fn check_nothing_is_missing(&mut self) {
        // CRC.db was compared with the length of Data.db when it was opened.
        if let DataLayout::Compressed(info) = &self.layout
            && self.next_chunk < info.chunks.end
        {
            let what = format!(
                "ends before chunk {}, {COMPRESSION_INFO} has {}",
                self.next_chunk, info.chunks.end
            );
            self.damage.push(Damage::at(DATA, self.position, what));
        }
    }
}

impl Current {
    /// Takes the bytes that belong to this chunk, and returns how many they were.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let content = usize::try_from(self.content_left)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.crc.update(&bytes[..content]);
        self.content_left -= content as u64;
        if self.content_left > 0 {
            return content;
        }
        let inline = (self.inline_len - self.inline_read).min(bytes.len() - content);
        self.inline[self.inline_read..self.inline_read + inline]
            .copy_from_slice(&bytes[content..content + inline]);
        self.inline_read += inline;
        content + inline
    }

    fn is_complete(&self) -> bool {
        self.content_left == 0 && self.inline_read == self.inline_len
    }
}
