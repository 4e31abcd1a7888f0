//! The compressors of Data.db's chunks, framed as Cassandra frames them.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::COMPRESSION_INFO;
use crate::error::{Error, Result};

const ZSTD_DEFAULT_LEVEL: i32 = 3;

/// A compressor, by the name of its class in CompressionInfo.db.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compressor {
    /// LZ4 blocks behind their uncompressed length.
    Lz4,
    /// Snappy blocks without framing.
    Snappy,
    /// zlib streams.
    Deflate,
    /// zstd frames, since 4.0.
    Zstd,
    /// Chunks that are stored as they are.
    Noop,
    /// An encrypting class of DSE or HCD; the rows cannot be read without the key.
    Encrypting(String),
    /// A class that is not known here.
    Unknown(String),
}

impl Compressor {
    /// From the simple class name in CompressionInfo.db.
    pub fn of(name: &str) -> Self {
        match name {
            "LZ4Compressor" => Self::Lz4,
            "SnappyCompressor" => Self::Snappy,
            "DeflateCompressor" => Self::Deflate,
            "ZstdCompressor" => Self::Zstd,
            "NoopCompressor" => Self::Noop,
            _ if name.starts_with("Encrypt") => Self::Encrypting(name.to_owned()),
            _ => Self::Unknown(name.to_owned()),
        }
    }

    /// The simple class name.
    pub fn name(&self) -> &str {
        match self {
            Self::Lz4 => "LZ4Compressor",
            Self::Snappy => "SnappyCompressor",
            Self::Deflate => "DeflateCompressor",
            Self::Zstd => "ZstdCompressor",
            Self::Noop => "NoopCompressor",
            Self::Encrypting(name) | Self::Unknown(name) => name,
        }
    }

    /// The parameters that Cassandra accepts; it does not open an SSTable with others.
    fn accepts(&self, parameter: &str) -> bool {
        match self {
            Self::Lz4 => matches!(
                parameter,
                "lz4_compressor_type" | "lz4_high_compressor_level"
            ),
            Self::Zstd => parameter == "compression_level",
            // Deflate, Snappy and Noop have none.
            _ => false,
        }
    }
}

/// A compressor with its buffers, to be used for many chunks.
pub struct Codec {
    engine: Engine,
}

enum Engine {
    Lz4,
    Snappy {
        encoder: Box<snap::raw::Encoder>,
        decoder: snap::raw::Decoder,
    },
    Deflate {
        compress: Compress,
        decompress: Decompress,
    },
    Zstd {
        compressor: zstd::bulk::Compressor<'static>,
        decompressor: zstd::bulk::Decompressor<'static>,
    },
    Noop,
}

impl Codec {
    /// Refuses as unsupported what cannot be read here: encryption, unknown compressors, unknown parameters.
    pub fn new(compressor: &Compressor, parameters: &[(String, String)]) -> Result<Self> {
        let engine = match compressor {
            Compressor::Lz4 => Engine::Lz4,
            Compressor::Snappy => Engine::Snappy {
                encoder: Box::new(snap::raw::Encoder::new()),
                decoder: snap::raw::Decoder::new(),
            },
            Compressor::Deflate => Engine::Deflate {
                compress: Compress::new(Compression::default(), true),
                decompress: Decompress::new(true),
            },
            Compressor::Zstd => zstd_engine(parameters)?,
            Compressor::Noop => Engine::Noop,
            Compressor::Encrypting(name) => {
                let what = format!("the chunks are encrypted by {name}");
                return Err(Error::unsupported(COMPRESSION_INFO, what));
            }
            Compressor::Unknown(name) => {
                let what = format!("the compressor {name} is unknown");
                return Err(Error::unsupported(COMPRESSION_INFO, what));
            }
        };
        // Old releases kept this option of the table among the compressor's parameters.
        let known = |name: &str| name == "crc_check_chance" || compressor.accepts(name);
        if let Some((name, _)) = parameters.iter().find(|(name, _)| !known(name)) {
            let what = format!("{} has no parameter {name}", compressor.name());
            return Err(Error::unsupported(COMPRESSION_INFO, what));
        }
        Ok(Self { engine })
    }

    /// Replaces `out` with exactly `uncompressed_len` bytes, never more, whatever `stored` claims; else says what is wrong.
    pub fn decompress(
        &mut self,
        stored: &[u8],
        out: &mut Vec<u8>,
        uncompressed_len: usize,
    ) -> Result<(), String> {
        out.resize(uncompressed_len, 0);
        let len = match &mut self.engine {
            Engine::Lz4 => lz4_decompress(stored, out)?,
            Engine::Snappy { decoder, .. } => snappy_decompress(decoder, stored, out)?,
            Engine::Deflate { decompress, .. } => inflate(decompress, stored, out)?,
            Engine::Zstd { decompressor, .. } => decompressor
                .decompress_to_buffer(stored, out.as_mut_slice())
                .map_err(|error| format!("the chunk is not a zstd frame: {error}"))?,
            Engine::Noop => {
                expect_len(stored.len(), uncompressed_len)?;
                out.copy_from_slice(stored);
                stored.len()
            }
        };
        expect_len(len, uncompressed_len)
    }

    /// Replaces `out` with the compressed form of `bytes`.
    pub fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        match &mut self.engine {
            Engine::Lz4 => lz4_compress(bytes, out),
            Engine::Snappy { encoder, .. } => {
                out.resize(snap::raw::max_compress_len(bytes.len()), 0);
                let len = encoder
                    .compress(bytes, out)
                    .map_err(|error| error.to_string())?;
                out.truncate(len);
                Ok(())
            }
            Engine::Deflate { compress, .. } => deflate(compress, bytes, out),
            Engine::Zstd { compressor, .. } => {
                out.resize(zstd::zstd_safe::compress_bound(bytes.len()), 0);
                let len = compressor
                    .compress_to_buffer(bytes, out.as_mut_slice())
                    .map_err(|error| error.to_string())?;
                out.truncate(len);
                Ok(())
            }
            Engine::Noop => {
                out.clear();
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

fn expect_len(found: usize, expected: usize) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "{expected} uncompressed bytes expected, {found} found"
    ))
}

fn zstd_engine(parameters: &[(String, String)]) -> Result<Engine> {
    let text = parameters
        .iter()
        .find(|(name, _)| name == "compression_level")
        .map(|(_, level)| level.as_str());
    let level = match text.map(str::parse) {
        None => ZSTD_DEFAULT_LEVEL,
        Some(Ok(level)) if zstd::compression_level_range().contains(&level) => level,
        Some(_) => {
            let what = format!("zstd has no compression level {}", text.unwrap_or_default());
            return Err(Error::unsupported(COMPRESSION_INFO, what));
        }
    };
    let engine = || {
        let mut compressor = zstd::bulk::Compressor::new(level)?;
        // Cassandra's frames carry a checksum of the content.
        compressor.include_checksum(true)?;
        let decompressor = zstd::bulk::Decompressor::new()?;
        Ok(Engine::Zstd {
            compressor,
            decompressor,
        })
    };
    engine().map_err(|error: std::io::Error| {
        Error::unsupported(COMPRESSION_INFO, format!("zstd: {error}"))
    })
}

/// The uncompressed length, little-endian, and one block.
fn lz4_decompress(stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let (length, block) = stored
        .split_first_chunk::<4>()
        .ok_or("the chunk ends within its length")?;
    let claimed = u32::from_le_bytes(*length);
    if usize::try_from(claimed) != Ok(out.len()) {
        return Err(format!(
            "{} uncompressed bytes expected, the chunk says {claimed}",
            out.len()
        ));
    }
    lz4_flex::block::decompress_into(block, out)
        .map_err(|error| format!("the chunk is not an LZ4 block: {error}"))
}

fn lz4_compress(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let length = u32::try_from(bytes.len()).map_err(|_| "a chunk is shorter than 4 GiB")?;
    out.resize(4 + lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
    let (head, block) = out.split_at_mut(4);
    head.copy_from_slice(&length.to_le_bytes());
    let len = lz4_flex::block::compress_into(bytes, block).map_err(|error| error.to_string())?;
    out.truncate(4 + len);
    Ok(())
}

fn snappy_decompress(
    decoder: &mut snap::raw::Decoder,
    stored: &[u8],
    out: &mut [u8],
) -> Result<usize, String> {
    let garbled = |error: snap::Error| format!("the chunk is not a snappy block: {error}");
    let claimed = snap::raw::decompress_len(stored).map_err(garbled)?;
    if claimed != out.len() {
        return Err(format!(
            "{} uncompressed bytes expected, the chunk says {claimed}",
            out.len()
        ));
    }
    // The snap crate does not accept an empty block, which Cassandra writes if it synced twice.
    if stored == [0] {
        return Ok(0);
    }
    decoder.decompress(stored, out).map_err(garbled)
}

fn inflate(decompress: &mut Decompress, stored: &[u8], out: &mut Vec<u8>) -> Result<usize, String> {
    decompress.reset(true);
    let wanted = out.len();
    // One spare byte reveals a stream that is longer than it may be.
    out.resize(wanted.saturating_add(1), 0);
    let status = decompress.decompress(stored, out, FlushDecompress::Finish);
    out.truncate(wanted);
    match status {
        Ok(Status::StreamEnd) if decompress.total_in() == stored.len() as u64 => {
            usize::try_from(decompress.total_out()).map_err(|error| error.to_string())
        }
        Ok(Status::StreamEnd) => Err(format!(
            "the zlib stream ends after {} of {} bytes",
            decompress.total_in(),
            stored.len()
        )),
        Ok(_) => Err(format!(
            "the zlib stream has no end within {wanted} uncompressed bytes"
        )),
        Err(error) => Err(format!("the chunk is not a zlib stream: {error}")),
    }
}

fn deflate(compress: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    compress.reset();
    // Generously more than zlib's bound for incompressible input.
    out.resize(bytes.len() + bytes.len() / 512 + 128, 0);
    match compress.compress(bytes, out, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => {
            let len = usize::try_from(compress.total_out()).map_err(|error| error.to_string())?;
            out.truncate(len);
            Ok(())
        }
        Ok(_) => Err("the zlib stream did not end".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
