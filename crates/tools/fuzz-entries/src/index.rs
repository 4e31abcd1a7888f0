//! Index.db with the row indexes in it, read by the schema of Statistics.db.

use std::sync::Arc;

use cassandra_formats::data::Schema;
use cassandra_formats::index::IndexReader;
use cassandra_formats::promoted::PromotedReader;
use cassandra_formats::statistics::Statistics;

use crate::{Archive, repair};

pub fn run(archive: &Archive) {
    let mut components = repair::repaired(archive);
    let Some(index) = components.remove("Index.db") else {
        return;
    };
    let statistics = components.remove("Statistics.db").unwrap_or_default();
    let version = archive.version();
    let schema = Statistics::parse(&statistics, version)
        .ok()
        .and_then(|statistics| Schema::new(&statistics.header, version).ok())
        .map(Arc::new);
    let len = index.len() as u64;
    let mut reader = IndexReader::new(Box::new(index));
    let _ = walk(&mut reader, schema.as_ref());
    // Anywhere, as a wrong Summary.db leads to.
    reader.seek(archive.left as u64 % len.saturating_add(2));
    let _ = walk(&mut reader, schema.as_ref());
}

fn walk(reader: &mut IndexReader, schema: Option<&Arc<Schema>>) -> Option<()> {
    let len = reader.len();
    while let Some(entry) = reader.next_entry().ok()? {
        assert!(entry.offset < entry.end() && entry.end() <= len);
        let Some(schema) = schema.filter(|_| !entry.promoted.is_empty()) else {
            continue;
        };
        let mut blocks = PromotedReader::new(reader, Arc::clone(schema)).ok()?;
        while blocks.next_block().ok()?.is_some() {}
    }
    Some(())
}
