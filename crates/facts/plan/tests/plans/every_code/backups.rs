//! Of what was asked for, and of what the backup has.

use model::manifest::{BackupKind, KeptDamage};
use model::{Finding, Selection};
use plan::{
    BackupRequest, Completeness, RequestedMode, RestoreOptions, RestoreRequest, plan_backup,
};

use super::{Case, said};
use crate::world::*;

fn selecting(keyspaces: &[&str], tables: &[&str]) -> RestoreRequest {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.by_c", 3, "orders").keyspace("blog");
    RestoreRequest {
        options: RestoreOptions {
            selection: selection(keyspaces, tables),
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    }
}

fn nothing_to_back_up() -> Vec<Finding> {
    let request = BackupRequest {
        backup: backup_ref(),
        kind: BackupKind::Full,
        nodes: empty("cassandra 4.1.9").describe(),
        unreachable: Vec::new(),
        selection: Selection::default(),
        completeness: Default::default(),
        schema: Default::default(),
    };
    plan_backup(&request).findings
}

/// As a node of DSE describes a table of tiered storage.
fn tiered() -> Vec<Finding> {
    let (source, _) = shop("dse 6.8.50", "dse 6.8.50");
    let mut nodes = source.describe();
    let class = "org.apache.cassandra.db.compaction.TieredCompactionStrategy";
    nodes[0].tables[0].compaction_class = class.to_owned();
    let request = BackupRequest {
        backup: backup_ref(),
        kind: BackupKind::Full,
        nodes,
        unreachable: Vec::new(),
        selection: Selection::default(),
        completeness: Default::default(),
        schema: Default::default(),
    };
    let plan = plan_backup(&request);
    assert!(plan.supported, "{:?}", plan.findings);
    plan.findings
}

fn damaged() -> RestoreRequest {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.backup.nodes[0].damaged_sstables = 1;
    request.backup.nodes[0].damaged = vec![KeptDamage {
        keyspace: "shop".into(),
        table: "orders".into(),
        index: None,
        sstable: "nb-1-big".into(),
        component: "Data.db".into(),
        offset: None,
        what: "the checksum differs".into(),
    }];
    request
}

/// Of an object of one table.
pub fn lacking(table: &str) -> RestoreRequest {
    let mut request = selecting(&[], &[]);
    request.missing = Some(vec![model::Damage {
        node: "00000000-0000-0000-0000-000000000011".into(),
        keyspace: "shop".into(),
        table: table.into(),
        sstable: "nb-1-big".into(),
        component: "Data.db".into(),
        object: "clusters/prod/nightly-1/nb-1-big-Data.db".into(),
        offset: None,
        what: "it is missing".into(),
    }]);
    request
}

fn without_a_node(completeness: Completeness) -> RestoreRequest {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.backup.nodes.pop();
    RestoreRequest {
        options: RestoreOptions {
            completeness,
            ..RestoreOptions::default()
        },
        ..request
    }
}

/// The schema of a backup has every keyspace, also those that were not selected when it was made.
fn not_backed_up() -> RestoreRequest {
    let mut request = selecting(&["blog"], &[]);
    request.backup.selection = selection(&["shop"], &[]);
    request
}

fn apart() -> RestoreRequest {
    let mut request = selecting(&[], &[]);
    request.backup.snapshot_spread_ms = 310_000;
    request
}

pub fn cases() -> Vec<Case> {
    let whole = selecting(&[], &[]);
    let in_place = RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..selecting(&[], &[])
    };
    vec![
        ("KEYSPACE_NOT_FOUND", said(&selecting(&["nothing"], &[]))),
        ("TABLE_NOT_FOUND", said(&selecting(&[], &["shop.nothing"]))),
        ("VIEW_NEEDS_BASE", said(&selecting(&[], &["shop.by_c"]))),
        ("NOTHING_SELECTED", said(&not_backed_up())),
        ("NOTHING_TO_BACK_UP", nothing_to_back_up()),
        (
            "BACKUP_INCOMPLETE",
            said(&without_a_node(Completeness::All)),
        ),
        (
            "COVERAGE_REDUCED",
            said(&without_a_node(Completeness::Quorum)),
        ),
        ("TIERED_STORAGE", tiered()),
        ("BACKUP_DAMAGED", said(&damaged())),
        ("OBJECTS_MISSING", said(&lacking("orders"))),
        ("BACKUP_UNVERIFIED", said(&whole)),
        ("AUTH_NOT_INCLUDED", said(&whole)),
        ("DATA_TO_VERIFY", said(&whole)),
        ("CONNECTIONS_STAY", said(&whole)),
        ("SNAPSHOTS_APART", said(&apart())),
        ("REPAIR_ADVISED", said(&whole)),
        ("OLD_FILES_KEPT", said(&in_place)),
    ]
}
