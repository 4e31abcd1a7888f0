//! Rows: Data.db as uncompressed bytes, walked by the schema of Statistics.db.

use std::sync::Arc;

use cassandra_formats::data::{Depth, Event, Schema, Walker};
use cassandra_formats::statistics::Statistics;

use crate::{Archive, repair};

pub fn run(archive: &Archive) {
    let components = repair::repaired(archive);
    let (Some(data), Some(statistics)) =
        (components.get("Data.db"), components.get("Statistics.db"))
    else {
        return;
    };
    let version = archive.version();
    let Ok(statistics) = Statistics::parse(statistics, version) else {
        return;
    };
    let schemas = [
        Schema::new(&statistics.header, version),
        Schema::with_frozen_user_types(&statistics.header, version),
    ];
    for schema in schemas.into_iter().flatten() {
        let schema = Arc::new(schema);
        let cells = walk(&schema, Depth::Cells, data);
        let clusterings = walk(&schema, Depth::Clusterings, data);
        // Whoever looks at cells too comes across the same rows.
        assert!(cells.is_none() || cells == clusterings);
    }
}

/// Rows and markers, where the data is sound.
fn walk(schema: &Arc<Schema>, depth: Depth, data: &[u8]) -> Option<(u64, u64)> {
    let mut walker = Walker::new(Arc::clone(schema), depth, data, 0);
    let (mut rows, mut markers, mut position) = (0, 0, 0);
    while let Some(event) = walker.next_event().ok()? {
        if let Event::End(end) = event {
            assert!(end.position == position && end.end > position);
            position = end.end;
            rows += end.rows;
            markers += end.markers;
        }
    }
    assert_eq!(position, data.len() as u64);
    Some((rows, markers))
}
