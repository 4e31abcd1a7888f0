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
    }
}

#[track_caller]
fn check(request: &BackupRequest, expected: Expect) {
    let name = request.backup.to_string();
    expected.assert_eq(&render::backup_plan(&name, &plan_backup(request)));
}

#[test]
fn a_backup_takes_the_tables_of_the_user() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    source.table("system_auth.roles", 4, "role text PRIMARY KEY");
    check(
        &backup_of(&source, Selection::default()),
        expect![[r#"
        backup prod/nightly-1: can be done

        tables
          shop.Metrics_2
          shop.orders
          shop.v
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
    request.nodes[1].unhealthy = "CQL does not answer".into();
    request.nodes[2]
        .schema_versions
        .push("00000000-0000-0000-0000-0000000000bb".into());
    check(
        &request,
        expect![[r#"
            backup prod/nightly-1: REFUSED

            findings
              refusal  NODE_UNHEALTHY (before): the node 10.0.0.2 is not healthy: CQL does not answer
              refusal  SCHEMA_DISAGREEMENT (before): the nodes do not agree on the schema: 00000000-0000-0000-0000-0000000000aa seen by 10.0.0.1, 10.0.0.2, 10.0.0.3; 00000000-0000-0000-0000-0000000000bb seen by 10.0.0.3
                       wait until `nodetool describecluster` shows one version, and plan again
              refusal  KEYSPACE_NOT_FOUND (before): the cluster has no keyspace blog with tables of its own
              refusal  KEYSPACE_NOT_FOUND (before): the cluster has no keyspace system_auth with tables of its own
                       it belongs to the product, and is never part of a backup
              refusal  TABLE_NOT_FOUND (before): the cluster has no table shop.nothing
                       names are as Cassandra stores them: case counts, and there are no quotes
              refusal  VIEW_NEEDS_BASE (before): shop.v is a view of shop.orders, which is not selected
                       select shop.orders too
              warning  MIXED_VERSIONS (before): the nodes run different releases: cassandra 4.0.17 on 10.0.0.1, cassandra 4.1.9 on 10.0.0.2, 10.0.0.3
                       finish the upgrade first

            tables
              shop.v
        "#]],
    );
}

#[test]
fn a_cluster_without_tables_has_nothing_to_back_up() {
    let request = backup_of(&empty("cassandra 4.1.9"), Selection::default());
    check(
        &request,
        expect![[r#"
        backup prod/nightly-1: REFUSED

        findings
          refusal  NOTHING_TO_BACK_UP (before): the cluster has no tables of its own
    "#]],
    );
}
