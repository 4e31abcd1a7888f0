//! Writes CompressionInfo.db while its Data.db is written.

use std::io::{Seek, SeekFrom, Write};

use super::COMPRESSION_INFO;
use crate::codec::Compressor;
use crate::error::{Error, Result};
use crate::version::Version;

/// Takes the offsets of the chunks one by one; length and count are filled in at the end.
pub struct CompressionInfoWriter<W> {
    out: W,
    /// The offset of the uncompressed length, which the chunk count follows.
    totals: u64,
    chunk_count: u32,
}

impl<W: Write + Seek> CompressionInfoWriter<W> {
    /// Writes the header to `out`, which must be empty and should be buffered. Without a `max_compressed_length` all
    /// chunks must be compressed.
    pub fn new(
        mut out: W,
        version: Version,
        compressor: &Compressor,
        parameters: &[(String, String)],
        chunk_length: u32,
        max_compressed_length: Option<u32>,
    ) -> Result<Self> {
        let mut header = Vec::new();
        put_utf(&mut header, compressor.name())?;
        let count = i32::try_from(parameters.len()).map_err(|_| too_long("parameters"))?;
        header.extend_from_slice(&count.to_be_bytes());
        for (name, value) in parameters {
            put_utf(&mut header, name)?;
            put_utf(&mut header, value)?;
        }
        header.extend_from_slice(&chunk_length.to_be_bytes());
        if version.has_max_compressed_length() {
            let max = max_compressed_length.unwrap_or(i32::MAX as u32);
            header.extend_from_slice(&max.to_be_bytes());
        }
        let totals = header.len() as u64;
        header.extend_from_slice(&[0; 12]);
        out.write_all(&header).map_err(write_error)?;
        Ok(Self {
            out,
            totals,
            chunk_count: 0,
        })
    }

    /// The next chunk begins at `offset` of Data.db.
    pub fn add_offset(&mut self, offset: u64) -> Result<()> {
        self.chunk_count = self
            .chunk_count
            .checked_add(1)
            .filter(|count| *count <= i32::MAX as u32)
            .ok_or_else(|| too_long("chunks"))?;
        self.out
            .write_all(&offset.to_be_bytes())
            .map_err(write_error)
    }

    /// Fills in the uncompressed length of Data in bytes, and the number of chunks, and returns the output.
    pub fn finish(mut self, data_length: u64) -> Result<W> {
        let mut totals = data_length.to_be_bytes().to_vec();
        totals.extend_from_slice(&self.chunk_count.to_be_bytes());
        let mut write = || {
            self.out.seek(SeekFrom::Start(self.totals))?;
            self.out.write_all(&totals)?;
            self.out.seek(SeekFrom::End(0))?;
            self.out.flush()
        };
        write().map_err(write_error)?;
        Ok(self.out)
    }
}

fn put_utf(out: &mut Vec<u8>, text: &str) -> Result<()> {
    let len = u16::try_from(text.len()).map_err(|_| too_long("text"))?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn too_long(what: &str) -> Error {
    Error::unsupported(COMPRESSION_INFO, format!("too many or too long: {what}"))
}

fn write_error(source: std::io::Error) -> Error {
    Error::Write {
        component: COMPRESSION_INFO.into(),
        source,
    }
}
