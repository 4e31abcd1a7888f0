//! Damaged indexes are refused, or harmless, and never end in a panic, a loop or a large allocation.

use super::super::*;
use super::fixtures::{self, Fixture};
use super::real::data_positions;
use crate::error::{Damage, Error, Result};

/// Everything in the index, compared with the keys if there is data.
fn check_all(fixture: &Fixture, partitions: Vec<u8>, rows: Vec<u8>) -> Result<()> {
    let partitions = Partitions::open(Box::new(partitions))?;
    let rows = Rows::open(Box::new(rows), fixture.version);
    let len = fixture
        .data
        .as_ref()
        .map_or(i64::MAX as u64, |data| data.len() as u64);
    check_index(
        IndexCheck::new(&partitions, &rows, len),
        |position| match fixture.key_at(position) {
            None if fixture.data.is_some() => Err(Damage::at("Data.db", position, "no key").into()),
            found => Ok(found),
        },
    )
}

/// What a reader gets from the index: hashes, targets, entries, blocks; and the paths that lead to them.
fn content(fixture: &Fixture, partitions: Vec<u8>, rows: Vec<u8>) -> Result<Vec<String>> {
    let partitions = Partitions::open(Box::new(partitions))?;
    let rows = Rows::open(Box::new(rows), fixture.version);
    let mut found = Vec::new();
    let mut walk = partitions.walk();
    while let Some(leaf) = walk.next()? {
        found.push(format!(
            "{:?} {:?} {:?}",
            leaf.prefix, leaf.hash, leaf.target
        ));
        let Target::Rows(at) = leaf.target else {
            continue;
        };
        let entry = rows.entry(at)?;
        found.push(format!("{:?} {:?}", entry.deletion, entry.block_count));
        let mut blocks = rows.blocks(&entry);
        while let Some(block) = blocks.next()? {
            found.push(format!(
                "{:?} {} {:?}",
                block.separator, block.offset, block.open
            ));
        }
    }
    Ok(found)
}

fn small(test: &str) -> Vec<Fixture> {
    fixtures::all(test)
        .into_iter()
        .filter(|fixture| fixture.partitions.len() < 1000 && fixture.data.is_some())
        .collect()
}

#[test]
fn an_index_that_is_cut_short_is_refused() {
    for fixture in small("an_index_that_is_cut_short_is_refused") {
        for len in 0..fixture.partitions.len() {
            let cut = fixture.partitions[..len].to_vec();
            let error = check_all(&fixture, cut, fixture.rows.clone()).expect_err("a cut index");
            assert!(matches!(error, Error::Damaged(_)), "{error:?}");
        }
        for len in 0..fixture.rows.len() {
            let cut = fixture.rows[..len].to_vec();
            let error =
                check_all(&fixture, fixture.partitions.clone(), cut).expect_err("a cut row index");
            assert!(matches!(error, Error::Damaged(_)), "{error:?}");
        }
    }
}

/// Flips each bit of a component in turn; the contents that are another and passed `check`.
fn flip_all(
    fixture: &Fixture,
    is_rows: bool,
    check: impl Fn(Vec<u8>, Vec<u8>) -> Result<()>,
) -> Vec<String> {
    let content = |partitions: Vec<u8>, rows: Vec<u8>| {
        content(fixture, partitions, rows).expect("it can be read")
    };
    let original = content(fixture.partitions.clone(), fixture.rows.clone());
    let len = if is_rows {
        fixture.rows.len()
    } else {
        fixture.partitions.len()
    };
    let mut unseen = Vec::new();
    for bit in 0..len * 8 {
        let (mut partitions, mut rows) = (fixture.partitions.clone(), fixture.rows.clone());
        let bytes = if is_rows { &mut rows } else { &mut partitions };
        bytes[bit / 8] ^= 1 << (bit % 8);
        match check(partitions.clone(), rows.clone()) {
            Err(Error::Damaged(_)) => {}
            Err(other) => panic!("{}: {other:?}", fixture.name),
            Ok(()) => {
                let found = content(partitions, rows);
                let differing = found.iter().zip(&original).filter(|(a, b)| a != b);
                unseen.extend(
                    differing.map(|(found, original)| format!("bit {bit}: {found} was {original}")),
                );
                assert_eq!(found.len(), original.len(), "{} bit {bit}", fixture.name);
            }
        }
    }
    unseen
}

/// As a pass over Data.db does it, whose partitions are at `positions`.
fn check_in_step(
    fixture: &Fixture,
    partitions: Vec<u8>,
    rows: Vec<u8>,
    positions: &[u64],
) -> Result<()> {
    let partitions = Partitions::open(Box::new(partitions))?;
    let rows = Rows::open(Box::new(rows), fixture.version);
    let len = fixture.data.as_ref().map_or(0, Vec::len);
    let mut check = IndexCheck::new(&partitions, &rows, len as u64);
    for position in positions {
        let (key, shape) = fixture.key_at(*position).expect("a key");
        check.partition(*position, &key, &shape)?;
    }
    check.finish()
}

#[test]
fn every_flipped_bit_of_a_partition_index_is_seen_if_tokens_are_known() {
    for fixture in small("every_flipped_bit_of_a_partition_index_is_seen_if_tokens_are_known") {
        // Without tokens the labels of the paths are not compared with anything.
        if fixture.facts["partitioner"] != "Murmur3Partitioner" {
            continue;
        }
        let positions = data_positions(&fixture);
        let unseen = flip_all(&fixture, false, |partitions, rows| {
            check_in_step(&fixture, partitions, rows, &positions)
        });
        assert_eq!(unseen, Vec::<String>::new(), "{}", fixture.name);
    }
}

/// What the rows of a partition in Data.db would give: where blocks begin, and in which deletion.
type Rowwise = (Option<DeletionTime>, Vec<(u64, Option<DeletionTime>)>);

fn rowwise(fixture: &Fixture) -> Vec<Rowwise> {
    let (partitions, rows) = fixture.open();
    let mut walk = partitions.walk();
    let mut found = Vec::new();
    while let Some(leaf) = walk.next().expect("a leaf") {
        let Target::Rows(at) = leaf.target else {
            continue;
        };
        let entry = rows.entry(at).expect("an entry");
        let mut blocks = rows.blocks(&entry);
        let mut starts = Vec::new();
        while let Some(block) = blocks.next().expect("a block") {
            starts.push((block.offset, block.open));
        }
        found.push((entry.deletion, starts));
    }
    found
}

fn check_rowwise(fixture: &Fixture, rows: Vec<u8>, expected: &[Rowwise]) -> Result<()> {
    check_all(fixture, fixture.partitions.clone(), rows.clone())?;
    let (partitions, _) = fixture.open();
    let rows = Rows::open(Box::new(rows), fixture.version);
    let mut expected = expected.iter();
    let mut walk = partitions.walk();
    while let Some(leaf) = walk.next()? {
        let Target::Rows(at) = leaf.target else {
            continue;
        };
        let entry = rows.entry(at)?;
        let (deletion, starts) = expected.next().expect("as many as before");
        if entry.deletion != *deletion {
            return Err(Damage::at(ROWS, at, "another deletion").into());
        }
        let mut check = BlockCheck::new(&rows, &entry)?;
        let (end, starts) = starts.split_last().expect("blocks");
        for (offset, open) in starts {
            check.unfiltered(*offset, *open)?;
        }
        check.finish(end.0)?;
        // It copies what it understands, and refuses the rest.
        RowsCopy::new(&rows, Vec::new()).copy(&entry, 0)?;
    }
    Ok(())
}

#[test]
fn every_flipped_bit_of_a_row_index_is_seen_but_those_of_separators() {
    for fixture in small("every_flipped_bit_of_a_row_index_is_seen_but_those_of_separators") {
        let expected = rowwise(&fixture);
        let unseen = flip_all(&fixture, true, |_, rows| {
            check_rowwise(&fixture, rows, &expected)
        });
        let behind_the_separator =
            |text: &str| text.rsplit_once(']').map(|(_, rest)| rest.to_owned());
        for line in unseen {
            let (found, original) = line.split_once(" was ").expect("both");
            assert_eq!(
                behind_the_separator(found),
                behind_the_separator(original),
                "{}: {line}",
                fixture.name
            );
        }
    }
}

#[test]
fn nodes_that_are_reached_in_many_ways_do_not_keep_a_walk_busy_for_ever() {
    // Each node has two children, which are both the node before it: 2^60 paths.
    let mut bytes = vec![0x01, 0x00];
    let mut last = 0;
    for _ in 0..60 {
        let at = bytes.len() as u64;
        let distance = (at - last) as u8;
        bytes.extend([0x50, 2, 1, 2, distance, distance]);
        last = at;
    }
    let mut walk = TrieWalk::new(PARTITIONS, &bytes, last, bytes.len() as u64);
    let mut steps = 0;
    let error = loop {
        match walk.next() {
            Ok(Some(_)) => steps += 1,
            Ok(None) => panic!("an end after {steps}"),
            Err(error) => break error,
        }
    };
    assert!(steps < bytes.len());
    assert!(error.to_string().contains("more than once"), "{error}");
}

#[test]
fn nodes_that_are_not_nodes_are_refused() {
    let check = |bytes: &[u8], root: u64, what: &str| {
        let bytes = bytes.to_vec();
        let mut walk = TrieWalk::new(PARTITIONS, &bytes, root, bytes.len() as u64);
        let error = loop {
            match walk.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error: {what}"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains(what), "{error} is not {what}");
    };
    check(&[1, 0, 0x10, 9], 2, "its own child");
    check(&[1, 0, 0x1f, 9], 2, "before the file");
    check(&[0, 0x11, 9], 1, "neither children nor payload");
    check(&[0x50, 0], 0, "no children");
    check(&[1, 0, 0x50, 2, 9, 9, 1, 2], 2, "do not ascend");
    check(
        &[1, 0, 0xb0, 9, 1, 0, 2, 0, 0],
        2,
        "begins or ends with no child",
    );
    check(&[1, 0, 0xb0, 255, 1, 0, 2, 0, 2], 2, "exceed 255");
    check(&[1, 0, 0x50, 2, 9], 2, "crosses the end of its page");
    check(&[1, 0], 2, "the trie ends at 2");
    let mut crossing = vec![1; 4095];
    crossing.extend([0x11, 9]);
    check(&crossing, 4095, "crosses the end of its page");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_an_index_or_damage(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        root in 0..300_u64,
    ) {
        let version = crate::Version::known(&"bti-da".parse().expect("a version")).expect("known");
        let rows = Rows::open(Box::new(bytes.clone()), version);
        let mut footer = bytes.clone();
        let end = bytes.len() as u64;
        footer.extend_from_slice(&[0; 4]);
        for number in [end, 3, root] {
            footer.extend_from_slice(&number.to_be_bytes());
        }
        if let Ok(partitions) = Partitions::open(Box::new(footer)) {
            let check = IndexCheck::new(&partitions, &rows, 1000);
            let _ = check_index(check, |_| Ok(None));
        }
        if let Ok(entry) = rows.entry(root) {
            let mut copy = RowsCopy::new(&rows, Vec::new());
            let _ = copy.copy(&entry, 1);
        }
    }
}
