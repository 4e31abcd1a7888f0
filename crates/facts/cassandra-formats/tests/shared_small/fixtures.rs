//! The shared SSTables, and what an independent reader found in them.

use std::fs;
use std::path::PathBuf;

use cassandra_formats::Version;
use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::statistics::Statistics;
use serde_json::Value;

/// One SSTable, and what an independent reader found in it.
pub struct Shared {
    folder: PathBuf,
    pub facts: Value,
}

impl Shared {
    pub fn name(&self) -> String {
        format!("{}/{}", self.facts["dir"], self.facts["sstable"])
    }

    pub fn version(&self) -> Version {
        let text = format!("{}-{}", self.text("format"), self.text("version"));
        Version::known(&text.parse().expect("a format version")).expect("known")
    }

    pub fn text(&self, fact: &str) -> &str {
        self.facts[fact].as_str().unwrap_or_default()
    }

    pub fn number(&self, fact: &str) -> i64 {
        self.facts[fact]
            .as_i64()
            .unwrap_or_else(|| panic!("{fact}"))
    }

    pub fn read(&self, component: &str) -> Option<Vec<u8>> {
        let listed = self.facts["files"].get(component)?;
        let name = format!("{}-{component}", self.text("sstable"));
        let bytes = fs::read(self.folder.join(name)).ok()?;
        (Some(bytes.len() as u64) == listed.as_u64()).then_some(bytes)
    }

    pub fn statistics(&self) -> Statistics {
        let bytes = self.read("Statistics.db").expect("it is always there");
        Statistics::parse(&bytes, self.version())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }

    /// The bytes of the whole SSTable's Data.db that a slice of DSE was cut for.
    pub fn covered(&self) -> Option<std::ops::Range<u64>> {
        let zero_copy = self.statistics().stats.dse?.zero_copy?;
        Some(zero_copy.data_start..zero_copy.data_end)
    }

    pub fn compression_info(&self) -> Option<CompressionInfo> {
        let source = Box::new(self.read("CompressionInfo.db")?);
        let data_len = self.number("data_bytes") as u64;
        let opened = match self.covered() {
            Some(covered) => CompressionInfo::open_slice(source, self.version(), data_len, covered),
            None => CompressionInfo::open(source, self.version(), data_len),
        };
        Some(opened.unwrap_or_else(|error| panic!("{}: {error}", self.name())))
    }

    /// Keys with their positions in Data.db, from an Index.db.
    pub fn index(&self) -> Option<Vec<(Vec<u8>, u64)>> {
        let bytes = self.read("Index.db")?;
        let mut rest = bytes.as_slice();
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let len = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            let key = rest[2..2 + len].to_vec();
            rest = &rest[2 + len..];
            let position = take_uvint(&mut rest);
            let promoted = take_uvint(&mut rest) as usize;
            rest = &rest[promoted..];
            entries.push((key, position));
        }
        Some(entries)
    }
}

fn take_uvint(bytes: &mut &[u8]) -> u64 {
    let extra = bytes[0].leading_ones() as usize;
    let head = u64::from(bytes[0]) & (0x7f >> extra.min(7));
    let value = bytes[1..=extra]
        .iter()
        .fold(head, |value, byte| (value << 8) | u64::from(*byte));
    *bytes = &bytes[extra + 1..];
    value
}

/// All shared SSTables; if they are missing, none, with a line that names the test.
pub fn shared(test: &str) -> Vec<Shared> {
    let Some(facts) = shared_fixtures::text(test, "sstables.jsonl") else {
        return Vec::new();
    };
    let root = shared_fixtures::folder();
    let all: Vec<Shared> = facts
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of facts"))
        .map(|facts: Value| Shared {
            folder: root
                .join("sstables")
                .join(facts["dir"].as_str().expect("dir")),
            facts,
        })
        // Two slices of one name share their folder, and one of them its Data.db.
        .filter(|sstable| sstable.read("Data.db").is_some())
        .collect();
    assert!(!all.is_empty());
    all
}
