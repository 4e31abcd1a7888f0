mod ways_out;

use model::manifest::{Hazard, SstableFacts};

use super::*;
use crate::restore::world::{backup, brief, facts, said, sstables, summary, target};

fn all(_: &str, _: &str) -> bool {
    true
}

fn hazard(name: &str, hazard: Hazard) -> SstableFacts {
    SstableFacts {
        hazards: vec![hazard],
        ..facts(name)
    }
}

#[test]
fn one_finding_names_the_tables_and_nodes_of_a_reason_and_a_format() {
    let backup = backup("cassandra 5.0.5", &["s1", "s2"]);
    let oa = |n: u32| facts(&format!("oa-{n}-big"));
    let sources = [
        sstables(1, &[("shop.orders", vec![oa(1), oa(2), facts("nb-3-big")])]),
        sstables(
            2,
            &[
                ("shop.carts", vec![oa(1)]),
                ("old.t", vec![facts("bb-1-bti")]),
            ],
        ),
    ];
    let stock = target("t1", "cassandra 5.0.5", "CASSANDRA_4");
    let other = target("t2", "cassandra 5.0.5", "NONE");
    let mut verdicts = Verdicts::default();
    let found = said(|findings| {
        let mode = RestoreMode::Online;
        verdicts = check(&backup, &sources, all, &[&stock, &other], mode, findings);
    });
    assert_eq!(
        brief(&found),
        [
            "Refusal FORMAT_UNREADABLE big-oa",
            "Refusal FORMAT_UNREADABLE bti-bb"
        ]
    );
    assert_eq!(
        found[0].message,
        "the backup holds big-oa SSTables of shop.carts, shop.orders, which t1 cannot read"
    );
    assert!(found[0].hint.contains("UPGRADING"), "{}", found[0].hint);
    assert_eq!(
        found[1].message,
        "the backup holds bti-bb SSTables of old.t, which t1, t2 cannot read"
    );
    assert_eq!(
        found[1].hint,
        "no release that takes a backup of cassandra 5.0.5 reads this format"
    );
    // The node in NONE would rewrite what the other writes itself.
    assert_eq!(verdicts.older, BTreeSet::from(["big-nb".to_owned()]));
}

#[test]
fn tables_that_are_not_wanted_are_not_judged() {
    let backup = backup("cassandra 5.0.5", &["s1"]);
    let sources = [sstables(1, &[("shop.orders", vec![facts("oa-1-big")])])];
    let node = target("t1", "cassandra 5.0.5", "CASSANDRA_4");
    let mode = RestoreMode::Online;
    let found = |wanted: fn(&str, &str) -> bool| {
        said(|findings| {
            check(&backup, &sources, wanted, &[&node], mode, findings);
        })
    };
    assert_eq!(found(all).len(), 1);
    assert_eq!(found(|keyspace, _| keyspace != "shop"), []);
}

#[test]
fn many_tables_are_counted_and_not_listed() {
    let backup = backup("cassandra 5.0.5", &["s1"]);
    let names: Vec<String> = (0..13).map(|n| format!("shop.t{n:02}")).collect();
    let tables: Vec<(&str, Vec<SstableFacts>)> = names
        .iter()
        .map(|name| (name.as_str(), vec![facts("oa-1-big")]))
        .collect();
    let node = target("t1", "cassandra 4.1.9", "");
    let found = said(|findings| {
        let sources = [sstables(1, &tables)];
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
    assert!(
        found[0].message.contains("shop.t07 and 5 more"),
        "{}",
        found[0].message
    );
}

#[test]
fn where_no_sstables_are_known_the_manifests_formats_stand_for_them() {
    let mut backup = backup("cassandra 5.0.5", &["s1", "s2"]);
    for node in &mut backup.nodes {
        node.tables = vec![
            summary("shop.orders", 5, &["big-oa"]),
            summary("shop.empty", 0, &["big-zz"]),
        ];
    }
    let node = target("t1", "cassandra 4.1.9", "");
    let found = |sources: &[NodeSstables]| {
        brief(&said(|findings| {
            check(
                &backup,
                sources,
                all,
                &[&node],
                RestoreMode::Online,
                findings,
            );
        }))
    };
    let unreadable = ["Refusal FORMAT_UNREADABLE big-oa".to_owned()];
    assert_eq!(found(&[]), unreadable);
    // Facts of one node do not speak for the other.
    let one = sstables(1, &[("shop.orders", vec![facts("nb-1-big")])]);
    let two = sstables(2, &[("shop.orders", vec![facts("nb-1-big")])]);
    assert_eq!(found(std::slice::from_ref(&one)), unreadable);
    assert_eq!(found(&[one, two]), [] as [String; 0]);
}

#[test]
fn a_nodes_own_release_counts_and_not_the_backups() {
    let mut backup = backup("dse 6.8.36", &["s1", "s2"]);
    backup.nodes[1].release = crate::restore::world::release("dse 6.8.20");
    let node = target("t1", "dse 6.9.2", "");
    let tuples = || vec![hazard("bb-1-bti", Hazard::Tuples)];
    let sources = [
        sstables(1, &[("shop.safe", tuples())]),
        sstables(2, &[("shop.lost", tuples())]),
    ];
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
    assert!(found[0].message.contains("shop.lost") && !found[0].message.contains("shop.safe"));
}

#[test]
fn sstables_of_another_partitioner_are_refused_by_its_name() {
    let backup = backup("cassandra 3.11.19", &["s1"]);
    let random = SstableFacts {
        partitioner: Some("RandomPartitioner".into()),
        ..facts("me-1-big")
    };
    let sources = [sstables(
        1,
        &[("shop.orders", vec![random, facts("me-2-big")])],
    )];
    let node = target("t1", "cassandra 3.11.19", "");
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
        ["Refusal PARTITIONER_DIFFERS RandomPartitioner"]
    );
    assert_eq!(
        found[0].message,
        "the backup holds 1 SSTable of shop.orders that RandomPartitioner placed, and t1 places by Murmur3Partitioner"
    );
}

#[test]
fn what_is_renamed_is_counted_once_however_many_nodes_need_it() {
    let backup = backup("cassandra 4.1.9", &["s1"]);
    let time = facts("nb-3gkr_0c7r_4cvr42b3vvp8rr1jz5-big");
    let sources = [sstables(
        1,
        &[("shop.orders", vec![time, facts("nb-2-big")])],
    )];
    let nodes = [
        target("t1", "cassandra 4.0.17", ""),
        target("t2", "cassandra 4.0.16", ""),
    ];
    let mut findings = Findings::default();
    let targets: Vec<&NodeDescription> = nodes.iter().collect();
    let verdicts = check(
        &backup,
        &sources,
        all,
        &targets,
        RestoreMode::Online,
        &mut findings,
    );
    assert_eq!(verdicts.renamed, 1);
}

#[test]
fn nodes_of_one_release_that_read_other_formats_are_told_apart() {
    let backup = backup("cassandra 4.1.9", &["s1"]);
    let sources = [sstables(1, &[("shop.orders", vec![facts("me-1-big")])])];
    let mut nodes = [
        target("t1", "cassandra 4.1.9", ""),
        target("t2", "cassandra 4.1.9", ""),
    ];
    nodes[1].readable_formats = vec!["big-nb".into()];
    let targets: Vec<&NodeDescription> = nodes.iter().collect();
    let found = said(|findings| {
        check(
            &backup,
            &sources,
            all,
            &targets,
            RestoreMode::Online,
            findings,
        );
    });
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.ends_with("which t2 cannot read"),
        "{}",
        found[0].message
    );
}
