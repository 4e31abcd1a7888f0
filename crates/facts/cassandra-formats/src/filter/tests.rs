//! Filters against those that Cassandra wrote.

use super::*;
use crate::fixtures::{self, Fixture};

/// Every key of big fixtures; of others those that are on record.
fn keys_of(fixture: &Fixture) -> (Vec<Vec<u8>>, bool) {
    if let Some(entries) = fixture.index_entries() {
        return (entries.into_iter().map(|(key, _)| key).collect(), true);
    }
    let ends = [fixture.key("first_key"), fixture.key("last_key")];
    if ends == [Some(b"0".to_vec()), Some(b"4".to_vec())] && fixture.number("partitions") == Some(5)
    {
        return ((b'0'..=b'4').map(|digit| vec![digit]).collect(), true);
    }
    (ends.into_iter().flatten().collect(), false)
}

#[test]
fn every_key_of_a_real_sstable_is_in_its_filter() {
    let Some(fixtures) = fixtures::all("every_key_of_a_real_sstable_is_in_its_filter") else {
        return;
    };
    let (mut checked, mut strangers, mut taken_in) = (0, 0_u32, 0_u32);
    for fixture in fixtures {
        let Some(bytes) = fixture.component("Filter.db") else {
            continue;
        };
        let filter = Filter::open(Box::new(bytes), fixture.version()).expect("a filter");
        checked += 1;
        for key in keys_of(&fixture).0 {
            assert!(
                filter.might_contain(&key).expect("read"),
                "{fixture:?} {key:x?}"
            );
        }
        // Those that were made by Cassandra's offline writer are too small for their keys, and take in anything.
        if fixture.number("partitions") > Some(filter.capacity() / 8) {
            continue;
        }
        for stranger in 0..100_u32 {
            strangers += 1;
            let key = format!("not in it {stranger}");
            taken_in += u32::from(filter.might_contain(key.as_bytes()).expect("read"));
        }
    }
    assert!(checked >= 70, "{checked} filters");
    assert!(strangers >= 5_000, "{strangers} strangers");
    assert!(taken_in * 50 < strangers, "{taken_in} of {strangers}");
}

#[test]
fn a_filter_built_from_a_real_sstables_keys_is_the_one_cassandra_wrote() {
    let name = "a_filter_built_from_a_real_sstables_keys_is_the_one_cassandra_wrote";
    let Some(fixtures) = fixtures::all(name) else {
        return;
    };
    let mut versions = std::collections::BTreeSet::new();
    for fixture in fixtures {
        let (keys, complete) = keys_of(&fixture);
        let Some(bytes) = fixture.component("Filter.db").filter(|_| complete) else {
            continue;
        };
        let filter = Filter::open(Box::new(bytes.clone()), fixture.version()).expect("a filter");
        let mut builder = FilterBuilder::with_shape(filter.hash_count(), filter.capacity() / 64)
            .expect("a small filter");
        keys.iter().for_each(|key| builder.offer(key));
        assert_eq!(builder.finish(fixture.version()), bytes, "{fixture:?}");
        versions.insert(fixture.version());
    }
    assert!(versions.len() >= 16, "{versions:?}");
}

#[test]
fn a_filter_of_the_default_chance_accepts_one_stranger_in_a_hundred() {
    for version in ["big-me", "big-nb", "bti-da", "bti-aa"].map(fixtures::version) {
        let mut builder = FilterBuilder::new(10_000, 0.01).expect("a filter");
        (0..10_000_u32).for_each(|key| builder.offer(&key.to_be_bytes()));
        let filter = Filter::open(Box::new(builder.finish(version)), version).expect("a filter");
        let contained = |key: u32| filter.might_contain(&key.to_be_bytes()).expect("read");
        assert!((0..10_000).all(contained));
        let taken_in = (10_000..20_000).filter(|key| contained(*key)).count();
        assert!((50..150).contains(&taken_in), "{taken_in} for {version}");
    }
}

#[track_caller]
fn check_damage(bytes: &[u8], expected: &str) {
    let opened = Filter::open(Box::new(bytes.to_vec()), fixtures::version("big-nb"));
    match opened.map(|_| ()) {
        Err(Error::Damaged(damage)) => assert_eq!(damage.to_string(), expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_filter_that_is_cut_or_nonsense_is_damaged() {
    let whole = FilterBuilder::new(5, 0.01)
        .expect("a filter")
        .finish(fixtures::version("big-nb"));
    for len in 0..whole.len() {
        let cut = whole[..len].to_vec();
        let opened = Filter::open(Box::new(cut), fixtures::version("big-nb"));
        assert!(matches!(opened, Err(Error::Damaged(_))), "{len}");
    }
    check_damage(&[0; 7], "Filter.db: 7 bytes, expected 8 at least");
    check_damage(
        &[0, 0, 0, 21, 0, 0, 0, 0],
        "Filter.db at byte 0: hash count is 21, expected 1 to 20",
    );
    check_damage(
        &[0, 0, 0, 5, 0, 0, 0, 0],
        "Filter.db at byte 4: 0 words make 8 bytes, found 8",
    );
    check_damage(
        &[0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0],
        "Filter.db at byte 4: 4294967295 words make 34359738368 bytes, found 9",
    );
}
