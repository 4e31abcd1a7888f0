//! Real SSTables for tests: the shared fixtures, if they are available.

use std::fmt;

use serde_json::Value;

use crate::bytes::Cursor;
use crate::version::Version;

/// An SSTable with the facts that are on record about it.
pub(crate) struct Fixture {
    pub(crate) facts: Value,
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.facts["dir"], self.facts["sstable"])
    }
}

pub(crate) fn all(test: &str) -> Option<Vec<Fixture>> {
    let lines = shared_fixtures::text(test, "sstables.jsonl")?;
    let parse = |line| Fixture {
        facts: serde_json::from_str(line).expect("facts"),
    };
    Some(lines.lines().map(parse).collect())
}

/// Of a name such as `big-nb`.
pub(crate) fn version(name: &str) -> Version {
    Version::known(&name.parse().expect("a format version")).expect("a known version")
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

impl Fixture {
    pub(crate) fn text(&self, fact: &str) -> Option<&str> {
        self.facts[fact].as_str()
    }

    pub(crate) fn number(&self, fact: &str) -> Option<u64> {
        self.facts[fact].as_u64()
    }

    /// A fact that is a key in hex.
    pub(crate) fn key(&self, fact: &str) -> Option<Vec<u8>> {
        self.text(fact).map(unhex)
    }

    pub(crate) fn version(&self) -> Version {
        let [format, letters] = ["format", "version"].map(|fact| self.text(fact).expect(fact));
        version(&format!("{format}-{letters}"))
    }

    pub(crate) fn component(&self, name: &str) -> Option<Vec<u8>> {
        let [dir, sstable] = ["dir", "sstable"].map(|fact| self.text(fact).expect(fact));
        let file = format!("sstables/{dir}/{sstable}-{name}");
        std::fs::read(shared_fixtures::folder().join(file)).ok()
    }

    /// Keys and positions in Index.db, if it has one.
    pub(crate) fn index_entries(&self) -> Option<Vec<(Vec<u8>, u64)>> {
        let bytes = self.component("Index.db")?;
        let mut cursor = Cursor::new("Index.db", &bytes);
        let mut entries = Vec::new();
        while !cursor.is_empty() {
            let position = cursor.offset();
            let key = cursor.u16_bytes("key").expect("a key");
            cursor.uvint("position").expect("a position");
            cursor.vint_bytes("promoted index").expect("promoted index");
            entries.push((key.to_vec(), position));
        }
        Some(entries)
    }
}
