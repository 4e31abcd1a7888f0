//! Tests of walking the data of real SSTables.

use super::fixtures::{self, Fixture};
use super::*;
use crate::error::Error;

/// The counts in Cassandra's own statistics that can be derived from rows.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(super) struct Seen {
    partitions: u64,
    rows: u64,
    static_rows: u64,
    cells: u64,
    timestamps: Option<(i64, i64)>,
    end: u64,
}

impl Seen {
    fn timestamp(&mut self, timestamp: i64) {
        let (min, max) = self.timestamps.unwrap_or((timestamp, timestamp));
        self.timestamps = Some((min.min(timestamp), max.max(timestamp)));
    }
}

impl CellVisitor for Seen {
    fn cell(&mut self, cell: &Cell) {
        self.cells += 1;
        self.timestamp(cell.timestamp);
    }

    fn complex_deletion(&mut self, _: usize, deletion: DeletionTime) {
        if !deletion.is_live() {
            self.timestamp(deletion.marked_for_delete_at);
        }
    }
}

pub(super) fn walk(fixture: &Fixture, depth: Depth, data: &[u8]) -> Result<Seen, Error> {
    let schema = Schema::new(&fixture.header, fixture.version)?;
    let mut walker = Walker::new(schema.into(), depth, data, fixture.data_position);
    let mut seen = Seen::default();
    while let Some(event) = walker.next_with(&mut seen)? {
        let (body, deletion) = match event {
            Event::Partition(partition) => {
                seen.partitions += 1;
                (None, Some(partition.deletion))
            }
            Event::StaticRow(row) => {
                // Each partition has one; only those with cells are counted as rows.
                seen.static_rows += u64::from(row.body.is_some_and(|body| body.cells > 0));
                (row.body, None)
            }
            Event::Row(row) => {
                seen.rows += 1;
                (row.body, None)
            }
            Event::Marker(marker) => (None, marker.starts.or(marker.ends)),
            Event::End(end) => {
                seen.end = end.end;
                (None, None)
            }
        };
        if let Some(liveness) = body.and_then(|body| body.liveness) {
            seen.timestamp(liveness.timestamp);
        }
        let deletion = deletion.or(body.and_then(|body| body.deletion));
        if let Some(deletion) = deletion.filter(|deletion| !deletion.is_live()) {
            seen.timestamp(deletion.marked_for_delete_at);
        }
    }
    Ok(seen)
}

#[test]
fn every_fixture_is_walked_to_its_end_and_counts_agree_with_its_statistics() {
    for fixture in
        fixtures::all("every_fixture_is_walked_to_its_end_and_counts_agree_with_its_statistics")
    {
        let name = &fixture.name;
        let cells =
            walk(&fixture, Depth::Cells, &fixture.data).unwrap_or_else(|e| panic!("{name}: {e}"));
        let light = walk(&fixture, Depth::Clusterings, &fixture.data)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let end = fixture.data_position + fixture.data.len() as u64;
        for seen in [&cells, &light] {
            assert_eq!(seen.end, end, "{name}");
            if fixture.data_position == 0 && fixture.facts["zero_copy"] != true {
                assert_eq!(seen.partitions as i64, fixture.fact("partitions"), "{name}");
                let rows = seen.rows + cells.static_rows;
                assert_eq!(rows as i64, fixture.fact("rows"), "{name}");
            }
        }
        let (min, max) = cells.timestamps.expect("rows");
        let expected = (fixture.fact("min_ts"), fixture.fact("max_ts"));
        // The statistics of a slice are those of what it was cut from.
        if fixture.facts["zero_copy"] == true {
            assert!(expected.0 <= min && max <= expected.1, "{name}");
        } else {
            assert_eq!((min, max), expected, "{name}");
        }
    }
}
