//! CRC.db: the CRC32 of each chunk of a Data.db that is not compressed.

use std::ops::Range;

use crate::CRC;
use crate::error::{Damage, Error, Result};
use crate::read_ahead::ReadAhead;
use crate::source::ReadAt;

/// The length of the header, which is the chunk length.
const HEADER: u64 = 4;
/// The chunk length that every release of Cassandra writes, in bytes.
pub const CRC_CHUNK_LENGTH: u32 = 65_536;
/// The longest chunk length that is accepted, in bytes.
const MAX_CHUNK_LENGTH: u32 = 128 << 20;

/// An open CRC.db; checksums are read on demand.
pub struct CrcFile {
    /// The length of every chunk but the last, in bytes.
    pub chunk_length: u32,
    /// How many chunks Data.db holds.
    pub chunk_count: u64,
    /// The index of the checksum of Data.db's first chunk; above 0 in a zero-copy-streamed SSTable.
    first: u64,
    window: ReadAhead,
}

impl CrcFile {
    /// Reads the header. `data_len` is the length of Data.db in bytes.
    pub fn open(source: Box<dyn ReadAt>, data_len: u64) -> Result<Self> {
        Self::read(source, data_len, None)
    }

    /// For a zero-copy-streamed SSTable, whose CRC.db is that of its original: `covered` are the positions of the
    /// original that it was streamed for.
    pub fn open_slice(source: Box<dyn ReadAt>, data_len: u64, covered: Range<u64>) -> Result<Self> {
        Self::read(source, data_len, Some(covered))
    }

    fn read(source: Box<dyn ReadAt>, data_len: u64, covered: Option<Range<u64>>) -> Result<Self> {
        let mut window = ReadAhead::new(CRC, source);
        let chunk_length = parse_chunk_length(window.get(0, HEADER as usize)?)?;
        let stored = window.len() - HEADER;
        if !stored.is_multiple_of(4) {
            let what = format!("{stored} bytes of checksums are not a multiple of 4");
            return Err(Damage::at(CRC, HEADER, what).into());
        }
        let chunk_count = data_len.div_ceil(chunk_length.into());
        let mut file = Self {
            chunk_length,
            chunk_count,
            first: 0,
            window,
        };
        match covered {
            Some(covered) => file.be_slice(&covered, stored / 4)?,
            None => file.check_count(stored / 4)?,
        }
        Ok(file)
    }

    /// A writer that synced twice leaves the checksum of an empty chunk, which is 0, at the end.
    fn check_count(&mut self, stored: u64) -> Result<()> {
        if stored < self.chunk_count {
            let what = format!("{} checksums expected, {stored} found", self.chunk_count);
            return Err(Damage::whole(CRC, what).into());
        }
        for index in self.chunk_count..stored {
            let checksum = self.stored(index)?;
            if checksum != 0 {
                let what = format!(
                    "the checksum {checksum} belongs to no chunk, Data.db has {}",
                    self.chunk_count
                );
                return Err(Damage::at(CRC, HEADER + index * 4, what).into());
            }
        }
        Ok(())
    }

    fn be_slice(&mut self, covered: &Range<u64>, stored: u64) -> Result<()> {
        let length = u64::from(self.chunk_length);
        let chunks = covered.start / length..covered.end.div_ceil(length);
        let count = chunks.end.saturating_sub(chunks.start);
        if chunks.end > stored || count != self.chunk_count {
            let what = format!(
                "chunks {} to {} expected, Data.db has {} chunks and CRC.db {stored} checksums",
                chunks.start, chunks.end, self.chunk_count
            );
            return Err(Damage::whole(CRC, what).into());
        }
        self.first = chunks.start;
        Ok(())
    }

    /// The checksum of the chunk at `index` of Data.db.
    pub fn checksum(&mut self, index: u64) -> Result<u32> {
        if index >= self.chunk_count {
            let what = format!(
                "chunk {index} is requested, Data.db has {}",
                self.chunk_count
            );
            return Err(Damage::whole(CRC, what).into());
        }
        self.stored(self.first + index)
    }

    fn stored(&mut self, index: u64) -> Result<u32> {
        let bytes = self.window.get(HEADER + index * 4, 4)?;
        Ok(u32::from_be_bytes(
            bytes.try_into().expect("four were requested"),
        ))
    }
}

fn parse_chunk_length(bytes: &[u8]) -> Result<u32, Error> {
    let length = i32::from_be_bytes(bytes.try_into().expect("four were requested"));
    match u32::try_from(length) {
        Ok(length) if length.is_power_of_two() && length <= MAX_CHUNK_LENGTH => Ok(length),
        _ => {
            let what = format!(
                "the chunk length is {length}, expected a power of two up to {MAX_CHUNK_LENGTH}"
            );
            Err(Damage::at(CRC, 0, what).into())
        }
    }
}

/// The header of a new CRC.db; the checksums of the chunks follow it, big-endian.
pub fn encode_crc_header(chunk_length: u32) -> [u8; 4] {
    chunk_length.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunk_length: u32, checksums: &[u32]) -> Vec<u8> {
        let mut bytes = encode_crc_header(chunk_length).to_vec();
        bytes.extend(checksums.iter().flat_map(|checksum| checksum.to_be_bytes()));
        bytes
    }

    #[track_caller]
    fn check(bytes: Vec<u8>, data_len: u64, expected: Option<&[u32]>) {
        let found = CrcFile::open(Box::new(bytes), data_len)
            .ok()
            .map(|mut file| {
                (0..file.chunk_count)
                    .map(|index| file.checksum(index).expect("inside"))
                    .collect::<Vec<_>>()
            });
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn each_chunk_has_its_checksum() {
        check(file(16, &[1, 2, 3]), 48, Some(&[1, 2, 3]));
        check(file(16, &[1, 2, 3]), 33, Some(&[1, 2, 3]));
        // The empty chunk of a writer that synced twice.
        check(file(16, &[1, 2, 3, 0]), 33, Some(&[1, 2, 3]));
    }

    #[test]
    fn checksums_too_few_or_too_many_are_damage() {
        check(file(16, &[1, 2, 3]), 49, None);
        check(file(16, &[1, 2, 3]), 32, None);
        check(file(0, &[1]), 1, None);
        check(file(17, &[1]), 1, None);
        check(file(1 << 31, &[1]), 1, None);
    }

    #[test]
    fn truncation_at_every_length_is_damage() {
        let whole = file(16, &[1, 2, 3]);
        for len in 0..whole.len() {
            let error = CrcFile::open(Box::new(whole[..len].to_vec()), 48).err();
            assert!(matches!(error, Some(Error::Damaged(_))), "{len}");
        }
    }

    #[test]
    fn a_slice_keeps_the_checksums_of_its_origin() {
        let bytes = file(16, &[1, 2, 3, 4]);
        let mut slice = CrcFile::open_slice(Box::new(bytes.clone()), 32, 20..40).expect("whole");
        assert_eq!(slice.checksum(0).expect("inside"), 2);
        assert_eq!(slice.checksum(1).expect("inside"), 3);
        assert!(slice.checksum(2).is_err());
        assert!(CrcFile::open_slice(Box::new(bytes.clone()), 33, 20..40).is_err());
        assert!(CrcFile::open_slice(Box::new(bytes), 32, 60..70).is_err());
    }
}
