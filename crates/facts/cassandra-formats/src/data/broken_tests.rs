//! Tests of walking data that is not what was written.

use super::fixture_tests::walk;
use super::fixtures::{self, Fixture};
use super::written::{header, sample};
use super::*;
use crate::error::Error;
use crate::fixtures::version;

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

fn walk_sample(depth: Depth, data: &[u8]) -> Result<u64, Error> {
    let schema = Schema::new(&header(true), version("big-nb"))?;
    let mut walker = Walker::new(schema.into(), depth, data, 0);
    let mut events = 0;
    while walker.next_event()?.is_some() {
        events += 1;
    }
    Ok(events)
}

#[test]
fn each_wrong_bit_of_a_partition_that_changes_its_layout_is_found() {
    let data = sample();
    for depth in [Depth::Cells, Depth::Clusterings] {
        assert_eq!(walk_sample(depth, &data).ok(), Some(8));
        for len in 1..data.len() {
            assert!(
                walk_sample(depth, &data[..len]).is_err(),
                "{depth:?} to {len}"
            );
        }
        for bit in 0..data.len() * 8 {
            let mut wrong = data.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            // Values and times may be other ones; what follows what may not.
            if let Ok(events) = walk_sample(depth, &wrong) {
                assert_eq!(events, 8, "{depth:?} bit {bit}");
            }
        }
    }
}

#[test]
fn random_bytes_are_damage() {
    let mut state = 7_u64;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        // Behind a key and a static row.
        let data = [&sample()[..30], &bytes].concat();
        for depth in [Depth::Cells, Depth::Clusterings] {
            assert!(matches!(walk_sample(depth, &data), Err(Error::Damaged(_))));
        }
    }
}
