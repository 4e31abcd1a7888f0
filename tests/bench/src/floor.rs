//! The least that each job costs on this machine, by the same libraries.

use std::hint::black_box;

use anyhow::{Context, Result};
use cassandra_formats::codec::Codec;
use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::source::Components;
use cassandra_formats::{COMPRESSION_INFO, DATA, Version};
use sstable_files::SstableFiles;

const READ_BYTES: u64 = 1 << 20;

pub fn read_and_crc(sstable: &SstableFiles) -> Result<()> {
    let data = sstable.open(DATA)?.context("no Data.db")?;
    let mut buffer = vec![0; READ_BYTES as usize];
    let mut crc = crc32fast::Hasher::new();
    let mut at = 0;
    while at < data.len() {
        let len = (data.len() - at).min(READ_BYTES) as usize;
        data.read_exact_at(at, &mut buffer[..len])?;
        crc.update(&buffer[..len]);
        at += len as u64;
    }
    black_box(crc.finalize());
    Ok(())
}

/// Every chunk of the half that `ours::half` slices, and nothing else: no checksums, nothing written.
pub fn recompress(sstable: &SstableFiles) -> Result<()> {
    let version = Version::known(&sstable.descriptor().format).context("an unknown version")?;
    let data = sstable.open(DATA)?.context("no Data.db")?;
    let info = sstable.open(COMPRESSION_INFO)?.context("not compressed")?;
    let mut info = CompressionInfo::open(info, version, data.len())?;
    let mut codec = Codec::new(&info.compressor, &info.parameters)?;
    let (mut plain, mut compressed) = (Vec::new(), Vec::new());
    let mut raw = Vec::new();
    // The wanted half of the ring is in the middle of Data.
    for index in info.chunk_count / 4..info.chunk_count * 3 / 4 {
        let chunk = info.chunk(index)?;
        raw.resize(chunk.stored_len as usize, 0);
        data.read_exact_at(chunk.offset, &mut raw)?;
        info.uncompress(&mut codec, &chunk, &raw, &mut plain)
            .map_err(anyhow::Error::msg)?;
        compressed.clear();
        codec
            .compress(&plain, &mut compressed)
            .map_err(anyhow::Error::msg)?;
        black_box(&compressed);
    }
    Ok(())
}
