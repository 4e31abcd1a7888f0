use expect_test::{Expect, expect};
use model::Selection;
use model::manifest::BackupKind;
use plan::{BackupRequest, plan_backup, render};

use crate::world::*;

fn backup_of(side: &Side, wanted: Selection) -> BackupRequest {
    BackupRequest {
        backup: backup_ref(),
        kind: BackupKind::Full,
        nodes: side.describe(),
        unreachable: Vec::new(),
        selection: wanted,
        completeness: Default::default(),
        schema: Default::default(),
    }
}

#[track_caller]
fn check(request: &BackupRequest, expected: Expect) {
    let plan = plan_backup(request);
    // People are shown the findings of a backup's plan; its steps are data.
    let steps = plan.steps.iter();
    let steps = steps.map(|step| format!("{} < {}\n", step.id, step.after.join(" ")));
    expected.assert_eq(&format!(
        "{}supported: {}\n{}",
        render::findings(&plan.findings, &render::plain),
        plan.supported,
        steps.collect::<String>(),
    ));
}

#[test]
fn a_backup_takes_the_snapshots_of_all_nodes_before_it_uploads() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    source.table("system_auth.roles", 4, "role text PRIMARY KEY");
    check(
        &backup_of(&source, Selection::default()),
        expect![[r#"
            supported: true
            begin < 
            snapshot-10.0.0.1 < begin
            snapshot-10.0.0.2 < begin
            snapshot-10.0.0.3 < begin
            barrier-snapshot < snapshot-10.0.0.1 snapshot-10.0.0.2 snapshot-10.0.0.3
            capture < barrier-snapshot
            upload-10.0.0.1 < barrier-snapshot
            upload-10.0.0.2 < barrier-snapshot
            upload-10.0.0.3 < barrier-snapshot
            commit < capture upload-10.0.0.1 upload-10.0.0.2 upload-10.0.0.3
            clear-10.0.0.1 < commit
            clear-10.0.0.2 < commit
            clear-10.0.0.3 < commit
        "#]],
    );
}

#[test]
fn a_backup_says_all_reasons_at_once() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    let wanted = selection(&["blog", "system_auth"], &["shop.nothing", "shop.v"]);
    let mut request = backup_of(&source, wanted);
    request.nodes[0].release = release("cassandra 4.0.17");
    request.nodes[1].unhealthy = "CQL does not reply".into();
    request.nodes[2]
        .schema_versions
        .push("00000000-0000-0000-0000-0000000000bb".into());
    check(
        &request,
        expect![[r#"
            refusals (6)
              NODE_UNHEALTHY 10.0.0.2 (before)
                  the node 10.0.0.2 is not healthy: CQL does not reply
                  hint: bring the node back; a backup can go without it: --completeness quorum
              SCHEMA_DISAGREEMENT prod (before)
                  the nodes do not agree on the schema: 00000000-0000-0000-0000-0000000000aa seen by 10.0.0.1, 10.0.0.3; 00000000-0000-0000-0000-0000000000bb seen by 10.0.0.3
                  hint: wait until `nodetool describecluster` shows one version, and plan again
              KEYSPACE_NOT_FOUND blog (before)
                  the cluster has no keyspace blog of its own
              KEYSPACE_NOT_FOUND system_auth (before)
                  the cluster has no keyspace system_auth of its own
                  hint: it belongs to the product, and is never part of a backup
              TABLE_NOT_FOUND shop.nothing (before)
                  the cluster has no table shop.nothing
                  hint: names are as Cassandra stores them: case counts, and there are no quotes
              VIEW_NEEDS_BASE shop.v (before)
                  shop.v is a view of shop.orders, which is not selected
                  hint: select shop.orders too

            warnings (1)
              MIXED_VERSIONS prod (before)
                  the nodes run different releases: cassandra 4.0.17 on 10.0.0.1, cassandra 4.1.9 on 10.0.0.2, 10.0.0.3
                  hint: finish the upgrade first
            supported: false
        "#]],
    );
}

#[test]
fn a_cluster_without_tables_has_nothing_to_back_up() {
    let request = backup_of(&empty("cassandra 4.1.9"), Selection::default());
    check(
        &request,
        expect![[r#"
            refusals (1)
              NOTHING_TO_BACK_UP prod (before)
                  the cluster has no keyspaces of its own
            supported: false
        "#]],
    );
}

#[test]
fn a_keyspace_without_tables_is_backed_up_for_what_its_schema_has() {
    let mut source = empty("cassandra 4.1.9");
    source.keyspace("types");
    for wanted in [selection(&["types"], &[]), Selection::default()] {
        let mut request = backup_of(&source, wanted);
        request.schema.entries = source.entries.clone();
        let plan = plan_backup(&request);
        assert!(plan.supported, "{:?}", plan.findings);
    }
    let mut request = backup_of(&source, selection(&["system_auth"], &[]));
    request.schema.entries = source.entries.clone();
    assert!(!plan_backup(&request).supported);
}
