//! What is told of tables and their SSTables.

use model::manifest::{
    Encryption, Expiring, Hazard, KeyFingerprint, NodeSstables, SstableFacts, TableSstables,
    TableSummary,
};
use model::{TableDescription, TableRef};
use plan::NodeKeys;

use super::{GIB, Side, Table};

/// The ends of the quarters of the ring.
const QUARTERS: [i64; 5] = [
    -9_000_000_000_000_000_000,
    -4_500_000_000_000_000_000,
    0,
    4_500_000_000_000_000_000,
    9_000_000_000_000_000_000,
];

/// An SSTable of a GiB that has no more than its name and its tokens.
pub fn sstable(name: &str, first: i64, last: i64) -> SstableFacts {
    SstableFacts {
        name: name.into(),
        bytes: GIB,
        first_token: Some(first.to_string()),
        last_token: Some(last.to_string()),
        ..SstableFacts::default()
    }
}

/// Four SSTables of a GiB, each with the rows of a quarter of the ring, as levelled compaction leaves them.
pub fn quarters(version: &str) -> Vec<SstableFacts> {
    let quarter = |at: usize| {
        let name = format!("{version}-{}-big", at + 1);
        sstable(&name, QUARTERS[at] + 1, QUARTERS[at + 1])
    };
    (0..4).map(quarter).collect()
}

/// One SSTable over the whole ring.
pub fn wide(version: &str) -> SstableFacts {
    sstable(&format!("{version}-5-big"), QUARTERS[0], QUARTERS[4])
}

pub fn with_hazard(name: &str, hazard: Hazard) -> SstableFacts {
    SstableFacts {
        hazards: vec![hazard],
        ..sstable(name, QUARTERS[0], QUARTERS[4])
    }
}

/// An SSTable whose tokens cannot be read, being encrypted.
pub fn encrypted(name: &str, key: &str) -> SstableFacts {
    SstableFacts {
        name: name.into(),
        bytes: GIB,
        encryption: Some(Encryption {
            compressor: "EncryptingLZ4Compressor".into(),
            key: key.into(),
        }),
        ..SstableFacts::default()
    }
}

/// An SSTable of which so many cells expire at these seconds.
pub fn expiring(name: &str, cells: u64, at: &[(u64, u64)]) -> SstableFacts {
    let expiring = at
        .iter()
        .map(|&(at_seconds, cells)| Expiring { at_seconds, cells });
    SstableFacts {
        cells: Some(cells),
        expiring: expiring.collect(),
        ..sstable(name, QUARTERS[0], QUARTERS[4])
    }
}

/// A key whose content is known by a fingerprint made of this word.
pub fn key(name: &str, fingerprint: Option<&str>) -> KeyFingerprint {
    KeyFingerprint {
        name: name.into(),
        fingerprint: fingerprint.map(str::to_owned),
    }
}

impl Table {
    pub fn description(&self) -> TableDescription {
        TableDescription {
            table: self.table.clone(),
            id: self.id,
            view_of: self.view_of.clone(),
            live_bytes: self.bytes,
            formats: self.formats.clone(),
            compaction_class: self.compaction_class.clone(),
        }
    }

    pub fn summary(&self) -> TableSummary {
        TableSummary {
            keyspace: self.table.keyspace.clone(),
            table: self.table.table.clone(),
            id: self.id,
            view_of: self.view_of.clone(),
            bytes: self.bytes,
            sstables: self.sstables(),
            formats: self.formats.clone(),
        }
    }

    pub fn sstables(&self) -> u64 {
        match self.facts.len() {
            0 => 2,
            known => known as u64,
        }
    }
}

impl Side {
    /// The table has these SSTables on each node.
    pub fn holds(&mut self, name: &str, facts: Vec<SstableFacts>) -> &mut Self {
        let table = self.table_mut(name);
        table.bytes = facts.iter().map(|sstable| sstable.bytes).sum();
        table.facts = facts;
        self
    }

    pub fn facts(&self) -> Vec<NodeSstables> {
        let is_told = |table: &&Table| !table.facts.is_empty();
        if self.keys.is_empty() && !self.tables.iter().any(|table| is_told(&table)) {
            return Vec::new();
        }
        let of_table = |table: &Table| TableSstables {
            table: table.table.clone(),
            id: table.id,
            sstables: table.facts.clone(),
        };
        let told = self.tables.iter().filter(is_told).map(of_table);
        let tables: Vec<TableSstables> = told.collect();
        let members = self.ring.iter();
        members
            .map(|member| NodeSstables {
                host_id: member.host_id,
                tables: tables.clone(),
                keys: self.keys.clone(),
            })
            .collect()
    }

    pub fn node_keys(&self) -> Vec<NodeKeys> {
        let members = self.ring.iter().filter(|_| !self.keys.is_empty());
        members
            .map(|member| NodeKeys {
                node: member.address.clone(),
                keys: self.keys.clone(),
            })
            .collect()
    }

    pub fn table_mut(&mut self, name: &str) -> &mut Table {
        let (keyspace, table) = name.split_once('.').expect("keyspace.table");
        let wanted = TableRef::new(keyspace, table);
        let mut tables = self.tables.iter_mut();
        tables.find(|table| table.table == wanted).expect("a table")
    }
}
