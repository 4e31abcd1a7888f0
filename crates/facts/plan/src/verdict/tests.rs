use super::*;
use crate::restore::world::{facts, release, target};
use Hazard::{LegacyCounterShards, Tuples, UnfrozenType, ZeroCopySlice};

const UUID: &str = "3gkr_0c7r_4cvr42b3vvp8rr1jz5";
const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// What becomes of an SSTable: `fits`, `older`, `rename`, or what stands against it.
fn judge(name: &str, hazards: &[Hazard], source: &str, node: &NodeDescription) -> String {
    let facts = SstableFacts {
        hazards: hazards.to_vec(),
        ..facts(name)
    };
    let verdict = verdict(
        &Traits::of(&facts),
        &release(source),
        &Reader::of(node, false),
    );
    let mut words: Vec<String> = verdict.obstacles.iter().map(|o| format!("{o:?}")).collect();
    words.extend(verdict.older.then(|| "older".to_owned()));
    words.extend(verdict.rename.then(|| "rename".to_owned()));
    if words.is_empty() {
        "fits".to_owned()
    } else {
        words.join(" ")
    }
}

#[test]
fn each_format_goes_where_the_table_says() {
    // Columns: 3.11, 4.1, 5.0 in CASSANDRA_4, 5.0 in NONE, DSE 6.8, HCD 1, HCD 2 as it ships,
    // HCD 2 that stays compatible with 4.
    let targets = [
        target("a", "cassandra 3.11.19", ""),
        target("a", "cassandra 4.1.9", ""),
        target("a", "cassandra 5.0.5", "CASSANDRA_4"),
        target("a", "cassandra 5.0.5", "NONE"),
        target("a", "dse 6.8.50", ""),
        target("a", "hcd 1.2.1", ""),
        target("a", "hcd 2.0.6", ""),
        target("a", "hcd 2.0.6", "CC_4"),
    ];
    // Written beside the table of which files each product loads: o loads, u loads and is older, - is not read at all,
    // m in another mode, r after a rewrite.
    for (format, expected) in [
        ("jb-1-big", "urrrrrrr"),
        ("lb-1-big", "urrrrrrr"),
        ("ma-1-big", "uuuuuuuu"),
        ("me-1-big", "ouuu-uuu"),
        ("na-1-big", "-uuu-uuu"),
        ("nb-1-big", "-oou-uuo"),
        ("oa-1-big", "--mo--om"),
        ("da-1-bti", "--oo----"),
        ("aa-1-bti", "----uuuu"),
        ("bb-1-bti", "----ouuu"),
        ("ca-1-bti", "-----uuu"),
        ("cc-1-bti", "-----ooo"),
        ("ea-1-bti", "--------"),
        ("zz-1-big", "--------"),
        ("nonsense", "--------"),
        ("", "--------"),
    ] {
        let row: String = targets
            .iter()
            .map(
                |target| match judge(format, &[], "cassandra 3.11.19", target).as_str() {
                    "fits" => 'o',
                    "older" => 'u',
                    "Unreadable(Never)" => '-',
                    "Unreadable(InAnotherMode)" => 'm',
                    other if other.starts_with("Unreadable(AfterRewriteOn") => 'r',
                    other => panic!("{format}: {other}"),
                },
            )
            .collect();
        assert_eq!(row, expected, "{format}");
    }
}

#[test]
fn ids_that_a_target_does_not_parse_are_renamed() {
    for (text, uuid, ulid) in [
        ("cassandra 3.11.19", true, true),
        ("cassandra 4.0.17", true, true),
        ("cassandra 4.1.9", false, true),
        ("cassandra 5.0.5", false, true),
        ("dse 6.9.2", true, true),
        ("hcd 1.2.1", false, false),
        ("hcd 2.0.6", false, false),
    ] {
        let node = target("a", text, "");
        let renames =
            |id: &str| judge(&format!("ma-{id}-big"), &[], text, &node).contains("rename");
        assert_eq!(renames(UUID), uuid, "{text}");
        assert_eq!(renames(ULID), ulid, "{text}");
        assert!(!renames("12"), "{text}");
    }
}

#[test]
fn in_place_a_node_must_have_been_told_to_take_ids_of_time() {
    for (told, keeps_names, uuid, ulid) in [
        (Some(false), true, true, true),
        (Some(false), false, false, false),
        (Some(true), true, false, false),
        (None, true, false, false),
    ] {
        let mut node = target("a", "hcd 1.2.1", "");
        node.features.time_sstable_ids = told;
        let reader = Reader::of(&node, keeps_names);
        for (id, rename) in [(UUID, uuid), (ULID, ulid)] {
            let facts = facts(&format!("nb-{id}-big"));
            let verdict = verdict(&Traits::of(&facts), &node.release, &reader);
            assert_eq!(verdict.rename, rename, "{id} {told:?} {keeps_names}");
        }
    }
}

#[test]
fn each_hazard_stands_against_the_releases_that_it_harms() {
    for (name, hazard, source, text, expected) in [
        (
            "bb-1-bti",
            ZeroCopySlice,
            "dse 6.8.50",
            "dse 6.8.50",
            "fits",
        ),
        (
            "bb-1-bti",
            ZeroCopySlice,
            "dse 6.8.50",
            "hcd 1.2.1",
            "older",
        ),
        (
            "bb-1-bti",
            ZeroCopySlice,
            "dse 6.8.7",
            "dse 6.8.50",
            "BrokenSlice",
        ),
        (
            "bb-1-bti",
            ZeroCopySlice,
            "dse 6.8.8",
            "dse 6.9.2",
            "BrokenSlice",
        ),
        ("bb-1-bti", ZeroCopySlice, "dse 6.8.9", "dse 6.9.2", "fits"),
        (
            "ma-1-big",
            ZeroCopySlice,
            "dse 6.8.9",
            "cassandra 4.1.9",
            "ZeroCopySlice older",
        ),
        ("bb-1-bti", Tuples, "dse 6.8.30", "dse 6.8.50", "Tuples"),
        ("bb-1-bti", Tuples, "dse 6.8.35", "dse 6.8.36", "Tuples"),
        ("bb-1-bti", Tuples, "dse 6.8.30", "dse 6.9.2", "Tuples"),
        (
            "bb-1-bti",
            Tuples,
            "dse 6.8.30",
            "hcd 1.2.1",
            "Tuples older",
        ),
        ("bb-1-bti", Tuples, "dse 6.8.30", "dse 6.8.35", "fits"),
        ("bb-1-bti", Tuples, "dse 6.8.36", "dse 6.9.2", "fits"),
        ("nb-1-big", Tuples, "cassandra 4.1.9", "hcd 1.2.1", "older"),
        (
            "bb-1-bti",
            Tuples,
            "dse 6.8.30",
            "hcd 2.0.6",
            "Tuples older",
        ),
        ("cc-1-bti", Tuples, "hcd 1.2.1", "hcd 2.0.6", "fits"),
        (
            "bb-1-bti",
            ZeroCopySlice,
            "dse 6.8.50",
            "hcd 2.0.6",
            "older",
        ),
        (
            "me-1-big",
            LegacyCounterShards,
            "cassandra 3.11.19",
            "hcd 2.0.6",
            "LegacyCounterShards older",
        ),
        (
            "md-1-big",
            UnfrozenType,
            "cassandra 4.1.9",
            "hcd 1.2.1",
            "UnfrozenType { mended_by_scrub: true } older",
        ),
        (
            "md-1-big",
            UnfrozenType,
            "cassandra 4.1.9",
            "hcd 2.0.6",
            "UnfrozenType { mended_by_scrub: false } older",
        ),
        (
            "me-1-big",
            LegacyCounterShards,
            "cassandra 3.11.19",
            "cassandra 3.11.19",
            "fits",
        ),
        (
            "me-1-big",
            LegacyCounterShards,
            "cassandra 3.11.19",
            "cassandra 4.0.17",
            "LegacyCounterShards older",
        ),
        (
            "me-1-big",
            LegacyCounterShards,
            "cassandra 3.11.19",
            "hcd 1.2.1",
            "LegacyCounterShards older",
        ),
        (
            "me-1-big",
            UnfrozenType,
            "cassandra 3.11.19",
            "cassandra 3.11.19",
            "fits",
        ),
        (
            "md-1-big",
            UnfrozenType,
            "cassandra 3.11.5",
            "cassandra 4.1.9",
            "UnfrozenType { mended_by_scrub: true } older",
        ),
        (
            "md-1-big",
            UnfrozenType,
            "cassandra 4.1.9",
            "cassandra 5.0.5",
            "UnfrozenType { mended_by_scrub: false } older",
        ),
    ] {
        let got = judge(name, &[hazard], source, &target("a", text, ""));
        assert_eq!(got, expected, "{hazard:?} of {source} onto {text}");
    }
}

#[test]
fn without_a_hazard_the_release_of_the_source_is_no_matter() {
    for source in ["dse 6.8.7", "dse 6.8.30"] {
        let node = target("a", "dse 6.9.2", "");
        assert_eq!(judge("bb-1-bti", &[], source, &node), "fits");
    }
}

#[test]
fn all_that_stands_against_an_sstable_is_told_at_once() {
    let node = target("a", "dse 6.9.2", "");
    let got = judge("bb-1-bti", &[Tuples, ZeroCopySlice], "dse 6.8.8", &node);
    assert_eq!(got, "BrokenSlice Tuples");
}

#[test]
fn another_partitioner_is_known_by_its_simple_name() {
    for (partitioner, expected) in [
        (None, false),
        (Some("org.apache.cassandra.dht.Murmur3Partitioner"), false),
        (Some("Murmur3Partitioner"), false),
        (Some("RandomPartitioner"), true),
    ] {
        let facts = SstableFacts {
            partitioner: partitioner.map(str::to_owned),
            ..facts("nb-1-big")
        };
        let node = target("a", "cassandra 4.1.9", "");
        let verdict = verdict(
            &Traits::of(&facts),
            &node.release,
            &Reader::of(&node, false),
        );
        let differs = verdict.obstacles.contains(&Obstacle::Partitioner);
        assert_eq!(differs, expected, "{partitioner:?}");
    }
}

#[test]
fn a_node_that_says_what_it_reads_is_believed_before_its_release() {
    let mut node = target("a", "cassandra 4.1.9", "");
    node.readable_formats = vec!["big-zz".into()];
    assert_eq!(
        judge("nb-1-big", &[], "cassandra 4.1.9", &node),
        "Unreadable(Never)"
    );
    node.readable_formats.clear();
    assert_eq!(judge("nb-1-big", &[], "cassandra 4.1.9", &node), "fits");
    let mut node = target("a", "cassandra 5.0.5", "NONE");
    node.readable_formats.clear();
    assert_eq!(judge("oa-1-big", &[], "cassandra 5.0.5", &node), "fits");
}

#[test]
fn old_names_have_keyspace_and_table_first() {
    assert_eq!(parse("nb-12-big"), ("big", "nb", "12"));
    assert_eq!(parse("shop-orders-jb-7"), ("big", "jb", "7"));
    assert_eq!(parse("jb-7"), ("", "", ""));
    assert_eq!(parse("big-bti-nb"), ("", "", ""));
}
