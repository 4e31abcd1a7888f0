//! What is to be done about SSTables that are not taken.

use super::*;

#[test]
fn each_reason_to_rewrite_says_where_and_by_which_command() {
    for (source, text, facts, severity, words) in [
        (
            "dse 6.8.30",
            "dse 6.9.2",
            hazard("bb-1-bti", Hazard::Tuples),
            "Refusal",
            "6.8.35",
        ),
        (
            "dse 6.8.8",
            "dse 6.9.2",
            hazard("bb-1-bti", Hazard::ZeroCopySlice),
            "Warning",
            "6.8.9",
        ),
        (
            "dse 6.8.30",
            "cassandra 4.1.9",
            hazard("ma-1-big", Hazard::ZeroCopySlice),
            "Refusal",
            "zerocopy_streaming_enabled",
        ),
        (
            "cassandra 3.11.19",
            "cassandra 4.1.9",
            hazard("me-1-big", Hazard::LegacyCounterShards),
            "Refusal",
            "nodetool scrub",
        ),
        (
            "cassandra 3.11.19",
            "cassandra 4.1.9",
            hazard("md-1-big", Hazard::UnfrozenType),
            "Warning",
            "sstablescrub -e fix",
        ),
        (
            "cassandra 4.1.9",
            "cassandra 5.0.5",
            hazard("md-1-big", Hazard::UnfrozenType),
            "Refusal",
            "Cassandra 4.1",
        ),
        (
            "dse 6.8.30",
            "hcd 2.0.6",
            hazard("bb-1-bti", Hazard::Tuples),
            "Refusal",
            "6.8.35",
        ),
        (
            "cassandra 3.11.19",
            "hcd 2.0.6",
            hazard("me-1-big", Hazard::LegacyCounterShards),
            "Refusal",
            "nodetool scrub",
        ),
        (
            "cassandra 4.1.9",
            "hcd 2.0.6",
            hazard("md-1-big", Hazard::UnfrozenType),
            "Refusal",
            "Cassandra 4.1",
        ),
    ] {
        let backup = backup(source, &["s1"]);
        let node = target("t1", text, "");
        let sources = [sstables(1, &[("shop.orders", vec![facts.clone()])])];
        let found = said(|findings| {
            check(
                &backup,
                &sources,
                all,
                &[&node],
                RestoreMode::Online,
                findings,
            );
        });
        let format = Traits::of(&facts).format();
        let expected = format!("{severity} SSTABLE_NEEDS_REWRITE {format}");
        assert_eq!(brief(&found), [expected], "{source} onto {text}");
        assert!(found[0].hint.contains(words), "{}", found[0].hint);
        assert!(
            found[0]
                .message
                .contains(&format!("1 {format} SSTable of shop.orders"))
        );
    }
}

#[test]
fn an_unreadable_format_comes_with_the_way_to_it() {
    for (source, sstable, text, hint) in [
        (
            "cassandra 5.0.5",
            "oa-1-big",
            "cassandra 4.1.9",
            "restore into a release that reads it: cassandra 5.0",
        ),
        (
            "dse 6.8.50",
            "bb-1-bti",
            "cassandra 4.1.9",
            "restore into a release that reads it: dse 6.8, dse 6.9, hcd 1.x",
        ),
        (
            "cassandra 3.11.19",
            "jb-1-big",
            "cassandra 4.1.9",
            "restore into cassandra 3.11, run `nodetool upgradesstables` there, and back up again",
        ),
        (
            "cassandra 5.0.5",
            "da-1-bti",
            "hcd 2.0.6",
            "restore into a release that reads it: cassandra 5.0",
        ),
        (
            "hcd 2.0.6",
            "oa-1-big",
            "hcd 1.2.3",
            "restore into a release that reads it: hcd 2.x",
        ),
        (
            "cassandra 4.1.9",
            "nonsense",
            "cassandra 4.1.9",
            "no release that takes a backup of cassandra 4.1.9 reads this format",
        ),
    ] {
        let backup = backup(source, &["s1"]);
        let node = target("t1", text, "");
        let sources = [sstables(1, &[("shop.orders", vec![facts(sstable)])])];
        let found = said(|findings| {
            check(
                &backup,
                &sources,
                all,
                &[&node],
                RestoreMode::Online,
                findings,
            );
        });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].hint, hint, "{sstable} onto {text}");
    }
}

#[test]
fn a_node_in_a_mode_that_does_not_read_a_format_is_taken_out_of_it() {
    for (text, mode, words) in [
        (
            "cassandra 5.0.5",
            "CASSANDRA_4",
            "UPGRADING on every target node",
        ),
        (
            "hcd 2.0.6",
            "CC_4",
            "leave `storage_compatibility_mode` out",
        ),
    ] {
        let backup = backup(text, &["s1"]);
        let node = target("t1", text, mode);
        let sources = [sstables(1, &[("shop.orders", vec![facts("oa-1-big")])])];
        let found = said(|findings| {
            check(
                &backup,
                &sources,
                all,
                &[&node],
                RestoreMode::Online,
                findings,
            );
        });
        assert_eq!(
            brief(&found),
            ["Refusal FORMAT_UNREADABLE big-oa"],
            "{text}"
        );
        assert!(found[0].hint.contains(words), "{}", found[0].hint);
    }
}
