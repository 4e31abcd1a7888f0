//! Summaries against those that Cassandra wrote, and against what damage does to them.

use super::*;
use crate::fixtures;

type Entries = Vec<(Vec<u8>, u64)>;

/// Keys of uneven lengths, in places of uneven distances.
fn entries(keys: u64) -> Entries {
    (0..keys)
        .map(|nth| {
            let key = format!("key {nth}").into_bytes();
            (key, nth * 20 + nth % 7)
        })
        .collect()
}

fn build(mut builder: SummaryBuilder, entries: &Entries) -> Option<Vec<u8>> {
    for (key, position) in entries {
        builder.offer(key, *position);
    }
    builder.finish()
}

fn check(bytes: &[u8], entries: &Entries) -> Result<()> {
    let mut check = SummaryCheck::new(Summary::open(Box::new(bytes.to_vec()))?);
    for (key, position) in entries {
        check.offer(key, *position)?;
    }
    check.finish()
}

#[test]
fn a_summary_built_from_a_real_index_is_the_one_cassandra_wrote() {
    let name = "a_summary_built_from_a_real_index_is_the_one_cassandra_wrote";
    let Some(fixtures) = fixtures::all(name) else {
        return;
    };
    let (mut versions, mut largest) = (std::collections::BTreeSet::new(), 0);
    for fixture in fixtures {
        let (Some(bytes), Some(entries)) =
            (fixture.component("Summary.db"), fixture.index_entries())
        else {
            continue;
        };
        check(&bytes, &entries).unwrap_or_else(|error| panic!("{fixture:?}: {error}"));
        let summary = Summary::open(Box::new(bytes.clone())).expect("a summary");
        assert_eq!(
            fixture.key("first_key").as_deref(),
            Some(summary.first_key())
        );
        assert_eq!(fixture.key("last_key").as_deref(), Some(summary.last_key()));
        assert_eq!(summary.sampling_level(), BASE_SAMPLING_LEVEL, "{fixture:?}");
        largest = largest.max(summary.count());
        let builder = SummaryBuilder::new(summary.min_index_interval());
        assert_eq!(build(builder, &entries), Some(bytes), "{fixture:?}");
        versions.insert(fixture.version());
    }
    assert!(versions.len() >= 8, "{versions:?}");
    assert!(largest > 5, "{largest} samples");
}

#[test]
fn samples_are_found_at_every_level_that_memory_leaves() {
    let entries = entries(20_000);
    for (limit, level) in [
        (usize::MAX, 128),
        (2_000, 64),
        (1_500, 64),
        (1_000, 32),
        (500, 16),
        (250, 8),
    ] {
        let bytes = build(SummaryBuilder::with_limit(128, limit), &entries).expect("a summary");
        check(&bytes, &entries).unwrap_or_else(|error| panic!("{limit}: {error}"));
        let summary = Summary::open(Box::new(bytes)).expect("a summary");
        assert_eq!(summary.sampling_level(), level, "{limit}");
        assert_eq!(summary.size_at_full_sampling(), 157, "{limit}");
    }
    let too_small = SummaryBuilder::with_limit(128, 50);
    assert_eq!(build(too_small, &entries), None);
    // Thinner than the table would have it, Cassandra would discard it.
    let wide = SummaryBuilder::with_limit(2048, 50);
    assert_eq!(build(wide, &entries), None);
}

#[test]
fn an_index_without_keys_has_no_summary() {
    assert_eq!(SummaryBuilder::new(128).finish(), None);
}

/// The order in which Cassandra drops samples: odd numbers first, then even ones, each in the order of half as many.
fn dropped(samples: usize) -> Vec<u64> {
    if samples == 1 {
        return vec![0];
    }
    let half = dropped(samples / 2);
    let odd = half.iter().map(|nth| nth * 2 + 1);
    let even = half.iter().map(|nth| nth * 2);
    odd.chain(even).collect()
}

#[test]
fn levels_keep_the_samples_that_cassandra_keeps() {
    let order = dropped(128);
    for level in 1..=128_u32 {
        let (_, kept) = order.split_at(128 - level as usize);
        for index in 0..256 {
            let expected = kept.contains(&(index % 128));
            assert_eq!(is_kept(index, level), expected, "{index} at {level}");
        }
    }
}

#[test]
fn every_flipped_bit_is_found_against_the_index() {
    let entries = entries(1_000);
    let bytes = build(SummaryBuilder::new(128), &entries).expect("a summary");
    check(&bytes, &entries).expect("whole");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = check(&flipped, &entries).expect_err("damaged");
        assert!(matches!(error, Error::Damaged(_)), "bit {bit}: {error}");
    }
}

#[test]
fn a_summary_that_is_cut_or_goes_on_is_damaged() {
    let mut bytes = build(SummaryBuilder::new(128), &entries(1_000)).expect("a summary");
    for len in 0..bytes.len() {
        let cut = Summary::open(Box::new(bytes[..len].to_vec()));
        assert!(matches!(cut, Err(Error::Damaged(_))), "{len}");
    }
    let len = bytes.len();
    bytes.push(0);
    let error = Summary::open(Box::new(bytes))
        .map(|_| ())
        .expect_err("longer");
    assert_eq!(
        error.to_string(),
        format!("Summary.db at byte {len}: 1 bytes are left behind the last key")
    );
}

#[test]
fn entries_that_are_not_those_of_the_summary_are_reported() {
    let entries = entries(300);
    let bytes = build(SummaryBuilder::new(128), &entries).expect("a summary");
    let damage = |entries: Entries| check(&bytes, &entries).expect_err("others").to_string();
    assert_eq!(
        damage(entries[1..].to_vec()),
        "Summary.db: first key is 6b65792030, expected 6b65792031"
    );
    assert_eq!(
        damage(entries[..256].to_vec()),
        "Summary.db at byte 4: 3 samples, expected 2 for 256 entries of Index.db, each 128th at level 128 of 128"
    );
    assert_eq!(
        damage(entries[..299].to_vec()),
        "Summary.db: last key is 6b657920323939, expected 6b657920323938"
    );
    let mut moved = entries.clone();
    moved[128].1 += 1;
    assert_eq!(
        damage(moved),
        "Summary.db at byte 56: sample 1 claims to be at 2562 of Index.db, expected 2563"
    );
}

#[test]
fn a_summary_of_a_big_endian_machine_is_not_called_damaged() {
    let mut bytes = build(SummaryBuilder::new(128), &entries(10)).expect("a summary");
    bytes[24..28].reverse();
    let opened = Summary::open(Box::new(bytes)).map(|_| ());
    assert!(
        matches!(opened, Err(Error::Unsupported { .. })),
        "{opened:?}"
    );
}

#[test]
fn looking_for_a_token_begins_at_the_last_sample_that_is_not_above_it() {
    let partitioner = Partitioner::Murmur3;
    let mut entries = entries(1_000);
    entries.sort_by_key(|(key, _)| partitioner.token(key));
    for (nth, (_, position)) in (0..).zip(entries.iter_mut()) {
        *position = nth * 10;
    }
    let bytes = build(SummaryBuilder::new(16), &entries).expect("a summary");
    let mut summary = Summary::open(Box::new(bytes)).expect("a summary");
    let tokens = entries.iter().map(|(key, _)| partitioner.token(key));
    for (nth, token) in (0..).zip(tokens) {
        let position = summary.scan_position(&partitioner, &token).expect("found");
        assert_eq!(position, nth / 16 * 160, "{nth}");
    }
    let before = summary.scan_position(&partitioner, &partitioner.minimum());
    assert_eq!(before.expect("found"), 0);
}

#[test]
fn nonsense_never_panics() {
    use proptest::prelude::*;
    let whole = build(SummaryBuilder::new(16), &entries(200)).expect("a summary");
    let places = proptest::collection::vec((0..whole.len(), any::<u8>()), 1..8);
    proptest!(|(places in places, noise in proptest::collection::vec(any::<u8>(), 0..200))| {
        let mut changed = whole.clone();
        for (at, byte) in places {
            changed[at] = byte;
        }
        for bytes in [changed, noise] {
            if let Ok(mut summary) = Summary::open(Box::new(bytes)) {
                for index in 0..summary.count().min(100) {
                    let _ = summary.sample(index);
                }
                let _ = summary.scan_position(&Partitioner::Murmur3, &Token::Murmur3(0));
            }
        }
    });
}
