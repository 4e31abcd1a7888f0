use model::RangeText;
use model::manifest::Encryption;
use model::{TableId, TableRef};
use uuid::Uuid;

use super::*;

fn ranges(of: &[(i64, i64)]) -> Ranges {
    let range =
        |&(left, right): &(i64, i64)| TokenRange::new(Token::Murmur3(left), Token::Murmur3(right));
    Ranges {
        source: HostId(Uuid::from_u128(1)),
        partitioner: Partitioner::Murmur3,
        ranges: Arc::new(TokenRanges::new(of.iter().map(range))),
        trims: false,
        damaged: HashSet::new(),
    }
}

/// The same, of a node that stands for the source.
fn own(of: &[(i64, i64)]) -> Ranges {
    Ranges {
        trims: true,
        ..ranges(of)
    }
}

fn facts(first: i64, last: i64) -> SstableFacts {
    SstableFacts {
        name: "nb-1-big".into(),
        first_token: Some(first.to_string()),
        last_token: Some(last.to_string()),
        ..SstableFacts::default()
    }
}

/// What is taken of it: `whole`, `none`, a part, or why not.
fn taken(of: &[(i64, i64)], facts: Option<&SstableFacts>) -> String {
    taken_of(&ranges(of), facts)
}

fn taken_of(ranges: &Ranges, facts: Option<&SstableFacts>) -> String {
    let table = TableFiles {
        keyspace: "ks".into(),
        table: "t".into(),
        id: TableId(Uuid::from_u128(1)),
        view_of: None,
        files: Vec::new(),
        sstables: Vec::new(),
    };
    let known = facts.map(|facts| (facts.name.as_str(), facts));
    match ranges.of(&table, &known.into_iter().collect(), "nb-1-big") {
        Ok(None) => "none".into(),
        Ok(Some(Portion::Whole)) => "whole".into(),
        Ok(Some(Portion::Uncut)) => "uncut".into(),
        Ok(Some(Portion::Slice { fraction, .. })) => format!("{fraction:.2}"),
        Err(StageError::NotSliceable { table, why, .. }) => {
            assert_eq!(table, TableRef::new("ks", "t"));
            why
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_sstable_comes_whole_in_part_or_not_at_all() {
    for (of, first, last, expected) in [
        (&[(0, 100)][..], 1, 100, "whole"),
        (&[(0, 100)], 0, 100, "1.00"),
        (&[(0, 100)], 101, 200, "none"),
        (&[(0, 100), (200, 300)], 50, 250, "0.50"),
        (&[(0, 100), (100, 300)], 50, 250, "whole"),
        (&[(50, 0)], 60, 70, "whole"),
        (&[(50, 0)], -100, 100, "0.75"),
        (&[(7, 7)], -100, 100, "whole"),
    ] {
        let found = taken(of, Some(&facts(first, last)));
        assert_eq!(found, expected, "{of:?} of {first} to {last}");
    }
    assert_eq!(taken(&[(0, 100)], None), "1.00", "an older manifest");
    assert_eq!(taken(&[(7, 7)], None), "whole");
}

#[test]
fn what_cannot_be_sliced_is_refused_only_where_it_would_have_to_be() {
    let hazard = SstableFacts {
        hazards: vec![Hazard::ZeroCopySlice],
        ..facts(0, 100)
    };
    let encrypted = SstableFacts {
        encryption: Some(Encryption {
            compressor: "Encryptor".into(),
            key: "k".into(),
        }),
        ..facts(0, 100)
    };
    for (mut facts, why) in [
        (hazard, "it is a part that DSE streamed without copying"),
        (encrypted, "it is encrypted by Encryptor"),
    ] {
        assert_eq!(taken(&[(-1, 100)], Some(&facts)), "whole");
        assert_eq!(taken(&[(100, 200)], Some(&facts)), "none");
        assert_eq!(taken(&[(50, 200)], Some(&facts)), why);
        facts.first_token = None;
        assert_eq!(
            taken(&[(100, 200)], Some(&facts)),
            why,
            "nobody knows where it lies"
        );
    }
    let other = SstableFacts {
        partitioner: Some("RandomPartitioner".into()),
        ..facts(0, 1)
    };
    assert_eq!(
        taken(&[(0, 9)], Some(&other)),
        "its partitioner is RandomPartitioner"
    );
}

#[test]
fn what_a_node_owns_itself_is_expected_to_come_whole_and_never_refused() {
    let own = own(&[(0, 10), (90, 100)]);
    let taken = |facts: &SstableFacts| taken_of(&own, Some(facts));
    assert_eq!(taken(&facts(1, 10)), "whole");
    assert_eq!(taken(&facts(20, 80)), "none");
    assert_eq!(taken(&facts(5, 95)), "1.00");
    let encrypted = |first, last| SstableFacts {
        encryption: Some(Encryption {
            compressor: "Encryptor".into(),
            key: "k".into(),
        }),
        ..facts(first, last)
    };
    assert_eq!(taken(&encrypted(5, 95)), "uncut");
    assert_eq!(taken(&encrypted(1, 10)), "whole");
    let unknown = SstableFacts {
        first_token: None,
        ..encrypted(1, 10)
    };
    assert_eq!(taken(&unknown), "uncut");
}

#[test]
fn what_was_damaged_on_its_node_is_never_cut_for_the_node_that_owns_it() {
    let damaged = HashSet::from([("t".to_owned(), "nb-1-big".to_owned())]);
    let own = Ranges {
        damaged: damaged.clone(),
        ..own(&[(0, 10), (90, 100)])
    };
    let whole = Ranges {
        damaged,
        ..ranges(&[(0, 10), (90, 100)])
    };
    for (first, last, of_others) in [(5, 95, "0.11"), (1, 10, "whole"), (20, 80, "none")] {
        let facts = facts(first, last);
        assert_eq!(taken_of(&own, Some(&facts)), "uncut", "{first} to {last}");
        assert_eq!(taken_of(&whole, Some(&facts)), of_others);
    }
    assert_eq!(taken_of(&own, None), "uncut");
}

#[test]
fn shares_of_one_keyspace_are_one_set_of_ranges() {
    let source = HostId(Uuid::from_u128(1));
    let share = |keyspaces: &[&str], ranges: &[(&str, &str)]| SourceShare {
        source,
        keyspaces: keyspaces.iter().map(|name| (*name).to_owned()).collect(),
        ranges: ranges
            .iter()
            .map(|(left, right)| RangeText {
                left: (*left).to_owned(),
                right: (*right).to_owned(),
            })
            .collect(),
        trims: false,
    };
    let shares = [
        share(&["a", "b"], &[("0", "10")]),
        share(&["a"], &[("10", "20")]),
        share(&["c"], &[]),
        share(&["bad"], &[("0", "x")]),
    ];
    let manifest = crate::stage::layout::empty_manifest("Murmur3Partitioner");
    let target = |keyspace: &str| TableTarget {
        table: TableRef::new(keyspace, "t"),
        source: Some(TableRef::new("d", "t")),
        source_id: TableId(Uuid::from_u128(1)),
        target_id: TableId(Uuid::from_u128(2)),
    };
    let told = |shares: &[SourceShare], source, keyspace: &str| match taking(
        shares,
        source,
        &manifest,
        &target(keyspace),
    ) {
        Ok(Taking::All) => "all".to_owned(),
        Ok(Taking::Uncut) => "uncut".to_owned(),
        Ok(Taking::Nothing) => "nothing".to_owned(),
        Ok(Taking::Ranges(ranges)) => {
            let range = |range: &TokenRange| format!("({},{}]", range.left, range.right);
            ranges.ranges.iter().map(range).collect()
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(told(&shares, source, "a"), "(0,20]");
    assert_eq!(told(&shares, source, "b"), "(0,10]");
    assert_eq!(told(&shares, source, "c"), "all");
    assert_eq!(told(&shares, source, "d"), "nothing");
    let unknown = SourceShare {
        trims: true,
        ..share(&["c"], &[])
    };
    assert_eq!(told(&[unknown], source, "c"), "uncut");
    assert_eq!(told(&shares, HostId(Uuid::from_u128(2)), "a"), "nothing");
    assert_eq!(told(&[], source, "a"), "all");
    let bad = told(&shares, source, "bad");
    assert!(bad.contains("`x` is not a token"), "{bad}");
}
