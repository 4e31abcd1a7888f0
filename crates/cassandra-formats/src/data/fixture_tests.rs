//! Tests of walking the data of real SSTables.

use super::fixtures::{self, Fixture};
use super::*;
use crate::error::Error;

/// What Cassandra's own statistics count, as far as rows tell it.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Seen {
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

fn walk(fixture: &Fixture, depth: Depth, data: &[u8]) -> Result<Seen, Error> {
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
fn every_fixture_is_walked_to_its_end_and_counts_what_its_statistics_say() {
    for fixture in
        fixtures::all("every_fixture_is_walked_to_its_end_and_counts_what_its_statistics_say")
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

/// Fixtures whose data is short enough to be walked once for each of its bytes.
fn short(test: &str) -> Vec<Fixture> {
    let mut all = fixtures::all(test);
    all.retain(|fixture| fixture.data.len() < 7_000);
    all
}

#[test]
fn data_that_ends_early_is_damage_unless_it_ends_between_partitions() {
    for fixture in short("data_that_ends_early_is_damage_unless_it_ends_between_partitions") {
        let whole = fixture.data.len();
        let mut partitions = 0;
        for len in 1..whole {
            let part = &fixture.data[..len];
            let cells = walk(&fixture, Depth::Cells, part);
            let light = walk(&fixture, Depth::Clusterings, part);
            assert_eq!(cells.is_ok(), light.is_ok(), "{} to {len}", fixture.name);
            match cells {
                Ok(_) => partitions += 1,
                Err(Error::Damaged(damage)) => {
                    assert!(damage.offset.expect("an offset") <= len as u64);
                }
                Err(other) => panic!("{} to {len}: {other}", fixture.name),
            }
        }
        assert_eq!(
            partitions + 1,
            fixture.fact("partitions"),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn data_with_wrong_bits_is_damage_or_other_data_and_never_worse() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    for mut fixture in fixtures::all("data_with_wrong_bits_is_damage_or_other_data_and_never_worse")
    {
        let mut data = std::mem::take(&mut fixture.data);
        data.truncate(20_000);
        let mut found = 0;
        for round in 0..300 {
            let mut broken = data.clone();
            for _ in 0..=round % 3 {
                let at = next() % broken.len();
                broken[at] ^= 1 << (next() % 8);
            }
            let cells = walk(&fixture, Depth::Cells, &broken);
            found += u32::from(cells.is_err());
            let _ = walk(&fixture, Depth::Clusterings, &broken);
        }
        assert!(found > 0, "{}", fixture.name);
    }
}
