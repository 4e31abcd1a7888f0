//! Of the schema of the backup, and of what the target's was made into since.

use model::{AgentRole, SchemaKind};
use plan::RestoreRequest;

use super::{Case, said};
use crate::world::*;

/// The same shop on both sides, with one change to both.
fn with(change: fn(&mut Side, &mut Side)) -> RestoreRequest {
    onto("cassandra 4.1.9", "cassandra 4.1.9", change)
}

fn onto(source: &str, target: &str, change: fn(&mut Side, &mut Side)) -> RestoreRequest {
    let (mut source, mut target) = shop(source, target);
    change(&mut source, &mut target);
    request(&source, &target)
}

/// The target's `shop.orders` has these columns now.
fn columns(now: &str) -> RestoreRequest {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.redefine(
        SchemaKind::Table,
        "shop.orders",
        &format!("CREATE TABLE shop.orders ({now})"),
    );
    request(&source, &target)
}

/// Masks onto HCD, which has none.
fn masked(rewrite_schema: bool) -> RestoreRequest {
    let (mut source, _) = shop("cassandra 5.0.5", "cassandra 5.0.5");
    source.table(
        "shop.people",
        7,
        "id int PRIMARY KEY, c text MASKED WITH DEFAULT",
    );
    let mut request = request(&source, &empty("hcd 1.2.3"));
    request.options.rewrite_schema = rewrite_schema;
    request
}

fn views_off() -> RestoreRequest {
    let mut request = with(|source, _| {
        source.view("shop.by_c", 3, "orders");
    });
    request.nodes[0].features.materialized_views = Some(false);
    request
}

/// An ordinary role that may nothing, and a setting, on every node.
fn held(request: RestoreRequest, setting: &str, value: &str) -> RestoreRequest {
    let mut request = request;
    for node in &mut request.nodes {
        node.setup.role = Some(AgentRole {
            name: "rk".into(),
            superuser: Some(false),
            grants: Some(Vec::new()),
            unreadable: Vec::new(),
        });
        node.setup.settings.insert(setting.into(), value.into());
    }
    request
}

pub fn cases() -> Vec<Case> {
    let custom = "CREATE CUSTOM INDEX fuzzy ON shop.orders (c) USING 'com.example.FuzzyIndex'";
    let indexed = {
        let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        source.entry(SchemaKind::Index, "shop.fuzzy", "orders", &[custom]);
        request(&source, &target)
    };
    let requests = [
        (
            "TYPE_DIFFERS",
            with(|source, target| {
                source.entry(
                    SchemaKind::Type,
                    "shop.t",
                    "",
                    &["CREATE TYPE shop.t (a int)"],
                );
                target.entry(
                    SchemaKind::Type,
                    "shop.t",
                    "",
                    &["CREATE TYPE shop.t (a text)"],
                );
            }),
        ),
        (
            "NAME_TAKEN",
            with(|source, target| {
                source.index("shop.by_c", "orders");
                target.index("shop.by_c", "Metrics_2");
            }),
        ),
        (
            "CUSTOM_COMPACTION_MISSING",
            with(|source, _| {
                let turbo = "compaction = {'class': 'com.example.TurboCompaction'}";
                source.table_with("shop.fast", 4, "id int PRIMARY KEY", turbo);
            }),
        ),
        (
            "DURABLE_WRITES_DIFFER",
            with(|_, target| {
                let cql = "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = false";
                target.redefine(SchemaKind::Keyspace, "shop", cql);
            }),
        ),
        ("CUSTOM_INDEX_MISSING", indexed),
        (
            "SCHEMA_NOT_UNDERSTOOD",
            with(|source, _| {
                source.entry(
                    SchemaKind::Type,
                    "shop.odd",
                    "",
                    &["CREATE TYPE shop.odd OF CHEESE"],
                );
            }),
        ),
        (
            "FEATURE_UNSUPPORTED",
            onto("cassandra 5.0.5", "cassandra 4.1.9", |source, _| {
                source.table("shop.near", 4, "id int PRIMARY KEY, v vector<float, 3>");
            }),
        ),
        ("SETTING_DISABLED", views_off()),
        (
            "GUARDRAIL_REFUSES",
            held(with(|_, _| ()), "drop_truncate_table_enabled", "false"),
        ),
        (
            "MEMTABLE_MISSING",
            held(
                with(|source, _| {
                    let trie = "memtable = 'trie'";
                    source.table_with("shop.hot", 4, "id int PRIMARY KEY", trie);
                }),
                "memtable.configurations",
                "[default]",
            ),
        ),
        (
            "KEYSPACE_LEFT_OUT",
            with(|source, _| {
                let gone = "CREATE KEYSPACE z WITH replication = {'class': 'NetworkTopologyStrategy', 'DC9': '3'}";
                source.entry(SchemaKind::Keyspace, "z", "", &[gone]).table(
                    "z.t",
                    5,
                    "id int PRIMARY KEY",
                );
            }),
        ),
        ("GRANT_MISSING", held(with(|_, _| ()), "a", "b")),
        ("TRIAL_SKIPPED", held(with(|_, _| ()), "a", "b")),
        (
            "AUTO_SNAPSHOT_OFF",
            held(with(|_, _| ()), "auto_snapshot", "false"),
        ),
        ("AUTO_SNAPSHOTS_LEFT", with(|_, _| ())),
        (
            "DSE_FEATURE_UNSUPPORTED",
            onto("dse 6.8.50", "hcd 1.2.3", |source, _| {
                let nodesync = "nodesync = {'enabled': 'true'}";
                source.table_with("shop.synced", 4, "id int PRIMARY KEY", nodesync);
            }),
        ),
        ("SCHEMA_REWRITTEN", masked(true)),
        ("SCHEMA_REWRITE_OFFERED", masked(false)),
        (
            "SCHEMA_COLUMN_LOST",
            columns("id int PRIMARY KEY, c text, paid boolean"),
        ),
        (
            "SCHEMA_FORWARD",
            columns("id int PRIMARY KEY, c text, paid boolean"),
        ),
        ("SCHEMA_COLUMN_REAPPEARS", columns("id int PRIMARY KEY")),
        ("SCHEMA_TYPE_REVERTS", columns("id int PRIMARY KEY, c blob")),
        ("SCHEMA_REVERTS", columns("id int PRIMARY KEY")),
        (
            "TABLE_NOT_IN_BACKUP",
            with(|_, target| {
                target.table("shop.baskets", 9, "id int PRIMARY KEY");
            }),
        ),
        (
            "MATERIALIZED_VIEW_REBUILD",
            with(|source, _| {
                source.view("shop.by_c", 3, "orders");
            }),
        ),
        (
            "SEARCH_REINDEX",
            onto("dse 6.8.50", "dse 6.8.50", |source, _| {
                let search = "CREATE CUSTOM INDEX by_c ON shop.orders () USING 'com.datastax.bdp.search.solr.Cql3SolrSecondaryIndex'";
                source.entry(SchemaKind::Index, "shop.by_c", "orders", &[search]);
            }),
        ),
        (
            "INDEX_REBUILD",
            with(|source, _| {
                source.index("shop.by_c", "orders");
            }),
        ),
    ];
    requests
        .map(|(code, request)| (code, said(&request)))
        .into()
}
