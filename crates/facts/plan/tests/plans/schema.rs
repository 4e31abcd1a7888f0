use model::SchemaKind;
use plan::{RequestedMode, RestoreRequest, StepKind, plan_restore};

use crate::world::*;

fn replicate(side: &mut Side, replication: &str) {
    let entry = side
        .entries
        .iter_mut()
        .find(|entry| entry.kind == SchemaKind::Keyspace);
    entry.expect("a keyspace").cql = vec![format!(
        "CREATE KEYSPACE shop WITH replication = {replication}"
    )];
}

#[test]
fn a_keyspace_must_be_replicated_as_it_was_in_place_and_is_mapped_online() {
    for (now, differs) in [
        (
            "{'dc1': '3', 'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy'}",
            false,
        ),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': '2'}", true),
        (
            "{'class': 'SimpleStrategy', 'replication_factor': '3'}",
            true,
        ),
    ] {
        let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        replicate(&mut target, now);
        let mut request = request(&source, &target);
        assert_eq!(codes(&request), [] as [&str; 0], "{now}");
        let online = plan::plan_restore(&request);
        let by_ranges = online.nodes.iter().any(|node| !node.shares.is_empty());
        assert_eq!(by_ranges, differs, "{now}");
        request.options.mode = RequestedMode::InPlace;
        let expected = ["Refusal KEYSPACE_REPLICATION_MISMATCH shop"];
        assert_eq!(codes(&request), expected[..usize::from(differs)], "{now}");
    }
}

#[test]
fn datacenters_that_no_node_of_the_backup_is_in_hold_nothing_and_are_left_out() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    replicate(
        &mut source,
        "{'class': 'NetworkTopologyStrategy', 'dc1': '3', 'dc9': '3'}",
    );
    let plan = plan::plan_restore(&request(&source, &empty("cassandra 4.1.9")));
    assert!(plan.supported);
    assert_eq!(plan.findings[0].code, "REPLICATION_ADJUSTED");
    let made = plan.steps.iter().flat_map(|step| &step.cql).next();
    assert_eq!(
        made.map(String::as_str),
        Some(
            "CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}"
        )
    );
}

#[test]
fn a_type_that_differs_is_refused_and_one_that_is_only_written_otherwise_is_not() {
    for (now, refused) in [
        ("CREATE TYPE shop.money (\n  amount decimal\n)", false),
        // Fields that were added later read as nothing in older rows.
        (
            "CREATE TYPE shop.money (amount decimal, currency text)",
            false,
        ),
        ("CREATE TYPE shop.money (amount varint)", true),
        ("CREATE TYPE shop.money (sum decimal)", true),
    ] {
        let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        let was = "CREATE TYPE shop.money (amount decimal)";
        source.entry(SchemaKind::Type, "shop.money", "", &[was]);
        target.entry(SchemaKind::Type, "shop.money", "", &[now]);
        let expected = ["Refusal TYPE_DIFFERS shop.money"];
        assert_eq!(
            codes(&request(&source, &target)),
            expected[..usize::from(refused)],
            "{now}"
        );
    }
}

#[test]
fn a_function_counts_only_with_its_whole_keyspace() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let function = |body: &str| {
        format!(
            "CREATE FUNCTION shop.f(a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ {body}; $$"
        )
    };
    source.entry(
        SchemaKind::Function,
        "shop.f(int)",
        "",
        &[&function("return a")],
    );
    target.entry(
        SchemaKind::Function,
        "shop.f(int)",
        "",
        &[&function("return a + 1")],
    );
    let mut request = request(&source, &target);
    assert_eq!(codes(&request), ["Refusal TYPE_DIFFERS shop.f(int)"]);
    request.options.selection = selection(&[], &["shop.orders"]);
    assert_eq!(codes(&request), [] as [&str; 0]);
}

#[test]
fn a_name_that_something_else_has_is_refused() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.index("shop.by_c", "orders");
    target.index("shop.by_c", "Metrics_2");
    target.entries.retain(|entry| entry.name != "orders");
    target.tables.retain(|table| table.table.table != "orders");
    target.view("shop.orders", 4, "Metrics_2");
    let said = codes(&request(&source, &target));
    assert_eq!(
        said[..2],
        [
            "Refusal NAME_TAKEN shop.orders",
            "Refusal NAME_TAKEN shop.by_c"
        ]
    );
}

#[test]
fn a_custom_compaction_class_must_be_in_use_on_the_target() {
    let options = "compaction = {'class': 'com.example.TurboCompaction'}";
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x10);
    source
        .keyspace("shop")
        .table_with("shop.orders", 1, "id int PRIMARY KEY", options);
    let (_, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    assert_eq!(
        codes(&request(&source, &target))[0],
        "Refusal CUSTOM_COMPACTION_MISSING shop.orders"
    );
    target.tables[1].compaction_class = "com.example.TurboCompaction".into();
    assert!(plan::plan_restore(&request(&source, &target)).supported);
}

#[test]
fn a_compaction_class_that_the_target_no_longer_brings_is_refused() {
    let options =
        "compaction = {'class': 'org.apache.cassandra.db.compaction.DateTieredCompactionStrategy'}";
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x10);
    source
        .keyspace("shop")
        .table_with("shop.orders", 1, "id int PRIMARY KEY", options);
    assert!(plan::plan_restore(&request(&source, &empty("cassandra 4.1.9"))).supported);
    assert_eq!(
        codes(&request(&source, &empty("cassandra 5.0.5")))[0],
        "Refusal CUSTOM_COMPACTION_MISSING shop.orders"
    );
}

#[test]
fn an_index_that_differs_on_a_table_that_stays_is_made_as_it_was() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entry(
        SchemaKind::Index,
        "shop.by_c",
        "orders",
        &["CREATE INDEX by_c ON shop.orders (c)"],
    );
    target.entry(
        SchemaKind::Index,
        "shop.by_c",
        "orders",
        &["CREATE INDEX by_c ON shop.orders (id)"],
    );
    target.entry(
        SchemaKind::Index,
        "shop.later",
        "orders",
        &["CREATE INDEX later ON shop.orders (c)"],
    );
    let plan = plan::plan_restore(&request(&source, &target));
    let of_the_trial =
        |step: &&plan::PlanStep| matches!(step.kind, StepKind::TrialSchema | StepKind::TrialDrop);
    let cql: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| !of_the_trial(step))
        .flat_map(|step| &step.cql)
        .map(String::as_str)
        .collect();
    assert_eq!(
        cql,
        [
            "DROP INDEX IF EXISTS shop.by_c",
            "CREATE INDEX IF NOT EXISTS by_c ON shop.orders (c)",
            "TRUNCATE TABLE shop.\"Metrics_2\"",
            "TRUNCATE TABLE shop.orders",
            "DROP INDEX IF EXISTS shop.by_c",
            "CREATE INDEX IF NOT EXISTS by_c ON shop.orders (c)",
        ]
    );
}

/// A backup with a keyspace that has no tables, only a type and a function.
fn with_words() -> Side {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let price = "CREATE TYPE words.price (amount decimal, currency text)";
    let function =
        "CREATE FUNCTION words.one() CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return 1;'";
    source
        .keyspace("words")
        .entry(SchemaKind::Type, "words.price", "", &[price])
        .entry(SchemaKind::Function, "words.one()", "", &[function]);
    source
}

/// The steps with the beginnings of their statements.
fn steps_of(request: &RestoreRequest) -> Vec<(String, Vec<String>)> {
    let plan = plan_restore(request);
    assert!(plan.supported, "{:?}", plan.findings);
    let head = |cql: &String| {
        let end = cql.find(" (").unwrap_or(cql.len()).min(38);
        cql[..end].to_owned()
    };
    let steps = plan.steps.iter();
    steps
        .map(|step| (step.kind.to_string(), step.cql.iter().map(head).collect()))
        .collect()
}

#[test]
fn a_keyspace_without_tables_is_made_with_its_types_and_functions() {
    let source = with_words();
    let made = [
        "CREATE KEYSPACE IF NOT EXISTS words WI",
        "CREATE TYPE IF NOT EXISTS words.price",
        "CREATE FUNCTION IF NOT EXISTS words.on",
    ];
    // With everything else, and alone, in either mode: then no node has anything to do.
    let (_, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let with_all = steps_of(&request(&source, &target));
    let schema = with_all.iter().find(|(kind, _)| kind == "schema");
    assert_eq!(
        schema.map(|(_, cql)| cql.as_slice()),
        Some(&made.map(String::from)[..])
    );
    for mode in [RequestedMode::Online, RequestedMode::InPlace] {
        let mut alone = request(&source, &target);
        alone.options.selection = selection(&["words"], &[]);
        alone.options.mode = mode;
        let steps = steps_of(&alone);
        let kinds: Vec<&str> = steps.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["pin", "check", "schema", "unpin"], "{mode:?}");
        assert_eq!(steps[2].1, made);
    }
    // What is there already stays.
    let mut there = request(&source, &source);
    there.options.selection = selection(&["words"], &[]);
    let kinds: Vec<String> = steps_of(&there).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["pin", "check", "unpin"]);
}
