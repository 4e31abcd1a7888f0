//! What real partition and row indexes say agrees with the facts and with their Data.db.

use super::super::*;
use super::fixtures::{self, Fixture, hex};

/// Positions in Data.db in the order of the index.
pub(super) fn data_positions(fixture: &Fixture) -> Vec<u64> {
    let (partitions, rows) = fixture.open();
    let mut walk = partitions.walk();
    let mut found = Vec::new();
    while let Some(entry) = walk.next().expect("a leaf") {
        found.push(match entry.target {
            Target::Data(position) => position,
            Target::Rows(at) => rows.entry(at).expect("an entry").data_position,
        });
    }
    found
}

#[test]
fn every_partition_index_has_the_count_and_the_keys_of_the_facts() {
    for fixture in fixtures::all("every_partition_index_has_the_count_and_the_keys_of_the_facts") {
        let (partitions, _) = fixture.open();
        let found = data_positions(&fixture);
        assert_eq!(found.len() as u64, partitions.count(), "{}", fixture.name);
        if fixture.data.is_none() {
            continue;
        }
        let facts = &fixture.facts;
        assert_eq!(facts["partitions"], partitions.count(), "{}", fixture.name);
        assert_eq!(
            facts["first_key"],
            hex(partitions.first_key()),
            "{}",
            fixture.name
        );
        assert_eq!(
            facts["last_key"],
            hex(partitions.last_key()),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn every_index_agrees_with_the_keys_of_its_data() {
    for fixture in fixtures::all("every_index_agrees_with_the_keys_of_its_data") {
        let (partitions, rows) = fixture.open();
        let len = fixture
            .data
            .as_ref()
            .map_or(i64::MAX as u64, |data| data.len() as u64);
        let check = IndexCheck::new(&partitions, &rows, len);
        check_index(check, |position| Ok(fixture.key_at(position)))
            .unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
    }
}

#[test]
fn partitions_are_found_by_their_tokens() {
    for fixture in fixtures::all("partitions_are_found_by_their_tokens") {
        let (partitions, rows) = fixture.open();
        for position in data_positions(&fixture) {
            let Some((
                key,
                KeyShape {
                    prefix: Some(prefix),
                    ..
                },
            )) = fixture.key_at(position)
            else {
                continue;
            };
            let mut walk = partitions.walk_from(&prefix);
            let entry = walk
                .next()
                .expect("a leaf")
                .expect("a partition from there on");
            let found = match entry.target {
                Target::Data(position) => position,
                Target::Rows(at) => rows.entry(at).expect("an entry").data_position,
            };
            assert_eq!(found, position, "{} of {}", hex(&key), fixture.name);
        }
        let mut behind = partitions.walk_from(&[0xff]);
        assert!(behind.next().expect("the end").is_none());
    }
}

#[test]
fn an_index_that_is_passed_partition_by_partition_leaves_nothing_over() {
    for fixture in
        fixtures::all("an_index_that_is_passed_partition_by_partition_leaves_nothing_over")
    {
        let Some(data) = &fixture.data else { continue };
        let (partitions, rows) = fixture.open();
        let positions = data_positions(&fixture);
        let mut check = IndexCheck::new(&partitions, &rows, data.len() as u64);
        for position in &positions {
            let (key, shape) = fixture.key_at(*position).expect("a key");
            let entry = check.partition(*position, &key, &shape).expect("it agrees");
            let Some(entry) = entry else { continue };
            // Rows begin where blocks do, and not one byte later.
            let mut offsets = Vec::new();
            let mut blocks = rows.blocks(&entry);
            while let Some(block) = blocks.next().expect("a block") {
                offsets.push((block.offset, block.open));
            }
            let (end, starts) = offsets.split_last().expect("blocks");
            let run = |shift: u64| {
                let mut check = BlockCheck::new(&rows, &entry)?;
                for (index, (offset, open)) in starts.iter().enumerate() {
                    let shift = if index + 1 == starts.len() { shift } else { 0 };
                    check.unfiltered(offset + shift, *open)?;
                }
                check.finish(end.0)
            };
            run(0).expect("it agrees");
            run(1).expect_err("a block that begins at no row");
        }
        check.finish().expect("nothing is left over");

        let mut check = IndexCheck::new(&partitions, &rows, data.len() as u64);
        for position in &positions[..positions.len() - 1] {
            let (key, shape) = fixture.key_at(*position).expect("a key");
            check.partition(*position, &key, &shape).expect("it agrees");
        }
        check.finish().expect_err("a partition is left over");
    }
}

#[test]
fn a_zero_copy_slice_is_checked_against_the_part_of_the_index_that_it_has() {
    for fixture in
        fixtures::all("a_zero_copy_slice_is_checked_against_the_part_of_the_index_that_it_has")
    {
        let positions = data_positions(&fixture);
        let (partitions, rows) = fixture.open();
        let (Some(data), [_, middle @ .., end]) = (&fixture.data, positions.as_slice()) else {
            continue;
        };
        let Some(start) = middle.first() else {
            continue;
        };
        let pass = |positions: &[u64]| {
            let check = IndexCheck::new(&partitions, &rows, data.len() as u64);
            let mut check = check.within(*start..*end);
            for position in positions {
                let (key, shape) = fixture.key_at(*position).expect("a key");
                check.partition(*position, &key, &shape)?;
            }
            check.finish()
        };
        pass(middle).unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
        pass(&middle[1..]).expect_err("a partition is left over");
        pass(&positions).expect_err("a partition is not in the slice");
    }
}
