//! The trie-indexed SSTables of the shared fixtures, with their keys.

use std::path::Path;

use serde_json::Value;

use super::super::{KeyShape, Partitions, Rows, token_prefix};
use crate::compression_info::CompressionInfo;
use crate::{DataLayout, Uncompressed, Version, parse_file_name};
use cassandra_tokens::murmur3;

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
    let Some(facts) = shared_fixtures::text(test, "sstables.jsonl") else {
        return Vec::new();
    };
    let root = shared_fixtures::folder();
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
    let version = Version::known(&descriptor.format).expect("a known version");
    let data = (!is_slice).then(|| uncompressed(read("CompressionInfo.db"), data, version));
    Fixture {
        name: format!("{}/{}", text("dir"), text("sstable")),
        version,
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
            prefix: is_murmur3.then(|| token_prefix(hash[0])),
        };
        Some((key, shape))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All uncompressed bytes.
fn uncompressed(info: Option<Vec<u8>>, data: Vec<u8>, version: Version) -> Vec<u8> {
    let layout = match info {
        Some(info) => {
            let info = CompressionInfo::open(Box::new(info), version, data.len() as u64);
            DataLayout::Compressed(Box::new(info.expect("compression info")))
        }
        None => DataLayout::Plain { crc: None, base: 0 },
    };
    let mut reader = Uncompressed::new(Box::new(data), layout).expect("opens");
    let mut all = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut all).expect("decompresses");
    all
}
