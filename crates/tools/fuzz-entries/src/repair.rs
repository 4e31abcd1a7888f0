//! Makes checksums right again where the input asks for it, so that they do not stop every mutation at the door.

use std::collections::BTreeMap;

use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::digest::encode_digest;

use crate::Archive;

/// The switches of an input.
const CHUNKS: u8 = 0;
const DIGEST: u8 = 1;
const STATISTICS: u8 = 2;

/// The components, with those checksums made right that the input names.
pub fn repaired(archive: &Archive) -> BTreeMap<String, Vec<u8>> {
    let mut components = archive.components.clone();
    if archive.flag(STATISTICS)
        && archive.version().has_statistics_checksums()
        && let Some(statistics) = components.get_mut("Statistics.db")
    {
        repair_statistics(statistics);
    }
    if archive.flag(CHUNKS) {
        match components.contains_key("CompressionInfo.db") {
            true => repair_chunks(archive, &mut components),
            false => repair_crc(&mut components),
        }
    }
    if archive.flag(DIGEST)
        && let Some(data) = components.get("Data.db")
    {
        let digest = encode_digest(crc32fast::hash(data));
        components.insert("Digest.crc32".to_owned(), digest);
    }
    components
}

fn put(bytes: &mut [u8], at: usize, checksum: u32) {
    let end = at.saturating_add(4);
    if let Some(stored) = bytes.get_mut(at..end) {
        stored.copy_from_slice(&checksum.to_be_bytes());
    }
}

/// The checksums of the count, of the table of contents, and of each part where its offset leads.
fn repair_statistics(bytes: &mut [u8]) {
    const PARTS: usize = 4;
    const TOC: usize = 8;
    const TOC_END: usize = TOC + 8 * PARTS;
    let Some(toc) = bytes.get(TOC..TOC_END) else {
        return;
    };
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..4]);
    let count = crc.clone().finalize();
    crc.update(toc);
    let mut bounds: Vec<usize> = toc
        .chunks_exact(8)
        .map(|entry| u32::from_be_bytes([entry[4], entry[5], entry[6], entry[7]]) as usize)
        .collect();
    bounds.push(bytes.len());
    put(bytes, 4, count);
    put(bytes, TOC_END, crc.finalize());
    for bound in bounds.windows(2) {
        let end = bound[1].saturating_sub(4);
        if let Some(part) = bytes.get(bound[0]..end) {
            let checksum = crc32fast::hash(part);
            put(bytes, end, checksum);
        }
    }
}

fn repair_chunks(archive: &Archive, components: &mut BTreeMap<String, Vec<u8>>) {
    let info = components.get("CompressionInfo.db").cloned();
    let (Some(info), Some(data)) = (info, components.get_mut("Data.db")) else {
        return;
    };
    let len = data.len() as u64;
    let Ok(mut info) = CompressionInfo::open(Box::new(info), archive.version(), len) else {
        return;
    };
    for index in info.chunks.clone() {
        let Ok(chunk) = info.chunk(index) else { return };
        let start = chunk.offset as usize;
        let end = start.saturating_add(chunk.stored_len as usize);
        if let Some(stored) = data.get(start..end) {
            let checksum = crc32fast::hash(stored);
            put(data, end, checksum);
        }
    }
}

fn repair_crc(components: &mut BTreeMap<String, Vec<u8>>) {
    let (Some(crc), Some(data)) = (components.get("CRC.db"), components.get("Data.db")) else {
        return;
    };
    let Some((header, _)) = crc.split_first_chunk::<4>() else {
        return;
    };
    let mut repaired = header.to_vec();
    let length = u32::from_be_bytes(*header).max(1) as usize;
    for chunk in data.chunks(length) {
        repaired.extend_from_slice(&crc32fast::hash(chunk).to_be_bytes());
    }
    components.insert("CRC.db".to_owned(), repaired);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Zeroes the last four bytes of components, which are checksums, and has them made right again.
    #[track_caller]
    fn check(folder: &str, format: &str, zeroed: &[&str]) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../facts/cassandra-formats/tests/fixtures")
            .join(folder);
        let sstables = sstable_files::find(&[fixtures]).expect("a folder of fixtures");
        let sstable = sstables.first().expect("an SSTable");
        let whole: BTreeMap<String, Vec<u8>> = sstable
            .components()
            .keys()
            .map(|name| (name.clone(), fs::read(sstable.path(name)).expect("there")))
            .collect();
        let mut damaged = whole.clone();
        for name in zeroed {
            let bytes = damaged.get_mut(*name).expect("the component");
            let end = bytes.len() - 4;
            bytes[end..].fill(0);
        }
        assert_ne!(damaged, whole);
        let mut input = Archive::new(format, damaged).encode();
        input[1] = 0b111;
        assert!(repaired(&Archive::decode(&input)) == whole, "{folder}");
    }

    #[test]
    fn checksums_come_back_as_they_were() {
        let compressed = ["Data.db", "Statistics.db", "Digest.crc32"];
        check("big-nb/compression/lz4", "big-nb", &compressed);
        let plain = ["CRC.db", "Statistics.db", "Digest.crc32"];
        check("big-nb/compression/none", "big-nb", &plain);
    }
}
