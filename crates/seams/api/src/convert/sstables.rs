//! What is known of SSTables, of keys and of shares, between wire and model.

use model::manifest::{
    Encryption, Expiring, Hazard, KeyFingerprint, NodeSstables, SstableFacts, TableSstables,
};
use model::{RangeText, SourceShare};

use super::{ConversionError, all, all_into, parsed, required};
use crate::pb::{storage_catalog, types as pb};

impl From<SstableFacts> for pb::SstableFacts {
    fn from(facts: SstableFacts) -> Self {
        Self {
            name: facts.name,
            bytes: facts.bytes,
            first_token: facts.first_token,
            last_token: facts.last_token,
            partitioner: facts.partitioner.unwrap_or_default(),
            expiring: all_into(facts.expiring),
            cells: facts.cells,
            encryption: facts.encryption.map(Into::into),
            hazards: facts
                .hazards
                .iter()
                .map(|hazard| word(*hazard).to_owned())
                .collect(),
        }
    }
}

impl TryFrom<pb::SstableFacts> for SstableFacts {
    type Error = ConversionError;

    fn try_from(facts: pb::SstableFacts) -> Result<Self, ConversionError> {
        Ok(Self {
            name: facts.name,
            bytes: facts.bytes,
            first_token: facts.first_token,
            last_token: facts.last_token,
            partitioner: (!facts.partitioner.is_empty()).then_some(facts.partitioner),
            expiring: all_into(facts.expiring),
            cells: facts.cells,
            encryption: facts.encryption.map(Into::into),
            hazards: facts
                .hazards
                .iter()
                .map(|text| hazard(text))
                .collect::<Result<_, _>>()?,
        })
    }
}

const HAZARDS: [(Hazard, &str); 4] = [
    (Hazard::ZeroCopySlice, "zero-copy-slice"),
    (Hazard::Tuples, "tuples"),
    (Hazard::LegacyCounterShards, "legacy-counter-shards"),
    (Hazard::UnfrozenType, "unfrozen-type"),
];

fn word(hazard: Hazard) -> &'static str {
    match hazard {
        Hazard::ZeroCopySlice => HAZARDS[0].1,
        Hazard::Tuples => HAZARDS[1].1,
        Hazard::LegacyCounterShards => HAZARDS[2].1,
        Hazard::UnfrozenType => HAZARDS[3].1,
    }
}

fn hazard(text: &str) -> Result<Hazard, ConversionError> {
    let known = HAZARDS.iter().find(|(_, word)| *word == text);
    known.map(|(hazard, _)| *hazard).ok_or_else(|| {
        ConversionError::invalid(
            "sstable.hazards",
            format!("`{text}` is not known to this release"),
        )
    })
}

impl From<Expiring> for pb::Expiring {
    fn from(expiring: Expiring) -> Self {
        Self {
            at_seconds: expiring.at_seconds,
            cells: expiring.cells,
        }
    }
}

impl From<pb::Expiring> for Expiring {
    fn from(expiring: pb::Expiring) -> Self {
        Self {
            at_seconds: expiring.at_seconds,
            cells: expiring.cells,
        }
    }
}

impl From<Encryption> for pb::Encryption {
    fn from(encryption: Encryption) -> Self {
        Self {
            compressor: encryption.compressor,
            key: encryption.key,
        }
    }
}

impl From<pb::Encryption> for Encryption {
    fn from(encryption: pb::Encryption) -> Self {
        Self {
            compressor: encryption.compressor,
            key: encryption.key,
        }
    }
}

impl From<KeyFingerprint> for pb::KeyFingerprint {
    fn from(key: KeyFingerprint) -> Self {
        Self {
            name: key.name,
            fingerprint: key.fingerprint.unwrap_or_default(),
        }
    }
}

impl From<pb::KeyFingerprint> for KeyFingerprint {
    fn from(key: pb::KeyFingerprint) -> Self {
        Self {
            name: key.name,
            fingerprint: (!key.fingerprint.is_empty()).then_some(key.fingerprint),
        }
    }
}

impl From<NodeSstables> for storage_catalog::NodeSstables {
    fn from(node: NodeSstables) -> Self {
        Self {
            host_id: node.host_id.to_string(),
            tables: all_into(node.tables),
            keys: all_into(node.keys),
        }
    }
}

impl TryFrom<storage_catalog::NodeSstables> for NodeSstables {
    type Error = ConversionError;

    fn try_from(node: storage_catalog::NodeSstables) -> Result<Self, ConversionError> {
        Ok(Self {
            host_id: parsed("sstables.host_id", &node.host_id)?,
            tables: all(node.tables)?,
            keys: all_into(node.keys),
        })
    }
}

impl From<TableSstables> for storage_catalog::TableSstables {
    fn from(table: TableSstables) -> Self {
        Self {
            table: Some(table.table.into()),
            id: table.id.to_string(),
            sstables: all_into(table.sstables),
        }
    }
}

impl TryFrom<storage_catalog::TableSstables> for TableSstables {
    type Error = ConversionError;

    fn try_from(table: storage_catalog::TableSstables) -> Result<Self, ConversionError> {
        Ok(Self {
            table: required("sstables.table", table.table)?.try_into()?,
            id: parsed("sstables.id", &table.id)?,
            sstables: all(table.sstables)?,
        })
    }
}

impl From<RangeText> for pb::TokenRange {
    fn from(range: RangeText) -> Self {
        Self {
            left: range.left,
            right: range.right,
        }
    }
}

impl From<pb::TokenRange> for RangeText {
    fn from(range: pb::TokenRange) -> Self {
        Self {
            left: range.left,
            right: range.right,
        }
    }
}

impl From<SourceShare> for pb::SourceShare {
    fn from(share: SourceShare) -> Self {
        Self {
            source: share.source.to_string(),
            keyspaces: share.keyspaces,
            ranges: all_into(share.ranges),
            trims: share.trims,
        }
    }
}

impl TryFrom<pb::SourceShare> for SourceShare {
    type Error = ConversionError;

    fn try_from(share: pb::SourceShare) -> Result<Self, ConversionError> {
        Ok(Self {
            source: parsed("shares.source", &share.source)?,
            keyspaces: share.keyspaces,
            ranges: all_into(share.ranges),
            trims: share.trims,
        })
    }
}

#[cfg(test)]
mod tests {
    use model::{HostId, TableId, TableRef};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_known_of_sstables_survives_the_wire() {
        let hazards = HAZARDS.map(|(hazard, _)| hazard).to_vec();
        let node = NodeSstables {
            host_id: HostId(Uuid::from_u128(1)),
            tables: vec![TableSstables {
                table: TableRef::new("k", "t"),
                id: TableId(Uuid::from_u128(2)),
                sstables: vec![
                    SstableFacts {
                        name: "nb-1-big".into(),
                        bytes: 7,
                        first_token: Some("-5".into()),
                        last_token: Some("9".into()),
                        partitioner: Some("RandomPartitioner".into()),
                        expiring: vec![Expiring {
                            at_seconds: 8,
                            cells: 3,
                        }],
                        cells: Some(10),
                        encryption: Some(Encryption {
                            compressor: "Encryptor".into(),
                            key: "system_key".into(),
                        }),
                        hazards,
                    },
                    SstableFacts::default(),
                ],
            }],
            keys: vec![
                KeyFingerprint {
                    name: "a".into(),
                    fingerprint: Some("00ff".into()),
                },
                KeyFingerprint {
                    name: "b".into(),
                    fingerprint: None,
                },
            ],
        };
        let wire = storage_catalog::NodeSstables::from(node.clone());
        assert_eq!(NodeSstables::try_from(wire), Ok(node));
    }

    #[test]
    fn a_hazard_that_is_not_known_is_not_passed_over() {
        let facts = pb::SstableFacts {
            hazards: vec!["zero-copy-slice".into(), "new".into()],
            ..pb::SstableFacts::default()
        };
        assert!(SstableFacts::try_from(facts).is_err());
    }
}
