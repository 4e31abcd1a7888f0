//! Tests of the index of real SSTables against their data.

use super::*;
use crate::data::fixtures::{self, Fixture};
use crate::data::written::{Writer, header};
use crate::data::{ClusteringKind, Depth, Schema};
use crate::index::put_index_entry;

fn big(test: &str) -> Vec<Fixture> {
    let mut all = fixtures::all(test);
    all.retain(|fixture| !fixture.version.is_bti());
    all
}

fn check(
    fixture: &Fixture,
    index: &[u8],
    visitor: &mut impl BigVisitor,
) -> Result<BigChecked, Error> {
    let schema = Schema::new(&fixture.header, fixture.version)?;
    let mut walker = Walker::new(
        schema.into(),
        Depth::Clusterings,
        fixture.data.as_slice(),
        0,
    );
    let mut index = IndexReader::new(Box::new(index.to_vec()));
    check_big(&mut walker, &mut index, visitor)
}

/// The first and the last key.
#[derive(Default)]
struct Keys(Vec<u8>, Vec<u8>);

impl CellVisitor for Keys {}

impl BigVisitor for Keys {
    fn partition(&mut self, partition: &IndexedPartition<'_>) -> Result<(), Error> {
        if self.1.is_empty() {
            self.0 = partition.key.to_vec();
        }
        self.1 = partition.key.to_vec();
        Ok(())
    }
}

#[test]
fn the_index_of_every_big_fixture_agrees_with_its_data() {
    let mut with_blocks = 0;
    let all = big("the_index_of_every_big_fixture_agrees_with_its_data");
    for fixture in &all {
        let name = &fixture.name;
        let mut keys = Keys::default();
        let index = &fixture.components["Index.db"];
        let checked = check(fixture, index, &mut keys).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            checked.partitions as i64,
            fixture.fact("partitions"),
            "{name}"
        );
        assert_eq!(checked.end, fixture.data.len() as u64, "{name}");
        assert_eq!(hex(&keys.0), fixture.facts["first_key"], "{name}");
        assert_eq!(hex(&keys.1), fixture.facts["last_key"], "{name}");
        with_blocks += u32::from(checked.blocks > 1);
    }
    assert!(all.is_empty() || with_blocks > 5);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_index_that_ends_early_is_damage() {
    for fixture in big("an_index_that_ends_early_is_damage") {
        let index = &fixture.components["Index.db"];
        let step = (index.len() / 200).max(1);
        for len in (0..index.len()).step_by(step) {
            let checked = check(&fixture, &index[..len], &mut ());
            assert!(
                matches!(checked, Err(Error::Damaged(_))),
                "{} to {len}",
                fixture.name
            );
        }
    }
}

/// Whether the only difference is whether the last block counts the byte that ends the partition.
fn is_harmless(fixture: &Fixture, index: &[u8], at: usize) -> bool {
    let last_width = |bytes: &[u8]| {
        let schema = std::sync::Arc::new(Schema::new(&fixture.header, fixture.version).ok()?);
        let mut reader = IndexReader::new(Box::new(bytes.to_vec()));
        while let Some(entry) = reader.next_entry().ok()? {
            let promoted = entry.promoted.clone();
            if promoted.contains(&(at as u64)) {
                let mut blocks = crate::promoted::PromotedReader::new(&mut reader, schema).ok()?;
                let mut all = Vec::new();
                while let Some(block) = blocks.next_block().ok()? {
                    all.push(block.clone());
                }
                return all.pop().map(|last| (all, last));
            }
        }
        None
    };
    match (
        last_width(&fixture.components["Index.db"]),
        last_width(index),
    ) {
        (Some((before, last)), Some((before_too, last_too))) => {
            let differs = last.width.abs_diff(last_too.width) == 1;
            let same = crate::promoted::IndexBlock {
                width: last.width,
                ..last_too
            };
            differs && before == before_too && same == last
        }
        _ => false,
    }
}

#[test]
fn each_wrong_bit_of_an_index_is_damage_or_harmless() {
    for fixture in big("each_wrong_bit_of_an_index_is_damage_or_harmless") {
        let index = &fixture.components["Index.db"];
        // All bits of short ones; of long ones as many as time allows.
        let bits = index.len() * 8;
        let step = (bits / 400).max(1) | 1;
        for bit in (0..bits).step_by(step) {
            let mut wrong = index.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            match check(&fixture, &wrong, &mut ()) {
                Err(Error::Damaged(damage)) => assert_eq!(damage.component, "Index.db"),
                Err(other) => panic!("{}: bit {bit}: {other}", fixture.name),
                Ok(_) => assert!(
                    is_harmless(&fixture, &wrong, bit / 8),
                    "{}: bit {bit}",
                    fixture.name
                ),
            }
        }
    }
}

/// A partition of two blocks, in the first of which a range of deleted rows begins that ends in the second, and the
/// row index that describes them.
fn two_blocks(open: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use ClusteringKind::*;
    let data = Writer::partition("k")
        .marker(InclStartBound, 1, &[1, 1])
        .row(0x04, 2, &[9, 0x07])
        .marker(ExclEndBound, 3, &[1, 1])
        .end();
    let live = [0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0];
    let [start, row, end] = [15, 28, 38];
    let width = |from: u64, to: u64| {
        let mut out = Vec::new();
        crate::bytes::put_uvint(
            &mut out,
            crate::bytes::zigzag_encode((to - from) as i64 - 65_536),
        );
        out
    };
    let mut first = vec![1, 0, 1, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 2, start];
    first.extend(width(15, 38));
    first.extend_from_slice(open);
    let mut second = vec![0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 3, end];
    second.extend(width(38, data.len() as u64));
    second.push(0);
    let offsets = [[0; 4], (first.len() as u32).to_be_bytes()].concat();
    let promoted = [&[start][..], &live, &[2], &first, &second, &offsets].concat();
    let mut index = Vec::new();
    put_index_entry(&mut index, b"k", 0, promoted.len() as u64);
    index.extend(promoted);
    assert_eq!(data.get(row as usize), Some(&4), "the row begins there");
    (data, index)
}

#[test]
fn the_range_that_is_open_behind_a_block_is_that_of_the_data() {
    let check = |open: &[u8]| {
        let (data, index) = two_blocks(open);
        let version = crate::fixtures::version("big-me");
        let schema = Schema::new(&header(false), version)?;
        let mut walker = Walker::new(schema.into(), Depth::Cells, data.as_slice(), 0);
        let mut index = IndexReader::new(Box::new(index));
        check_big(&mut walker, &mut index, &mut ())
    };
    // At 2001 s, marked at 1001.
    let right = [&[1, 0, 0, 0x07, 0xd1][..], &1_001_i64.to_be_bytes()].concat();
    let checked = check(&right).expect("they agree");
    assert_eq!((checked.blocks, checked.rows), (2, 1));
    let mut wrong = right.clone();
    wrong[4] += 1;
    for wrong in [&wrong[..], &[0]] {
        let Err(Error::Damaged(damage)) = check(wrong) else {
            panic!("another range, or none");
        };
        assert!(damage.what.contains("is open"), "{damage}");
        assert_eq!(damage.component, "Index.db");
    }
}
