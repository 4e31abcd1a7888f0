//! Truncation records: what keeps writes from before a moment from coming back to a table.
//!
//! Cassandra keeps in system.local, by the id of a table, when it was last truncated. Hints, batches of the batchlog and
//! Paxos commits that were made until then are dropped instead of being applied. A node reads the records when it starts,
//! so one that is written by CQL is in force from the next start on.

use std::collections::BTreeMap;

use model::TableId;

use crate::cql::{Cql, CqlError, RowError};

const READ: &str = "SELECT truncated_at FROM system.local";
/// Records in one statement.
const CHUNK: usize = 100;
/// A segment's id, a position in it, a time.
const BYTES: usize = 8 + 4 + 8;
/// The position before every segment of the commit log: replay skips nothing because of it.
const NO_SEGMENT: i64 = -1;

/// When a table was truncated, and up to which position of the commit log its writes are not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruncationRecord {
    segment: i64,
    position: i32,
    /// Milliseconds since the epoch.
    pub truncated_at_ms: i64,
}

impl TruncationRecord {
    /// The record of a table that counts as truncated until this time. What replay skips by an earlier record it still
    /// skips, and a later time stays.
    pub fn until(earlier: Option<Self>, truncated_at_ms: i64) -> Self {
        let earlier = earlier.unwrap_or(Self {
            segment: NO_SEGMENT,
            position: 0,
            truncated_at_ms: i64::MIN,
        });
        Self {
            truncated_at_ms: earlier.truncated_at_ms.max(truncated_at_ms),
            ..earlier
        }
    }

    /// Reads a blob as CQL writes it, `0x…`. A record of Cassandra 1.2 may lack the time.
    pub fn parse(blob: &str) -> Option<Self> {
        let bytes = bytes(blob.strip_prefix("0x")?)?;
        let (segment, rest) = bytes.split_first_chunk::<8>()?;
        let (position, rest) = rest.split_first_chunk::<4>()?;
        let truncated_at_ms = match rest {
            [] => i64::MIN,
            rest => i64::from_be_bytes(*rest.first_chunk::<8>()?),
        };
        Some(Self {
            segment: i64::from_be_bytes(*segment),
            position: i32::from_be_bytes(*position),
            truncated_at_ms,
        })
    }

    /// The blob as CQL reads it.
    pub fn blob(&self) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(self.segment.to_be_bytes());
        bytes.extend(self.position.to_be_bytes());
        bytes.extend(self.truncated_at_ms.to_be_bytes());
        bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        })
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() {
        return None;
    }
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// The records of the node.
pub async fn read(cql: &dyn Cql) -> Result<BTreeMap<TableId, TruncationRecord>, CqlError> {
    let rows = cql.query(READ).await?;
    let Some(row) = rows.first() else {
        return Ok(BTreeMap::new());
    };
    let odd = |source| CqlError::Row {
        statement: READ.to_owned(),
        source,
    };
    let unreadable = |found: String| {
        odd(RowError {
            column: "truncated_at".to_owned(),
            expected: "a map of truncation records",
            found,
        })
    };
    let mut records = BTreeMap::new();
    for (id, blob) in row.map("truncated_at").map_err(odd)? {
        let table = id.parse().map_err(|_| unreadable(id))?;
        let record = TruncationRecord::parse(&blob).ok_or_else(|| unreadable(blob))?;
        records.insert(table, record);
    }
    Ok(records)
}

/// Writes records, and removes those of tables for which there is none.
pub async fn write(
    cql: &dyn Cql,
    records: &BTreeMap<TableId, Option<TruncationRecord>>,
) -> Result<(), CqlError> {
    for statement in statements(records) {
        cql.execute(&statement).await?;
    }
    Ok(())
}

fn statements(records: &BTreeMap<TableId, Option<TruncationRecord>>) -> Vec<String> {
    let set = records.iter().filter_map(|(id, record)| {
        let record = record.as_ref()?;
        Some(format!("{}: {}", id, record.blob()))
    });
    let removed = records.iter().filter(|(_, record)| record.is_none());
    let removed = removed.map(|(id, _)| format!("truncated_at[{}]", id));
    let (set, removed): (Vec<String>, Vec<String>) = (set.collect(), removed.collect());
    let set = set.chunks(CHUNK).map(|entries| {
        format!(
            "UPDATE system.local SET truncated_at = truncated_at + {{{}}} WHERE key = 'local'",
            entries.join(", ")
        )
    });
    let removed = removed.chunks(CHUNK).map(|entries| {
        format!(
            "DELETE {} FROM system.local WHERE key = 'local'",
            entries.join(", ")
        )
    });
    set.chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::FakeCql;

    fn id(number: u8) -> TableId {
        format!("00000000-0000-0000-0000-{number:012}")
            .parse()
            .unwrap()
    }

    /// A segment's id, position 4711, a time.
    const REAL: &str = "0x000001936787ddbb000012670000019367816080";

    #[test]
    fn a_record_is_read_and_written_as_cassandra_does() {
        let record = TruncationRecord::parse(REAL).unwrap();
        assert_eq!(record.position, 4711);
        assert_eq!(record.blob(), REAL);
        let fresh = TruncationRecord::until(None, 1);
        assert_eq!(fresh.blob(), "0xffffffffffffffff000000000000000000000001");
        assert_eq!(TruncationRecord::parse(&fresh.blob()), Some(fresh));
        for damaged in ["", "0x", "0x00", "ff", "0xzz", &REAL[..REAL.len() - 2]] {
            assert_eq!(TruncationRecord::parse(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_record_keeps_its_position_and_never_goes_back_in_time() {
        let earlier = TruncationRecord::parse(REAL).unwrap();
        let later = TruncationRecord::until(Some(earlier), i64::MAX);
        assert_eq!(later.truncated_at_ms, i64::MAX);
        assert_eq!((later.segment, later.position), (earlier.segment, 4711));
        assert_eq!(TruncationRecord::until(Some(earlier), 5), earlier);
    }

    #[tokio::test]
    async fn records_are_read_written_and_removed_by_the_id_of_their_table() {
        let cql = FakeCql::new();
        assert!(read(&cql).await.unwrap().is_empty());
        let map = json!({ id(7).to_string(): REAL });
        cql.set(READ, json!([{ "truncated_at": map }]));
        let found = read(&cql).await.unwrap();
        assert_eq!(found[&id(7)], TruncationRecord::parse(REAL).unwrap());
        let records = [(id(7), found.get(&id(7)).copied()), (id(8), None)];
        write(&cql, &records.into()).await.unwrap();
        let executed = cql.executed.lock().unwrap().clone();
        assert_eq!(
            executed,
            [
                format!(
                    "UPDATE system.local SET truncated_at = truncated_at + {{{}: {REAL}}} WHERE key = 'local'",
                    id(7)
                ),
                format!(
                    "DELETE truncated_at[{}] FROM system.local WHERE key = 'local'",
                    id(8)
                ),
            ]
        );
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_an_error() {
        let cql = FakeCql::new();
        let map = json!({ id(7).to_string(): "0x00" });
        cql.set(READ, json!([{ "truncated_at": map }]));
        assert!(read(&cql).await.is_err());
    }
}
