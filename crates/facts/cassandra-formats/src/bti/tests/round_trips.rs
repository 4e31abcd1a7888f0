//! What the writer writes is read back unchanged, and keeps the rules that Cassandra's reader relies on.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::pages::PAGE;
use super::super::*;
use super::fixtures;
use crate::error::Error;
use cassandra_tokens::murmur3;

type Keys = BTreeMap<Vec<u8>, (u8, Vec<u8>)>;

fn write(keys: &Keys) -> (Vec<u8>, u64) {
    let mut writer = TrieWriter::new(PARTITIONS, Vec::new());
    for (key, (bits, payload)) in keys {
        writer.push(key, *bits, payload).expect("a key in order");
    }
    let (bytes, len, root) = writer.finish().expect("memory");
    assert_eq!(bytes.len() as u64, len);
    (bytes, root)
}

/// Reading refuses nodes across the ends of pages, so a walk proves that there are none.
#[track_caller]
fn check(keys: &Keys) {
    let (bytes, root) = write(keys);
    let mut walk = TrieWalk::new(PARTITIONS, &bytes, root, bytes.len() as u64);
    for (key, (bits, payload)) in keys {
        let leaf = walk.next().expect("a leaf").expect("a key more");
        assert_eq!((leaf.path, leaf.payload_bits), (key.as_slice(), *bits));
        assert_eq!(leaf.payload.get(..payload.len()), Some(payload.as_slice()));
    }
    assert!(walk.next().expect("the end").is_none());
    for bound in keys.keys().take(50) {
        let mut walk = TrieWalk::new(PARTITIONS, &bytes, root, bytes.len() as u64).from(bound);
        let is_wanted = |key: &&Vec<u8>| *key >= bound || bound.starts_with(key);
        for key in keys.keys().filter(is_wanted).take(50) {
            let leaf = walk.next().expect("a leaf").expect("a key more");
            assert_eq!(leaf.path, key);
        }
    }
}

fn payload() -> impl Strategy<Value = (u8, Vec<u8>)> {
    (1..16_u8, prop::collection::vec(any::<u8>(), 0..20))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tries_of_any_keys_are_read_back(
        keys in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 0..12), payload(), 1..2000)
    ) {
        check(&keys);
    }

    #[test]
    fn tries_of_keys_with_long_common_beginnings_are_read_back(
        keys in prop::collection::btree_map(
            prop::collection::vec(0..3_u8, 0..4000), payload(), 1..60)
    ) {
        check(&keys);
    }
}

/// Keys as a Murmur3 partitioner spreads them.
fn spread(count: u64) -> Keys {
    (0..count)
        .map(|index| {
            let [token, hash] = murmur3(&index.to_be_bytes());
            let prefix = token_prefix(token);
            (prefix[..8].to_vec(), (9, vec![hash as u8, token as u8, 1]))
        })
        .collect()
}

#[test]
fn a_trie_of_many_pages_is_read_back_and_wastes_little() {
    let keys = spread(200_000);
    check(&keys);
    // Eleven bytes a key: four bytes of payload, and the branches above them with little padding.
    let (bytes, _) = write(&keys);
    assert!(bytes.len() < keys.len() * 20, "{} bytes", bytes.len());
}

#[test]
fn a_trie_without_keys_is_a_root_without_payload() {
    assert_eq!(write(&Keys::new()), (vec![0], 0));
    check(&Keys::new());
}

#[test]
fn one_key_of_the_greatest_length_is_read_back() {
    let long = vec![0xff; 140_000];
    let mut longer = long.clone();
    longer.push(0);
    check(&Keys::from([
        (long, (8, vec![1, 2])),
        (longer, (1, vec![7])),
    ]));
}

#[test]
fn keys_out_of_order_are_refused() {
    let mut writer = TrieWriter::new(PARTITIONS, Vec::new());
    writer.push(b"b", 1, &[0]).expect("the first key");
    for key in [&b"b"[..], b"a", b""] {
        let error = writer
            .push(key, 1, &[0])
            .expect_err("not above the one before");
        assert!(matches!(error, Error::Write { .. }), "{error}");
    }
    writer.push(b"c", 0, &[0]).expect_err("no payload");
    writer
        .push(b"c", 1, &[0; 4096])
        .expect_err("too long a payload");
    writer.push(b"ba", 1, &[0]).expect("the next key");
}

/// The leaves of a Partitions.db, written again.
fn rewrite(partitions: &Partitions, keep: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut writer = PartitionsWriter::new(Vec::new());
    let mut walk = partitions.walk();
    let mut index = 0;
    while let Some(entry) = walk.next().expect("a leaf") {
        if keep(index) {
            writer
                .push(entry.prefix, entry.hash, entry.target)
                .expect("a leaf in order");
        }
        index += 1;
    }
    let (bytes, len) = writer
        .finish(partitions.first_key(), partitions.last_key())
        .expect("memory");
    assert_eq!(bytes.len() as u64, len);
    bytes
}

#[test]
fn a_real_partition_index_that_is_rewritten_is_the_same() {
    for fixture in fixtures::all("a_real_partition_index_that_is_rewritten_is_the_same") {
        let (partitions, _) = fixture.open();
        let bytes = rewrite(&partitions, |_| true);
        // If a branch could go into either of two pages, this writer may choose another than Cassandra.
        if (fixture.partitions.len() as u64) < PAGE {
            assert_eq!(bytes, fixture.partitions, "{}", fixture.name);
        }
        let (ours, theirs) = (bytes.len(), fixture.partitions.len());
        assert!(
            ours <= theirs + theirs / 50,
            "{}: {ours} bytes, {theirs} of Cassandra's",
            fixture.name
        );
        let again = Partitions::open(Box::new(bytes)).expect("a partition index");
        let (mut walk, mut expected) = (again.walk(), partitions.walk());
        loop {
            let (found, entry) = (
                walk.next().expect("a leaf"),
                expected.next().expect("a leaf"),
            );
            let parts =
                |entry: PartitionEntry<'_>| (entry.prefix.to_vec(), entry.hash, entry.target);
            assert_eq!(found.map(parts), entry.map(parts));
            if entry.is_none() {
                break;
            }
        }
    }
}

#[test]
fn every_third_partition_of_an_index_makes_an_index_of_these() {
    for fixture in fixtures::all("every_third_partition_of_an_index_makes_an_index_of_these") {
        let (partitions, _) = fixture.open();
        let bytes = rewrite(&partitions, |index| index % 3 == 1);
        let slice = Partitions::open(Box::new(bytes)).expect("a partition index");
        let (mut walk, mut all) = (slice.walk(), partitions.walk());
        let mut index = 0;
        while let Some(entry) = all.next().expect("a leaf") {
            if index % 3 == 1 {
                let found = walk.next().expect("a leaf").expect("a partition more");
                assert_eq!((found.prefix, found.target), (entry.prefix, entry.target));
            }
            index += 1;
        }
        assert!(walk.next().expect("the end").is_none());
        assert_eq!(slice.count(), (partitions.count() + 1) / 3);
    }
}
