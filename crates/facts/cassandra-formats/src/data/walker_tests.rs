//! Tests of walking data that was made by hand.

use std::io::Read;

use super::written::{Writer, header};
use super::*;
use crate::bytes::put_vint_bytes;
use crate::error::{Damage, Error};
use crate::fixtures::version;

/// Collects cells, and events as text.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    cells: Vec<Cell>,
    deletions: Vec<(usize, i64)>,
    events: Vec<String>,
}

impl CellVisitor for Seen {
    fn cell(&mut self, cell: &Cell) {
        self.cells.push(*cell);
    }

    fn complex_deletion(&mut self, column: usize, deletion: DeletionTime) {
        self.deletions.push((column, deletion.marked_for_delete_at));
    }
}

fn walk(statics: bool, depth: Depth, data: impl Read) -> Result<Seen, Damage> {
    let schema = Schema::new(&header(statics), version("big-nb"))?;
    let mut walker = Walker::new(schema.into(), depth, data, 0);
    let mut seen = Seen::default();
    loop {
        match walker.next_with(&mut seen) {
            Ok(Some(event)) => {
                let text = match event {
                    Event::Partition(p) => format!("partition at {}", p.position),
                    Event::StaticRow(r) => format!("static row to {}", r.end),
                    Event::Row(r) => {
                        format!("row {:?} from {} to {}", r.clustering, r.position, r.end)
                    }
                    Event::Marker(m) => {
                        let at = |d: Option<DeletionTime>| d.map(|d| d.marked_for_delete_at);
                        format!(
                            "{:?} ends {:?} starts {:?}",
                            m.kind,
                            at(m.ends),
                            at(m.starts)
                        )
                    }
                    Event::End(e) => format!("end at {} of {} rows", e.end, e.rows),
                };
                seen.events.push(text);
            }
            Ok(None) => return Ok(seen),
            Err(Error::Damaged(damage)) => return Err(damage),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Gives one byte at a time.
struct Slowly<'a>(&'a [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn cells_take_from_their_rows_what_their_flags_say() {
    // Written at 1005, expiring after 15 s at 2020: columns 0 and 1, and a list that was deleted at 1001 before.
    let row = [
        &[5, 5, 20][..],
        &[0x08 | 0x10 | 0x02, 0, 0, 0, 42],
        &[0x01 | 0x04, 3, 9],
        &[1, 1, 1],
        &[0x08, 16],
        &[9; 16],
        &[4, 0, 0, 0, 7],
    ]
    .concat();
    let data = Writer::partition("k")
        .row(0x04 | 0x08 | 0x20 | 0x40, 1, &row)
        .end();
    let seen = walk(false, Depth::Cells, data.as_slice()).expect("whole");
    let cell = |column, timestamp, local_deletion_time, value_len| Cell {
        column,
        is_static: false,
        is_tombstone: false,
        timestamp,
        local_deletion_time,
        ttl: 0,
        path_len: None,
        value_len,
    };
    let expected = [
        Cell {
            ttl: 15,
            ..cell(0, 1_005, 2_020, 4)
        },
        Cell {
            is_tombstone: true,
            ..cell(1, 1_003, 2_009, 0)
        },
        Cell {
            path_len: Some(16),
            ..cell(2, 1_005, NO_DELETION_TIME, 4)
        },
    ];
    assert_eq!(seen.cells, expected);
    assert_eq!(seen.deletions, [(2, 1_001)]);
}

#[test]
fn markers_open_and_close_ranges_and_the_static_row_comes_first() {
    use ClusteringKind::*;
    let data = Writer::partition("k")
        .static_row("s")
        .marker(InclStartBound, 1, &[1, 1])
        .marker(InclEndExclStartBoundary, 2, &[1, 1, 2, 2])
        .row(0x04, 3, &[9, 0x07])
        .marker(ExclEndBound, 4, &[2, 2])
        .end();
    for depth in [Depth::Cells, Depth::Clusterings] {
        let seen = walk(true, depth, data.as_slice()).expect("whole");
        let expected = [
            "partition at 0",
            "static row to 23",
            "InclStartBound ends None starts Some(1001)",
            "InclEndExclStartBoundary ends Some(1001) starts Some(1002)",
            "row [4, 0, 0, 0, 0, 3] from 51 to 61",
            "ExclEndBound ends Some(1002) starts None",
            "end at 75 of 1 rows",
        ];
        assert_eq!(seen.events, expected);
    }
}

#[test]
fn rows_too_long_for_memory_are_decoded_like_others() {
    // An integer, a text of three megabytes and an empty list.
    let mut long = vec![0, 0, 0, 0, 0, 0, 1, 0, 1];
    put_vint_bytes(&mut long, &vec![b'x'; 3 << 20]);
    long.push(0);
    let short = [0, 0, 0, 0, 0, 0, 1, 0, 1, 1, b'y', 0];
    let data = Writer::partition("k")
        .row(0x24, 1, &long)
        .row(0x24, 2, &short)
        .end();
    let at_once = walk(false, Depth::Cells, data.as_slice()).expect("whole");
    let lens: Vec<u64> = at_once.cells.iter().map(|cell| cell.value_len).collect();
    assert_eq!(lens, [4, 3 << 20, 4, 1]);
    assert_eq!(walk(false, Depth::Cells, Slowly(&data)), Ok(at_once));
    // The row's size, in four bytes, says less than its cells are long, or more, or more than there is.
    assert_eq!(data[21], 0xe0);
    for (byte, value) in [(24, data[24] - 1), (24, data[24] + 1), (22, 0x7f)] {
        let mut wrong = data.clone();
        wrong[byte] = value;
        let damage = walk(false, Depth::Cells, wrong.as_slice()).expect_err("damage");
        assert_eq!(damage.offset, Some(25), "{damage}");
    }
}

#[track_caller]
fn check_damage(data: &[u8], offset: u64, words: &str) {
    let damage = walk(false, Depth::Cells, data).expect_err("damage");
    assert!(damage.what.contains(words), "{damage}");
    assert_eq!(damage.offset, Some(offset), "{damage}");
}

#[test]
fn what_no_writer_writes_is_damage_at_its_offset() {
    use ClusteringKind::*;
    let start = || Writer::partition("k");
    // The partition's first row begins at 15, its size is at 21 and its body at 22.
    check_damage(&start().row(0x08, 1, &[0x07]).end(), 15, "with a timestamp");
    check_damage(
        &start().row(0x04, 1, &[0, 0x08]).end(),
        24,
        "misses columns",
    );
    check_damage(&start().row(0x24, 1, &[0, 0x20]).end(), 24, "unknown");
    check_damage(&start().row(0x24, 1, &[0, 0x03]).end(), 24, "not both");
    check_damage(&start().row(0x20, 1, &[0x08]).end(), 23, "no timestamp");
    check_damage(
        &start().row(0x04, 1, &[0, 0x07, 0]).end(),
        22,
        "cells are 3 bytes",
    );
    check_damage(&start().row(0x24, 1, &[0, 0x08]).end(), 22, "longer");
    check_damage(
        &start().marker(InclEndBound, 1, &[0, 0]).end(),
        15,
        "no range is open",
    );
    check_damage(
        &start().marker(InclStartBound, 1, &[0, 0]).end(),
        28,
        "is open",
    );
    check_damage(
        &start().marker(InclStartBound, 1, &[0, 0, 0]).end(),
        25,
        "3 bytes long",
    );
    let mut wrong_previous = start().row(0x04, 1, &[0, 0x07]).end();
    wrong_previous[22] += 1;
    check_damage(&wrong_previous, 22, "should be 15, it is 16");
}
