//! The trie-indexed SSTables of the shared fixtures, with their keys.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::{KeyShape, Partitions, Rows, token_prefix};
use crate::{Version, parse_file_name};

pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) partitions: Vec<u8>,
    pub(super) rows: Vec<u8>,
    /// Uncompressed; `None` for slices, which are only a part of it.
    pub(super) data: Option<Vec<u8>>,
    pub(super) facts: Value,
}

/// All of them, or none with a word about it.
pub(super) fn all(test: &str) -> Vec<Fixture> {
    let root = std::env::var_os("RINGKEEP_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        PathBuf::from,
    );
    let Ok(facts) = std::fs::read_to_string(root.join("sstables.jsonl")) else {
        println!("skipped: {test}: no shared fixtures");
        return Vec::new();
    };
    let facts = facts
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of facts"));
    let found: Vec<Fixture> = facts
        .filter(|facts| facts["format"] == "bti")
        .map(|facts| load(&root, facts))
        .collect();
    assert!(found.len() > 20, "{} fixtures", found.len());
    found
}

fn load(root: &Path, facts: Value) -> Fixture {
    let text = |field: &str| facts[field].as_str().expect("a text").to_owned();
    let directory = root.join("sstables").join(text("dir"));
    let read = |component: &str| {
        std::fs::read(directory.join(format!("{}-{component}", text("sstable")))).ok()
    };
    let (descriptor, _) = parse_file_name(&format!("{}-Data.db", text("sstable"))).expect("a name");
    let is_slice = facts["zero_copy"] == true;
    let data = read("Data.db").expect("Data.db");
    let data = match read("CompressionInfo.db") {
        Some(info) if !is_slice => Some(decompress(&info, &data)),
        None if !is_slice => Some(data),
        _ => None,
    };
    Fixture {
        name: format!("{}/{}", text("dir"), text("sstable")),
        version: Version::known(&descriptor.format).expect("a known version"),
        partitions: read("Partitions.db").expect("Partitions.db"),
        rows: read("Rows.db").expect("Rows.db"),
        data,
        facts,
    }
}

impl Fixture {
    pub(super) fn open(&self) -> (Partitions, Rows) {
        let partitions =
            Partitions::open(Box::new(self.partitions.clone())).expect("a partition index");
        (partitions, self.open_rows())
    }

    pub(super) fn open_rows(&self) -> Rows {
        Rows::open(Box::new(self.rows.clone()), self.version)
    }

    pub(super) fn key_at(&self, position: u64) -> Option<(Vec<u8>, KeyShape)> {
        let bytes = self.data.as_ref()?.get(position as usize..)?;
        let len = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
        let key = bytes.get(2..2 + usize::from(len))?.to_vec();
        let hash = murmur3(&key);
        let is_murmur3 = self.facts["partitioner"] == "Murmur3Partitioner";
        let shape = KeyShape {
            hash: Some(hash[1] as u8),
            prefix: is_murmur3.then(|| token_prefix(hash[0] as i64)),
        };
        Some((key, shape))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decompress(info: &[u8], data: &[u8]) -> Vec<u8> {
    let mut cursor = crate::bytes::Cursor::new("CompressionInfo.db", info);
    let name = cursor.utf("name").expect("a name");
    for _ in 0..cursor.u32("options").expect("a count") * 2 {
        cursor.utf("option").expect("an option");
    }
    let chunk_len = cursor.u32("chunk length").expect("a length") as usize;
    let max = cursor.u32("max compressed length").expect("a length") as usize;
    let data_len = cursor.i64("data length").expect("a length") as usize;
    let count = cursor.u32("count").expect("a count");
    let offsets: Vec<usize> = (0..count)
        .map(|_| cursor.i64("offset").expect("an offset") as usize)
        .chain([data.len()])
        .collect();
    let mut all = Vec::with_capacity(data_len);
    for pair in offsets.windows(2) {
        let stored = &data[pair[0]..pair[1] - 4];
        let len = chunk_len.min(data_len - all.len());
        if stored.len() >= max {
            all.extend_from_slice(stored);
            continue;
        }
        let chunk = match name.as_str() {
            "LZ4Compressor" => lz4_flex::block::decompress(&stored[4..], len).expect("lz4"),
            "SnappyCompressor" => snap::raw::Decoder::new()
                .decompress_vec(stored)
                .expect("snappy"),
            "DeflateCompressor" => {
                let mut out = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(stored), &mut out)
                    .expect("deflate");
                out
            }
            other => panic!("no {other} here"),
        };
        assert_eq!(chunk.len(), len);
        all.extend_from_slice(&chunk);
    }
    all
}

/// Cassandra's Murmur3, whose last bytes are signed.
pub(super) fn murmur3(key: &[u8]) -> [u64; 2] {
    const C: [u64; 2] = [0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f];
    let mix = |half: usize, k: u64| match half {
        0 => k.wrapping_mul(C[0]).rotate_left(31).wrapping_mul(C[1]),
        _ => k.wrapping_mul(C[1]).rotate_left(33).wrapping_mul(C[0]),
    };
    let mut h = [0_u64; 2];
    let blocks = key.chunks_exact(16);
    let tail = blocks.remainder();
    for block in blocks {
        let word = |at: usize| u64::from_le_bytes(block[at..at + 8].try_into().expect("8 bytes"));
        h[0] ^= mix(0, word(0));
        h[0] = h[0].rotate_left(27).wrapping_add(h[1]);
        h[0] = h[0].wrapping_mul(5).wrapping_add(0x52dc_e729);
        h[1] ^= mix(1, word(8));
        h[1] = h[1].rotate_left(31).wrapping_add(h[0]);
        h[1] = h[1].wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    for (half, bytes) in tail.chunks(8).enumerate() {
        let word = bytes.iter().enumerate().fold(0_u64, |word, (index, byte)| {
            word ^ (i64::from(*byte as i8) as u64) << (8 * index)
        });
        h[half] ^= mix(half, word);
    }
    let len = key.len() as u64;
    h = h.map(|h| h ^ len);
    h[0] = h[0].wrapping_add(h[1]);
    h[1] = h[1].wrapping_add(h[0]);
    h = h.map(|h| {
        let h = (h ^ h >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let h = (h ^ h >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ h >> 33
    });
    h[0] = h[0].wrapping_add(h[1]);
    h[1] = h[1].wrapping_add(h[0]);
    h
}
