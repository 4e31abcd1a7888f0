//! Damaged indexes are refused, or harmless, and never end in a panic, a loop or a large allocation.

use super::super::*;
use super::fixtures::{self, Fixture};
use crate::error::{Damage, Error, Result};

/// Everything that the index says, against the keys where there is data.
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

/// Bits that were flipped unseen, of all.
fn flip_all(fixture: &Fixture, is_rows: bool) -> (usize, usize) {
    let original =
        content(fixture, fixture.partitions.clone(), fixture.rows.clone()).expect("good");
    let len = if is_rows {
        fixture.rows.len()
    } else {
        fixture.partitions.len()
    };
    let mut unseen = 0;
    for bit in 0..len * 8 {
        let (mut partitions, mut rows) = (fixture.partitions.clone(), fixture.rows.clone());
        let bytes = if is_rows { &mut rows } else { &mut partitions };
        bytes[bit / 8] ^= 1 << (bit % 8);
        match check_all(fixture, partitions.clone(), rows.clone()) {
            Err(Error::Damaged(_)) => {}
            Err(other) => panic!("{}: {other:?}", fixture.name),
            Ok(()) => {
                let found = content(fixture, partitions, rows).expect("it was just checked");
                unseen += usize::from(found != original);
            }
        }
    }
    (unseen, len * 8)
}

#[test]
fn a_flipped_bit_of_a_partition_index_is_seen_where_tokens_are_known() {
    for fixture in small("a_flipped_bit_of_a_partition_index_is_seen_where_tokens_are_known") {
        let (unseen, all) = flip_all(&fixture, false);
        // Without tokens the labels of the paths are not compared with anything.
        let allowed = match fixture.facts["partitioner"] == "Murmur3Partitioner" {
            true => 0,
            false => all / 5,
        };
        assert!(unseen <= allowed, "{}: {unseen} of {all}", fixture.name);
    }
}

#[test]
fn a_flipped_bit_of_a_row_index_ends_in_damage_or_another_block() {
    for fixture in small("a_flipped_bit_of_a_row_index_ends_in_damage_or_another_block") {
        let (unseen, all) = flip_all(&fixture, true);
        // Separators, offsets and deletions of blocks are compared with the rows only.
        println!("{}: {unseen} of {all}", fixture.name);
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
