//! Writes a new Data.db with its checksums, compressed as the source was.

use crc32fast::Hasher;

use super::sink::{CreateComponents, Sink};
use crate::codec::{Codec, Compressor};
use crate::compression_info::CompressionInfo;
use crate::compression_info::writer::CompressionInfoWriter;
use crate::crc::{CRC_CHUNK_LENGTH, encode_crc_header};
use crate::digest::encode_digest;
use crate::error::{Error, Result};
use crate::version::Version;
use crate::{COMPRESSION_INFO, CRC, DATA, DIGEST};

/// How the source's Data is compressed.
pub struct Compression {
    pub compressor: Compressor,
    pub parameters: Vec<(String, String)>,
    pub chunk_length: u32,
    pub max_compressed_length: Option<u32>,
}

impl Compression {
    pub fn new(info: &CompressionInfo) -> Self {
        Self {
            compressor: info.compressor.clone(),
            parameters: info.parameters.clone(),
            chunk_length: info.chunk_length,
            max_compressed_length: info.max_compressed_length,
        }
    }
}

/// Writes Data.db with Digest.crc32, and CompressionInfo.db or CRC.db.
pub struct DataWriter {
    data: Sink,
    digest: Hasher,
    /// How many uncompressed bytes were given.
    position: u64,
    /// How many bytes were written to Data.db.
    written: u64,
    chunk: Vec<u8>,
    chunk_length: usize,
    scheme: Scheme,
}

enum Scheme {
    Compressed {
        codec: Box<Codec>,
        max_compressed_length: Option<u32>,
        offsets: CompressionInfoWriter<Sink>,
        compressed: Vec<u8>,
    },
    Plain {
        crc: Sink,
    },
}

impl DataWriter {
    pub fn create(
        create: &mut dyn CreateComponents,
        version: Version,
        compression: Option<&Compression>,
    ) -> Result<Self> {
        let data = Sink::create(create, DATA)?;
        let (scheme, chunk_length) = match compression {
            None => {
                let mut crc = Sink::create(create, CRC)?;
                crc.put(&encode_crc_header(CRC_CHUNK_LENGTH))?;
                (Scheme::Plain { crc }, CRC_CHUNK_LENGTH as usize)
            }
            Some(compression) => {
                let sink = Sink::create(create, COMPRESSION_INFO)?;
                let offsets = CompressionInfoWriter::new(
                    sink,
                    version,
                    &compression.compressor,
                    &compression.parameters,
                    compression.chunk_length,
                    compression.max_compressed_length,
                )?;
                let scheme = Scheme::Compressed {
                    codec: Box::new(Codec::new(
                        &compression.compressor,
                        &compression.parameters,
                    )?),
                    max_compressed_length: compression.max_compressed_length,
                    offsets,
                    compressed: Vec::new(),
                };
                (scheme, compression.chunk_length as usize)
            }
        };
        Ok(Self {
            data,
            digest: Hasher::new(),
            position: 0,
            written: 0,
            chunk: Vec::with_capacity(chunk_length),
            chunk_length,
            scheme,
        })
    }

    /// The position of the next byte in the uncompressed content.
    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.position += bytes.len() as u64;
        while !bytes.is_empty() {
            let take = (self.chunk_length - self.chunk.len()).min(bytes.len());
            self.chunk.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.chunk.len() == self.chunk_length {
                self.flush_chunk()?;
            }
        }
        Ok(())
    }

    fn flush_chunk(&mut self) -> Result<()> {
        match &mut self.scheme {
            Scheme::Plain { crc } => {
                crc.put(&crc32fast::hash(&self.chunk).to_be_bytes())?;
                self.digest.update(&self.chunk);
                self.data.put(&self.chunk)?;
                self.written += self.chunk.len() as u64;
            }
            Scheme::Compressed {
                codec,
                max_compressed_length,
                offsets,
                compressed,
            } => {
                compressed.clear();
                codec
                    .compress(&self.chunk, compressed)
                    .map_err(|what| Error::unsupported(DATA, what))?;
                if let Some(max) = *max_compressed_length
                    && compressed.len() >= max as usize
                {
                    // Stored as it is. A short last chunk is padded, because readers recognize raw chunks by their
                    // length.
                    compressed.clear();
                    compressed.extend_from_slice(&self.chunk);
                    let padded = compressed.len().max(max as usize);
                    compressed.resize(padded, 0);
                }
                offsets.add_offset(self.written)?;
                let checksum = crc32fast::hash(compressed).to_be_bytes();
                compressed.extend_from_slice(&checksum);
                self.digest.update(compressed);
                self.data.put(compressed)?;
                self.written += compressed.len() as u64;
            }
        }
        self.chunk.clear();
        Ok(())
    }

    /// Finishes all files that belong to Data, and returns their names and the length of Data.db in bytes.
    pub fn finish(mut self, create: &mut dyn CreateComponents) -> Result<(Vec<&'static str>, u64)> {
        if !self.chunk.is_empty() {
            self.flush_chunk()?;
        }
        self.data.finish()?;
        let companion = match self.scheme {
            Scheme::Plain { mut crc } => {
                crc.finish()?;
                CRC
            }
            Scheme::Compressed { offsets, .. } => {
                offsets.finish(self.position)?.finish()?;
                COMPRESSION_INFO
            }
        };
        Sink::write_whole(create, DIGEST, &encode_digest(self.digest.finalize()))?;
        Ok((vec![DATA, companion, DIGEST], self.written))
    }
}
