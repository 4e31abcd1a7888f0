//! Row indexes that are copied lead to the same blocks, at their partitions' new positions.

use super::super::pages::PAGE;
use super::super::*;
use super::fixtures;
use crate::bytes::{put_uvint, put_vint_bytes, uvint_len, zigzag_encode};
use crate::version::Version;

type Blocks = Vec<(Vec<u8>, u64, Option<DeletionTime>)>;

fn blocks(rows: &Rows, entry: &RowIndexEntry) -> Blocks {
    let mut walk = rows.blocks(entry);
    let mut found = Vec::new();
    while let Some(block) = walk.next().expect("a block") {
        found.push((block.separator.to_vec(), block.offset, block.open));
    }
    found
}

/// Copies the entries at `kept`, each with a new position in Data.db, and compares.
#[track_caller]
fn check(rows: &Rows, version: Version, kept: &[u64], moved: impl Fn(u64) -> u64) -> Vec<u8> {
    let mut copy = RowsCopy::new(rows, Vec::new());
    let entries: Vec<RowIndexEntry> = kept
        .iter()
        .map(|at| rows.entry(*at).expect("an entry"))
        .collect();
    let new: Vec<u64> = entries
        .iter()
        .map(|entry| {
            copy.copy(entry, moved(entry.data_position))
                .expect("a copy")
        })
        .collect();
    let (bytes, len) = copy.finish().expect("memory");
    assert_eq!(bytes.len() as u64, len);
    let copied = Rows::open(Box::new(bytes.clone()), version);
    for (old, at) in entries.iter().zip(new) {
        let entry = copied.entry(at).expect("an entry");
        assert_eq!(entry.data_position, moved(old.data_position));
        assert_eq!(
            (&entry.key, entry.block_count, entry.deletion),
            (&old.key, old.block_count, old.deletion)
        );
        assert_eq!(blocks(&copied, &entry), blocks(rows, old));
    }
    bytes
}

#[test]
fn subsets_of_real_row_indexes_are_read_back_equal() {
    for fixture in fixtures::all("subsets_of_real_row_indexes_are_read_back_equal") {
        let (partitions, rows) = fixture.open();
        let mut walk = partitions.walk();
        let mut all = Vec::new();
        while let Some(entry) = walk.next().expect("a leaf") {
            if let Target::Rows(at) = entry.target {
                all.push(at);
            }
        }
        let same = check(&rows, fixture.version, &all, |position| position);
        assert_eq!(same, fixture.rows, "{}", fixture.name);
        for subset in 0..(1_u32 << all.len().min(6)) {
            let kept: Vec<u64> = (0..all.len())
                .filter(|index| subset >> (index % 6) & 1 == 1)
                .map(|index| all[index])
                .collect();
            check(&rows, fixture.version, &kept, |position| position / 3);
        }
    }
}

/// A Rows.db of `da` whose partitions have as many blocks as `counts` says.
fn make(counts: &[u64]) -> (Vec<u8>, Vec<u64>) {
    let mut out = Vec::new();
    let mut entries = Vec::new();
    for (index, count) in counts.iter().enumerate() {
        // A separate trie, which begins behind as many bytes as the output has, so that both are at the same offset
        // in a page.
        let start = out.len();
        let mut trie = TrieWriter::new(ROWS, Vec::new()).at(start as u64);
        for block in 0..=*count {
            let separator = block.to_be_bytes();
            let separator = if block == 0 { &[][..] } else { &separator[4..] };
            let mut payload = (300_000 + block as u32 * 4096).to_be_bytes().to_vec();
            let open = block % 5 == 3 && block < *count;
            if open {
                payload.extend_from_slice(&(block * 1000).to_be_bytes());
                payload.extend_from_slice(&(block as u32).to_be_bytes());
            }
            trie.push(separator, if open { 12 } else { 4 }, &payload)
                .expect("a block");
        }
        let (bytes, end, root) = trie.finish().expect("memory");
        assert_eq!(end, (start + bytes.len()) as u64);
        out.extend_from_slice(&bytes);
        entries.push(end);
        let key = format!("key {index}");
        out.extend_from_slice(&(key.len() as u16).to_be_bytes());
        out.extend_from_slice(key.as_bytes());
        let base = out.len() as i64;
        put_uvint(&mut out, 1 << (10 + index));
        put_uvint(&mut out, zigzag_encode(root as i64 - base));
        put_uvint(&mut out, *count);
        out.push(0x80);
    }
    (out, entries)
}

fn da() -> Version {
    Version::known(&"bti-da".parse().expect("a version")).expect("a known version")
}

#[test]
fn large_and_small_row_indexes_are_copied_in_any_combination() {
    let counts = [2, 20_000, 3, 700, 701, 5, 90_000, 300, 2];
    let (bytes, entries) = make(&counts);
    let rows = Rows::open(Box::new(bytes.clone()), da());
    for (at, count) in entries.iter().zip(counts) {
        let entry = rows.entry(*at).expect("an entry");
        assert_eq!(blocks(&rows, &entry).len() as u64, count + 1);
    }
    for subset in [
        0_u32,
        0x1ff,
        0b1_0101_0101,
        0b0_1010_1010,
        0b0_0100_0000,
        0b1_1111_1110,
    ] {
        let kept: Vec<u64> = entries
            .iter()
            .enumerate()
            .filter(|(index, _)| subset >> index & 1 == 1)
            .map(|(_, at)| *at)
            .collect();
        let copied = check(&rows, da(), &kept, |position| position / 2);
        assert!(copied.len() <= bytes.len() + kept.len() * PAGE as usize);
    }
    // All of them lie as they did.
    assert_eq!(
        check(&rows, da(), &entries, |position| position).len(),
        bytes.len()
    );
}

#[test]
fn a_position_that_takes_more_bytes_than_before_is_copied_too() {
    let (bytes, entries) = make(&[2, 5000, 5000, 40]);
    let rows = Rows::open(Box::new(bytes), da());
    check(&rows, da(), &entries, |position| position << 40);
    assert!(uvint_len(1 << 50) > uvint_len(1 << 10));
}

#[test]
fn entries_out_of_order_are_refused() {
    let (bytes, entries) = make(&[20, 20]);
    let rows = Rows::open(Box::new(bytes), da());
    let mut copy = RowsCopy::new(&rows, Vec::new());
    let entry = |index: usize| rows.entry(entries[index]).expect("an entry");
    copy.copy(&entry(1), 0).expect("the second");
    copy.copy(&entry(0), 0).expect_err("the first is before it");
    copy.copy(&entry(1), 0).expect_err("it was there");
}

#[test]
fn deletions_are_read_in_the_form_of_the_version() {
    let check = |version: &str, tail: &[u8], expected: Option<DeletionTime>| {
        let mut bytes = vec![1, 0x44];
        bytes.extend_from_slice(&[0, 0]);
        put_vint_bytes(&mut bytes, &[]);
        put_uvint(&mut bytes, zigzag_encode(-4));
        put_uvint(&mut bytes, 2);
        bytes.extend_from_slice(tail);
        let version = Version::known(&version.parse().expect("a version")).expect("known");
        let entry = Rows::open(Box::new(bytes.clone()), version)
            .entry(2)
            .expect("an entry");
        assert_eq!(entry.deletion, expected);
        assert_eq!(entry.end, bytes.len() as u64);
    };
    let deletion = Some(DeletionTime {
        marked_for_delete_at: 0x0102_0304_0506_0708,
        local_deletion_time: 9,
    });
    check("bti-da", &[0x80], None);
    check("bti-da", &[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9], deletion);
    check("bti-cc", &[0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8], deletion);
    check(
        "bti-cc",
        &[0x7f, 255, 255, 255, 0x80, 0, 0, 0, 0, 0, 0, 0],
        None,
    );
}
