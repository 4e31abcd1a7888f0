//! What the target's nodes would refuse when the statements of the plan run.

use expect_test::{Expect, expect};
use model::{AgentRole, Grant, SchemaKind};
use plan::{RequestedMode, RestoreRequest, plan_restore};

use crate::world::*;

fn role(name: &str) -> AgentRole {
    AgentRole {
        name: name.into(),
        superuser: Some(false),
        grants: None,
        unreadable: Vec::new(),
    }
}

/// The request, with an ordinary role on every node, and a setting on the first two.
fn with_setting(source: &Side, target: &Side, name: &str, value: &str) -> RestoreRequest {
    let mut request = request(source, target);
    for node in &mut request.nodes {
        node.setup.role = Some(role("rk"));
    }
    for node in &mut request.nodes[..2] {
        node.setup.settings.insert(name.into(), value.into());
    }
    request
}

/// The findings of these codes, a line each.
fn said(request: &RestoreRequest, codes: &[&str]) -> String {
    let findings = plan_restore(request).findings;
    let said = findings
        .iter()
        .filter(|finding| codes.contains(&finding.code.as_str()));
    let lines = said.map(|it| {
        format!(
            "{:?} {} {}: {}\n  hint: {}\n",
            it.severity, it.code, it.subject, it.message, it.hint
        )
    });
    lines.collect()
}

#[track_caller]
fn check_said(request: &RestoreRequest, codes: &[&str], expected: Expect) {
    expected.assert_eq(&said(request, codes));
}

/// A shop with something of everything that a guardrail may refuse.
fn everything() -> Side {
    let mut source = Side::new("cassandra 5.0.5", "10.0.0.", 0x10);
    let uncompressed = "compression = {'enabled': 'false'} AND cdc = true";
    let window =
        "compaction = {'class': 'TimeWindowCompactionStrategy'} AND default_time_to_live = 0";
    source
        .keyspace("shop")
        .table("shop.orders", 1, "id int PRIMARY KEY, c text, d text")
        .table_with("shop.raw", 2, "id int PRIMARY KEY", uncompressed)
        .table_with("shop.compact", 3, "id int PRIMARY KEY, c int", "COMPACT STORAGE")
        .table("shop.near", 4, "id int PRIMARY KEY, v vector<float, 1024>")
        .table_with("shop.series", 5, "id int PRIMARY KEY, gone int", window)
        .view("shop.by_c", 6, "orders")
        .index("shop.c_of", "orders")
        .entry(
            SchemaKind::Type,
            "shop.wide",
            "",
            &["CREATE TYPE shop.wide (a int, b int, c int)"],
        )
        .entry(
            SchemaKind::Keyspace,
            "old",
            "",
            &["CREATE KEYSPACE old WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '2'}"],
        )
        .table("old.t", 7, "id int PRIMARY KEY");
    let dropped = source
        .entries
        .iter_mut()
        .find(|entry| entry.name == "series")
        .expect("a table");
    dropped
        .cql
        .push("ALTER TABLE shop.series DROP gone USING TIMESTAMP 1".into());
    source
}

const SETTINGS: [(&str, &str); 19] = [
    ("secondary_indexes_enabled", "false"),
    ("drop_truncate_table_enabled", "false"),
    ("alter_table_enabled", "false"),
    ("simplestrategy_enabled", "false"),
    ("uncompressed_tables_enabled", "false"),
    ("compact_tables_enabled", "false"),
    ("vector_type_enabled", "false"),
    ("zero_ttl_on_twcs_enabled", "false"),
    ("table_properties_disallowed", "[cdc, comment]"),
    ("keyspaces_fail_threshold", "1"),
    ("tables_fail_threshold", "5"),
    ("guardrails.tables_failure_threshold", "5"),
    ("columns_per_table_fail_threshold", "2"),
    ("fields_per_udt_fail_threshold", "2"),
    ("secondary_indexes_per_table_fail_threshold", "0"),
    ("materialized_views_per_table_fail_threshold", "0"),
    ("minimum_replication_factor_fail_threshold", "3"),
    ("maximum_replication_factor_fail_threshold", "2"),
    ("vector_dimensions_fail_threshold", "1000"),
];

#[test]
fn each_guardrail_refuses_what_it_is_for() {
    let (source, target) = (everything(), empty("cassandra 5.0.5"));
    let mut lines = String::new();
    for (name, value) in SETTINGS {
        let request = with_setting(&source, &target, name, value);
        let said = said(&request, &["GUARDRAIL_REFUSES"]);
        lines.push_str(said.lines().next().unwrap_or(name));
        lines.push('\n');
    }
    expect![[r#"
        Refusal GUARDRAIL_REFUSES secondary_indexes_enabled: `secondary_indexes_enabled: false` on 10.1.0.1, 10.1.0.2 refuses CREATE INDEX to the role rk: shop.orders
        Refusal GUARDRAIL_REFUSES drop_truncate_table_enabled: `drop_truncate_table_enabled: false` on 10.1.0.1, 10.1.0.2 refuses DROP and TRUNCATE TABLE to the role rk: shop.series
        Refusal GUARDRAIL_REFUSES alter_table_enabled: `alter_table_enabled: false` on 10.1.0.1, 10.1.0.2 refuses ALTER TABLE that changes columns to the role rk: shop.series
        Refusal GUARDRAIL_REFUSES simplestrategy_enabled: `simplestrategy_enabled: false` on 10.1.0.1, 10.1.0.2 refuses keyspaces with SimpleStrategy to the role rk: old
        Refusal GUARDRAIL_REFUSES uncompressed_tables_enabled: `uncompressed_tables_enabled: false` on 10.1.0.1, 10.1.0.2 refuses tables without compression to the role rk: shop.raw
        Refusal GUARDRAIL_REFUSES compact_tables_enabled: `compact_tables_enabled: false` on 10.1.0.1, 10.1.0.2 refuses tables with COMPACT STORAGE to the role rk: shop.compact
        Refusal GUARDRAIL_REFUSES vector_type_enabled: `vector_type_enabled: false` on 10.1.0.1, 10.1.0.2 refuses columns of vector types to the role rk: shop.near
        Refusal GUARDRAIL_REFUSES zero_ttl_on_twcs_enabled: `zero_ttl_on_twcs_enabled: false` on 10.1.0.1, 10.1.0.2 refuses TimeWindowCompactionStrategy without default_time_to_live to the role rk: shop.series
        Refusal GUARDRAIL_REFUSES table_properties_disallowed: `table_properties_disallowed: [cdc, comment]` on 10.1.0.1, 10.1.0.2 refuses these options of tables to the role rk: comment of old.t, comment of shop.near, comment of shop.orders, cdc of shop.raw, comment of shop.by_c
        Refusal GUARDRAIL_REFUSES keyspaces_fail_threshold: `keyspaces_fail_threshold: 1` on 10.1.0.1, 10.1.0.2 refuses more keyspaces to the role rk: there would be 2 keyspaces
        Refusal GUARDRAIL_REFUSES tables_fail_threshold: `tables_fail_threshold: 5` on 10.1.0.1, 10.1.0.2 refuses more tables to the role rk: there would be 6 tables
        Refusal GUARDRAIL_REFUSES guardrails.tables_failure_threshold: `guardrails.tables_failure_threshold: 5` on 10.1.0.1, 10.1.0.2 refuses more tables to the role rk: there would be 6 tables
        Refusal GUARDRAIL_REFUSES columns_per_table_fail_threshold: `columns_per_table_fail_threshold: 2` on 10.1.0.1, 10.1.0.2 refuses tables with more columns to the role rk: shop.orders (3 columns)
        Refusal GUARDRAIL_REFUSES fields_per_udt_fail_threshold: `fields_per_udt_fail_threshold: 2` on 10.1.0.1, 10.1.0.2 refuses types with more fields to the role rk: shop.wide (3 fields)
        Refusal GUARDRAIL_REFUSES secondary_indexes_per_table_fail_threshold: `secondary_indexes_per_table_fail_threshold: 0` on 10.1.0.1, 10.1.0.2 refuses tables with more indexes to the role rk: shop.orders (1 index)
        Refusal GUARDRAIL_REFUSES materialized_views_per_table_fail_threshold: `materialized_views_per_table_fail_threshold: 0` on 10.1.0.1, 10.1.0.2 refuses tables with more materialized views to the role rk: shop.orders (1 view)
        Refusal GUARDRAIL_REFUSES minimum_replication_factor_fail_threshold: `minimum_replication_factor_fail_threshold: 3` on 10.1.0.1, 10.1.0.2 refuses keyspaces with fewer replicas to the role rk: old (2)
        Refusal GUARDRAIL_REFUSES maximum_replication_factor_fail_threshold: `maximum_replication_factor_fail_threshold: 2` on 10.1.0.1, 10.1.0.2 refuses keyspaces with more replicas to the role rk: shop (3 in dc1)
        Refusal GUARDRAIL_REFUSES vector_dimensions_fail_threshold: `vector_dimensions_fail_threshold: 1000` on 10.1.0.1, 10.1.0.2 refuses vectors of more dimensions to the role rk: shop.near (1,024 dimensions)
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_guardrail_that_is_wide_enough_refuses_nothing() {
    let (source, target) = (everything(), empty("cassandra 5.0.5"));
    for (name, value) in SETTINGS {
        let wide = match value {
            "false" => "true",
            "[cdc, comment]" => "[]",
            _ if name.starts_with("minimum") => "2",
            _ => "-1",
        };
        let request = with_setting(&source, &target, name, wide);
        assert_eq!(said(&request, &["GUARDRAIL_REFUSES"]), "", "{name}: {wide}");
    }
}

#[test]
fn nothing_that_is_live_is_emptied_under_a_guardrail() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = with_setting(&source, &target, "drop_truncate_table_enabled", "false");
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              GUARDRAIL_REFUSES drop_truncate_table_enabled (before)
                  `drop_truncate_table_enabled: false` on 10.1.0.1, 10.1.0.2 refuses DROP and TRUNCATE TABLE to the role rk: shop.Metrics_2, shop.orders
                  hint: change `drop_truncate_table_enabled` on 10.1.0.1, 10.1.0.2, by `nodetool setguardrailsconfig` or cassandra.yaml, or let the agents log in as a superuser; and plan again

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
    // It applies neither to superusers nor on nodes without logins.
    for node in &mut request.nodes {
        node.setup.role = Some(AgentRole {
            superuser: Some(true),
            ..role("rk")
        });
    }
    assert_eq!(codes(&request), [""; 0]);
    for node in &mut request.nodes {
        node.setup.role = None;
    }
    assert_eq!(codes(&request), [""; 0]);
    // Whether it does is not known.
    for node in &mut request.nodes {
        node.setup.role = Some(AgentRole {
            superuser: None,
            ..role("rk")
        });
    }
    assert_eq!(
        codes(&request),
        ["Warning GUARDRAIL_REFUSES drop_truncate_table_enabled"]
    );
}

#[test]
fn a_memtable_configuration_that_a_node_does_not_define() {
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x10);
    source
        .keyspace("shop")
        .table_with(
            "shop.hot",
            1,
            "id int PRIMARY KEY, c text",
            "memtable = 'trie'",
        )
        .table_with("shop.cold", 2, "id int PRIMARY KEY", "memtable = 'default'");
    let mut request = request(&source, &empty("cassandra 4.1.9"));
    for (node, defined) in request
        .nodes
        .iter_mut()
        .zip(["[default]", "[default, trie]", ""])
    {
        if !defined.is_empty() {
            let name = "memtable.configurations".to_owned();
            node.setup.settings.insert(name, defined.into());
        }
    }
    check_said(
        &request,
        &["MEMTABLE_MISSING"],
        expect![[r#"
        Refusal MEMTABLE_MISSING trie: the memtable configuration trie is not in cassandra.yaml of 10.1.0.1, and shop.hot is made with it
          hint: define it below `memtable: configurations:` on 10.1.0.1 as on the source, restart nodes and agents one by one, and plan again
    "#]],
    );
}

#[test]
fn permissions_that_a_role_lacks_are_named_with_the_grants() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.redefine(
        SchemaKind::Table,
        "shop.Metrics_2",
        "CREATE TABLE shop.\"Metrics_2\" (id int PRIMARY KEY, c text, d text)",
    );
    source
        .index("shop.c_of", "orders")
        .view("shop.by_c", 6, "orders")
        .keyspace("fresh")
        .table("fresh.t", 7, "id int PRIMARY KEY");
    let mut request = request(&source, &target);
    let grant = |resource: &str, permissions: &[&str]| Grant {
        resource: resource.into(),
        permissions: permissions.iter().map(|it| (*it).to_owned()).collect(),
    };
    for node in &mut request.nodes {
        node.setup.role = Some(AgentRole {
            grants: Some(vec![grant("<table shop.orders>", &["SELECT", "ALTER"])]),
            unreadable: [
                "system.built_views",
                "system.batches",
                "system_views.settings",
            ]
            .map(Into::into)
            .into(),
            ..role("Rk")
        });
    }
    check_said(
        &request,
        &["GRANT_MISSING"],
        expect![[r#"
            Refusal GRANT_MISSING Rk: the role Rk of the agents beside 10.1.0.1, 10.1.0.2, 10.1.0.3 lacks CREATE on all keyspaces, the keyspace shop; DROP on shop.Metrics_2; MODIFY on shop.orders
              hint: GRANT CREATE ON ALL KEYSPACES TO "Rk"; GRANT CREATE ON KEYSPACE shop TO "Rk"; GRANT DROP ON KEYSPACE shop TO "Rk"; GRANT MODIFY ON KEYSPACE shop TO "Rk"
            Refusal GRANT_MISSING Rk: the role Rk of the agents beside 10.1.0.1, 10.1.0.2, 10.1.0.3 may not read system.built_views, which shows when the views are built
              hint: GRANT SELECT ON system.built_views TO "Rk"
            Warning GRANT_MISSING Rk: the role Rk of the agents beside 10.1.0.1, 10.1.0.2, 10.1.0.3 may not write to system.built_views: Cassandra builds the views only once then, and rows of them may be lost
              hint: for the time of the restore, as a superuser: ALTER ROLE "Rk" WITH SUPERUSER = true
            Warning GRANT_MISSING Rk: the role Rk of the agents beside 10.1.0.1, 10.1.0.2, 10.1.0.3 may not read system.batches: the restore may end before the last rows of its views are on their nodes
              hint: GRANT SELECT ON system.batches TO "Rk"
            Warning GRANT_MISSING Rk: the role Rk of the agents beside 10.1.0.1, 10.1.0.2, 10.1.0.3 may not read system_views.settings: what the nodes refuse is taken from cassandra.yaml, which may have changed since they started
              hint: GRANT SELECT ON system_views.settings TO "Rk"
        "#]],
    );
    // All that is made in a keyspace of one's own may be.
    let all = ["CREATE", "ALTER", "DROP", "MODIFY", "SELECT"];
    for grants in [
        vec![grant("<all keyspaces>", &all)],
        vec![
            grant("<all keyspaces>", &["CREATE"]),
            grant("<all tables in shop>", &all),
        ],
        vec![
            grant("<all keyspaces>", &["CREATE"]),
            grant("<keyspace shop>", &all),
        ],
    ] {
        for node in &mut request.nodes {
            node.setup.role = Some(AgentRole {
                grants: Some(grants.clone()),
                ..role("Rk")
            });
        }
        let found = said(&request, &["GRANT_MISSING"]);
        let is_of_views = |line: &str| line.contains("may not write to system.built_views");
        let lines = found.lines().filter(|line| !line.starts_with("  hint"));
        assert!(lines.clone().all(is_of_views), "{grants:?}: {found}");
        assert_eq!(lines.count(), 1, "{grants:?}: {found}");
    }
}

#[test]
fn in_place_a_role_must_be_allowed_to_write_truncation_records() {
    let grant = |resource: &str| Grant {
        resource: resource.into(),
        permissions: vec!["SELECT".into(), "MODIFY".into()],
    };
    for (release, grants, expected) in [
        ("cassandra 4.1.9", vec![], true),
        ("cassandra 4.1.9", vec![grant("<all keyspaces>")], true),
        ("cassandra 4.0.17", vec![], true),
        ("cassandra 4.0.17", vec![grant("<all keyspaces>")], false),
        (
            "cassandra 4.1.9",
            vec![grant("<table system.local>")],
            false,
        ),
        ("cassandra 4.1.9", vec![grant("<keyspace system>")], false),
    ] {
        let (source, target) = shop(release, release);
        let mut request = request(&source, &target);
        request.options.mode = RequestedMode::InPlace;
        for node in &mut request.nodes {
            node.setup.role = Some(AgentRole {
                grants: Some(grants.clone()),
                ..role("Rk")
            });
        }
        let found = said(&request, &["GRANT_MISSING"]);
        let hint = if release == "cassandra 4.0.17" {
            "GRANT MODIFY ON ALL KEYSPACES TO \"Rk\""
        } else {
            "ALTER ROLE \"Rk\" WITH SUPERUSER = true"
        };
        assert_eq!(
            found.contains(hint),
            expected,
            "{release}, {grants:?}: {found}"
        );
        request.options.mode = RequestedMode::Online;
        let found = said(&request, &["GRANT_MISSING"]);
        assert!(!found.contains("system.local"), "{found}");
    }
}

#[test]
fn views_on_several_nodes_are_built_twice_only_by_a_role_that_may_write_system_tables() {
    let grant = |resource: &str| Grant {
        resource: resource.into(),
        permissions: ["CREATE", "ALTER", "DROP", "MODIFY", "SELECT"]
            .map(Into::into)
            .into(),
    };
    let all = || grant("<all keyspaces>");
    for (release, grants, expected) in [
        (
            "cassandra 4.1.9",
            vec![all()],
            "Warning GRANT_MISSING Rk: the role Rk of the agents beside 10.1.0.1, 10.1.0.2, 10.1.0.3 may not write to \
             system.built_views: Cassandra builds the views only once then, and rows of them may be lost\n  \
             hint: for the time of the restore, as a superuser: ALTER ROLE \"Rk\" WITH SUPERUSER = true\n",
        ),
        ("cassandra 4.0.17", vec![all()], ""),
        (
            "cassandra 4.1.9",
            vec![all(), grant("<table system.built_views>")],
            "",
        ),
        (
            "cassandra 4.1.9",
            vec![all(), grant("<keyspace system>")],
            "",
        ),
    ] {
        for makes_views in [true, false] {
            let (mut source, target) = shop(release, release);
            if makes_views {
                source.view("shop.by_c", 6, "orders");
            }
            let mut request = request(&source, &target);
            for node in &mut request.nodes {
                node.setup.role = Some(AgentRole {
                    grants: Some(grants.clone()),
                    ..role("Rk")
                });
            }
            let found = said(&request, &["GRANT_MISSING"]);
            let expected = if makes_views { expected } else { "" };
            assert_eq!(found, expected, "{release}, {grants:?}");
        }
    }
}

#[test]
fn what_is_emptied_is_kept_by_auto_snapshot_or_by_nothing() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    let codes = ["AUTO_SNAPSHOT_OFF", "AUTO_SNAPSHOTS_LEFT"];
    check_said(
        &request,
        &codes,
        expect![[r#"
        Advice AUTO_SNAPSHOTS_LEFT staging: Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
          hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
    "#]],
    );
    let off = |node: &mut model::NodeDescription| {
        let settings = &mut node.setup.settings;
        settings.insert("auto_snapshot".into(), "false".into());
    };
    off(&mut request.nodes[0]);
    check_said(
        &request,
        &codes,
        expect![[r#"
        Warning AUTO_SNAPSHOT_OFF staging: `auto_snapshot` is off on 10.1.0.1: what shop.Metrics_2, shop.orders hold now is gone once they are emptied
          hint: back up the target first; or set `auto_snapshot: true` in cassandra.yaml of 10.1.0.1, restart one node after the other, and plan again
        Advice AUTO_SNAPSHOTS_LEFT staging: Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
          hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
    "#]],
    );
    request.nodes.iter_mut().for_each(off);
    check_said(&request, &["AUTO_SNAPSHOTS_LEFT"], expect![[r#""#]]);
    // Nothing is emptied where nothing is.
    let made = crate::world::request(&source, &empty("cassandra 4.1.9"));
    assert_eq!(said(&made, &codes), "");
}

#[test]
fn a_keyspace_of_a_datacenter_without_nodes_is_left_out() {
    let (mut source, _) = shop("cassandra 3.11.19", "cassandra 4.1.9");
    let gone =
        "CREATE KEYSPACE z WITH replication = {'class': 'NetworkTopologyStrategy', 'DC9': '3'}";
    source
        .entry(SchemaKind::Keyspace, "z", "", &[gone])
        .table("z.t", 5, "id int PRIMARY KEY");
    source.table_mut("z.t").bytes = 0;
    let mut same_ring = empty("cassandra 4.1.9");
    for (member, of_source) in same_ring.ring.iter_mut().zip(&source.ring) {
        member.tokens = of_source.tokens.clone();
    }
    let mut other_ring = empty("cassandra 4.1.9");
    other_ring.ring.pop();
    for target in [&same_ring, &other_ring] {
        let mut request = request(&source, target);
        assert_eq!(
            said(&request, &["KEYSPACE_LEFT_OUT"]),
            "Warning KEYSPACE_LEFT_OUT z: z is replicated in DC9 only, where the ring has no node: the backup has no rows of it, \
             and its 1 table is left out\n  hint: if programs need it, make z by hand, with a replication that the target has\n"
        );
        let plan = plan_restore(&request);
        assert!(plan.supported, "{:?}", plan.findings);
        let made = statements(&plan, plan::StepKind::Schema).join("; ");
        assert!(
            made.contains("shop.orders") && !made.contains("DC9"),
            "{made}"
        );
        request.options.selection = selection(&["z", "shop"], &[]);
        assert!(codes(&request).contains(&"Refusal KEYSPACE_LEFT_OUT z".to_owned()));
    }
    // On a target that has it, it is emptied like any other.
    source
        .entries
        .iter()
        .filter(|entry| entry.keyspace == "z")
        .for_each(|entry| same_ring.entries.push(entry.clone()));
    let codes = codes(&request(&source, &same_ring));
    assert!(
        !codes.iter().any(|code| code.contains("KEYSPACE_LEFT_OUT")),
        "{codes:?}"
    );
}

#[test]
fn a_function_that_masks_a_column_comes_with_its_table() {
    let mut source = Side::new("cassandra 5.0.5", "10.0.0.", 0x10);
    let function = |name: &str| {
        format!(
            "CREATE FUNCTION shop.{name}(c text) CALLED ON NULL INPUT RETURNS text LANGUAGE java AS $$ return c; $$"
        )
    };
    source
        .keyspace("shop")
        .table(
            "shop.people",
            1,
            "id int PRIMARY KEY, c text MASKED WITH shop.hide(), d text MASKED WITH DEFAULT",
        )
        .table("shop.other", 2, "id int PRIMARY KEY")
        .entry(
            SchemaKind::Function,
            "shop.hide(text)",
            "",
            &[&function("hide")],
        )
        .entry(
            SchemaKind::Function,
            "shop.twice(text)",
            "",
            &[&function("twice")],
        );
    let mut request = request(&source, &empty("cassandra 5.0.5"));
    let made = |request: &RestoreRequest| {
        let plan = plan_restore(request);
        assert!(plan.supported, "{:?}", plan.findings);
        let made = statements(&plan, plan::StepKind::Schema).join("; ");
        [made.contains("shop.hide("), made.contains("shop.twice(")]
    };
    request.options.selection = selection(&[], &["shop.people"]);
    assert_eq!(made(&request), [true, false]);
    request.options.selection = selection(&[], &["shop.other"]);
    assert_eq!(made(&request), [false, false]);
    request.options.selection = selection(&["shop"], &[]);
    assert_eq!(made(&request), [true, true]);
}
