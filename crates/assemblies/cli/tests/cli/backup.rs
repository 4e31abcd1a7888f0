//! `ringkeep backup …`

use api::ErrorKind;
use api::pb::storage_catalog as catalog_pb;
use api::pb::task_runner::TaskState;
use api::pb::types::{HeldReplicas, MissingNode, Severity};
use expect_test::expect;

use crate::fake::{Fake, FakeError, Then};
use crate::run::{Person, ringkeep, ringkeep_with};
use crate::samples;

#[tokio::test]
async fn create_answers_with_the_task_and_how_to_watch_it() {
    let fake = Fake::default().serve().await;
    let args = [
        "backup",
        "create",
        "prod",
        "--kind",
        "differential",
        "--table",
        "shop.orders",
    ];
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        exit 0
        --- stdout
        task 0192f000-0000-7000-8000-000000000001 makes backup prod/nightly
        --- stderr
        watch it with `ringkeep task watch 0192f000-0000-7000-8000-000000000001`
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    expect![[r#"CreateBackupRequest { cluster: "prod", name: "", kind: Differential, selection: Some(Selection { keyspaces: [], tables: [TableRef { keyspace: "shop", table: "orders" }] }), base: "", keep_damaged: false, completeness: All, queue: None, reupload: false }"#]].assert_eq(&fake.asked().join("\n"));
}

#[tokio::test]
async fn create_and_wait_shows_progress_then_the_backup() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "create", "prod", "--wait"]).await;
    expect![[r#"
        exit 0
        --- stdout
        backup    prod/nightly
        kind      full
        state     complete
        started   2026-11-22T10:00:00Z
        finished  2026-11-22T10:05:30Z
        release   cassandra 5.0.5
        nodes     1 (the whole ring)
        size      3.0 GiB in 12 SSTables, 256.0 MiB uploaded, 768.0 MiB copied inside the store
        spread    180 ms between the first and the last snapshot

        advice (1)
          REPAIR_ADVISED 127.0.0.2 (after)
              what REPAIR_ADVISED means here
              hint: what to do about REPAIR_ADVISED
        --- stderr
        task 0192f000-0000-7000-8000-000000000001 makes backup prod/nightly
        snapshot on 127.0.0.2: succeeded
        upload on 127.0.0.2: running
        backup: running, 62 %, 1.0 MiB of 4.0 MiB, 1m 35s left; upload on 127.0.0.2: shop.orders
        upload on 127.0.0.2: succeeded
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn create_answers_json_with_the_same_keys_waited_or_not() {
    let fake = Fake::default().serve().await;
    let keys = |ran: &crate::run::Ran| -> Vec<String> {
        ran.json()
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let started = ringkeep(&fake.endpoint, &["backup", "create", "prod", "-o", "json"]).await;
    let waited = ringkeep(
        &fake.endpoint,
        &["backup", "create", "prod", "-o", "json", "--wait"],
    )
    .await;
    assert_eq!(keys(&started), keys(&waited));
    assert_eq!(started.json()["task_id"], samples::TASK_ID);
    assert_eq!(started.json()["backup"], "nightly");
    assert!(started.json()["result"].is_null());
    assert_eq!(waited.json()["result"]["state"], "complete");
    assert_eq!(waited.json()["task"]["state"], "succeeded");
}

#[tokio::test]
async fn a_refused_backup_shows_its_findings_and_exits_with_3() {
    let fake = Fake {
        backup_findings: vec![samples::finding("AGENT_UNREACHABLE", Severity::Refusal)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "create", "prod", "--wait"]).await;
    expect![[r#"
        exit 3
        --- stdout
        refusals (1)
          AGENT_UNREACHABLE 127.0.0.2 (before)
              what AGENT_UNREACHABLE means here
              hint: what to do about AGENT_UNREACHABLE
        --- stderr
        error: the planner refuses this backup: AGENT_UNREACHABLE
        hint: nothing was touched; each refusal above says what would lift it
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["backup", "create", "prod", "-o", "json"]).await;
    assert_eq!(ran.exit, 3);
    assert!(ran.json()["task_id"].is_null());
    assert_eq!(ran.json()["findings"][0]["severity"], "refusal");
}

#[tokio::test]
async fn a_backup_that_fails_while_waited_for_exits_with_1() {
    let fake = Fake {
        watches: vec![(vec![samples::task(TaskState::Failed)], Then::End)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &["backup", "create", "prod", "--wait", "--quiet"],
    )
    .await;
    expect![[r#"
        exit 1
        --- stdout
        task 0192f000-0000-7000-8000-000000000001 failed
        --- stderr
        error: task 0192f000-0000-7000-8000-000000000001 failed: the upload of 127.0.0.2 failed: the disk is full
        hint: `ringkeep task show 0192f000-0000-7000-8000-000000000001` shows which step failed
        hint: `ringkeep task resume 0192f000-0000-7000-8000-000000000001` goes on from there once the cause is gone
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn list_is_a_table_or_an_array() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "list", "prod"]).await;
    expect![[r#"
        exit 0
        --- stdout
        CLUSTER  NAME     KIND          STATE     STARTED               NODES     SIZE   UPLOADED  BASE
        prod     hourly   differential  failed    2026-11-22T11:00:00Z      0      0 B        0 B  nightly
        prod     nightly  full          complete  2026-11-22T10:00:00Z      1  3.0 GiB  256.0 MiB  -
        prod/hourly: node 127.0.0.2 went away
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["backup", "list", "--output", "json"]).await;
    expect![[r#"
        [
          {
            "name": "hourly",
            "cluster": "prod",
            "kind": "differential",
            "base": "nightly",
            "state": "failed",
            "started_at": "2026-11-22T11:00:00.000Z",
            "finished_at": null,
            "product": null,
            "version": null,
            "node_count": 0,
            "ring_node_count": 0,
            "bytes": 0,
            "uploaded_bytes": 0,
            "copied_bytes": 0,
            "sstables": 0,
            "damaged_sstables": 0,
            "damage_found": 0,
            "pins": [],
            "detail": "node 127.0.0.2 went away"
          },
          {
            "name": "nightly",
            "cluster": "prod",
            "kind": "full",
            "base": null,
            "state": "complete",
            "started_at": "2026-11-22T10:00:00.000Z",
            "finished_at": "2026-11-22T10:05:30.250Z",
            "product": "cassandra",
            "version": "5.0.5",
            "node_count": 1,
            "ring_node_count": 1,
            "bytes": 3221225472,
            "uploaded_bytes": 1073741824,
            "copied_bytes": 805306368,
            "sstables": 12,
            "damaged_sstables": 0,
            "damage_found": 0,
            "pins": [],
            "detail": null
          }
        ]
    "#]]
    .assert_eq(&ran.out);
}

#[tokio::test]
async fn an_empty_list_is_an_empty_array_and_says_so_to_people() {
    let fake = Fake {
        backups: Vec::new(),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &["backup", "list", "--output", "json", "-q"],
    )
    .await;
    assert_eq!(
        (ran.exit, ran.out.as_str(), ran.err.as_str()),
        (0, "[]\n", "")
    );
    let ran = ringkeep(&fake.endpoint, &["backup", "list"]).await;
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("backup create"), "{}", ran.err);
}

#[tokio::test]
async fn show_has_every_key_of_the_contract() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &["backup", "show", "prod/nightly", "-o", "json"],
    )
    .await;
    expect![[r#"
        exit 0
        --- stdout
        {
          "name": "nightly",
          "cluster": "prod",
          "kind": "full",
          "base": null,
          "state": "complete",
          "started_at": "2026-11-22T10:00:00.000Z",
          "finished_at": "2026-11-22T10:05:30.250Z",
          "product": "cassandra",
          "version": "5.0.5",
          "node_count": 1,
          "ring_node_count": 1,
          "bytes": 3221225472,
          "uploaded_bytes": 1073741824,
          "copied_bytes": 805306368,
          "sstables": 12,
          "damaged_sstables": 0,
          "damage_found": 0,
          "pins": [],
          "detail": null,
          "cluster_name": "Test Cluster",
          "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
          "nodes": [
            {
              "node": "127.0.0.2",
              "host_id": "aaaaaaaa-0000-4000-8000-000000000001",
              "datacenter": "dc1",
              "rack": "r1",
              "tokens": [
                "-42",
                "7"
              ],
              "bytes": 3221225472,
              "uploaded_bytes": 1073741824,
              "copied_bytes": 805306368,
              "sstables": 12,
              "snapshot_taken_at": "2026-11-22T10:00:01.000Z",
              "manifest": "ringkeep/1/nodes/prod/nightly/aaaaaaaa-0000-4000-8000-000000000001.json",
              "damaged_sstables": 0,
              "damaged": []
            }
          ],
          "tables": [
            {
              "keyspace": "shop",
              "table": "orders",
              "id": "bbbbbbbb-0000-4000-8000-000000000001",
              "bytes": 3221225472,
              "sstables": 12,
              "formats": [
                "big-nb",
                "big-oa"
              ]
            }
          ],
          "snapshot_spread_ms": 180,
          "coverage": {
            "ring_nodes": 1,
            "backed_up_nodes": 1,
            "complete": true
          },
          "missing": [],
          "held": []
        }
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn show_is_readable() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "show", "nightly"]).await;
    expect![[r#"
        exit 0
        --- stdout
        backup    prod/nightly
        kind      full
        state     complete
        started   2026-11-22T10:00:00Z
        finished  2026-11-22T10:05:30Z
        release   cassandra 5.0.5
        nodes     1 (the whole ring)
        size      3.0 GiB in 12 SSTables, 256.0 MiB uploaded, 768.0 MiB copied inside the store
        spread    180 ms between the first and the last snapshot

        NODE       DATACENTER  RACK  TOKENS     SIZE   UPLOADED     COPIED  SSTABLES  HOST ID
        127.0.0.2  dc1         r1         2  3.0 GiB  256.0 MiB  768.0 MiB        12  aaaaaaaa-0000-4000-8000-000000000001

        TABLE           SIZE  SSTABLES  FORMATS
        shop.orders  3.0 GiB        12  big-nb, big-oa
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    expect![[r#"GetBackupRequest { backup: Some(BackupRef { cluster: "", name: "nightly" }) }"#]]
        .assert_eq(&fake.asked().join("\n"));
}

#[tokio::test]
async fn show_names_snapshots_that_are_far_apart() {
    let fake = Fake {
        backup: catalog_pb::Backup {
            snapshot_spread_ms: 310_000,
            ..samples::backup()
        },
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "show", "nightly"]).await;
    let mut lines = ran
        .out
        .lines()
        .skip_while(|line| !line.starts_with("spread"));
    assert_eq!(
        [lines.next(), lines.next()],
        [
            Some("spread    310.0 s between the first and the last snapshot"),
            Some(
                "apart     the first and the last node's snapshot are 5m 10s apart: rows that were written together in that time may be in the backup one without the other"
            ),
        ]
    );
}

/// A verification that finds this.
fn verifying(damage: Vec<catalog_pb::Damage>) -> Fake {
    let ended = samples::verification(Some(samples::report(damage)));
    Fake {
        watches: vec![(vec![samples::verification(None), ended], Then::End)],
        ..Fake::default()
    }
}

fn damaged() -> Fake {
    verifying(vec![
        catalog_pb::Damage {
            node: samples::HOST_ID.into(),
            keyspace: "shop".into(),
            table: "orders".into(),
            sstable: "nb-12-big".into(),
            component: "Data.db".into(),
            object: "ringkeep/1/data/prod/nightly/x/nb-12-big-Data.db".into(),
            offset: Some(65536),
            what: "chunk 1 has CRC32 00, expected 11".into(),
        },
        catalog_pb::Damage {
            node: samples::HOST_ID.into(),
            object: "ringkeep/1/nodes/prod/nightly/x.json".into(),
            what: "is missing".into(),
            ..catalog_pb::Damage::default()
        },
    ])
}

#[tokio::test]
async fn a_sample_is_asked_for_and_says_how_far_the_parts_are() {
    let mut report = samples::report(Vec::new());
    report.sample = Some(catalog_pb::Sample {
        part: 38,
        parts: 100,
        parts_read: Some(38),
        parts_clean: Some(37),
    });
    let fake = Fake {
        watches: vec![(vec![samples::verification(Some(report))], Then::End)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let verify = ["backup", "verify", "nightly", "--sample", "1%", "-q"];
    let ran = ringkeep(&fake.endpoint, &verify).await;
    expect![[r#"
        exit 0
        --- stdout
        part 38 of 100 of backup prod/nightly is good: 96 objects checked at level objects, 3.0 GiB of data
        38 of 100 parts were read so far, 37 of them were clean
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    assert!(fake.asked()[0].contains("sample_parts: 100"));

    let of_nothing = [
        "backup", "verify", "b", "--level", "manifest", "--sample", "1%",
    ];
    let ran = ringkeep(&fake.endpoint, &of_nothing).await;
    expect![[r#"
        exit 2
        --- stdout
        --- stderr
        error: `--level manifest` reads no SSTables, so there are no parts to choose from
        hint: leave out `--sample`
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let wrong = ["backup", "verify", "b", "--sample", "90%"];
    assert!(
        ringkeep(&fake.endpoint, &wrong)
            .await
            .err
            .contains("0.1% to 50%")
    );
}

#[tokio::test]
async fn what_a_verification_did_not_check_is_shown() {
    let mut report = samples::report(Vec::new());
    report.not_checked = vec![catalog_pb::NotChecked {
        reason: "rows and index: Encryptor is not understood".into(),
        sstables: 12,
    }];
    let fake = Fake {
        watches: vec![(vec![samples::verification(Some(report))], Then::End)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "verify", "nightly", "-q"]).await;
    expect![[r#"
        exit 0
        --- stdout
        backup prod/nightly is good: 96 objects checked at level objects, 3.0 GiB of data

        not checked, so neither known to be damaged nor to be sound:
            12 SSTables: rows and index: Encryptor is not understood
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let args = ["backup", "verify", "nightly", "-q", "-o", "json"];
    let json = ringkeep(&fake.endpoint, &args).await.json();
    let part = &json["not_checked"][0];
    assert_eq!(part["sstables"], 12);
    assert!(part["reason"].as_str().unwrap().contains("Encryptor"));
}

#[tokio::test]
async fn a_good_backup_verifies_with_0() {
    let fake = verifying(Vec::new()).serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "verify", "nightly"]).await;
    expect![[r#"
        exit 0
        --- stdout
        backup prod/nightly is good: 96 objects checked at level objects, 3.0 GiB of data
        --- stderr
        task 0192f000-0000-7000-8000-000000000001 verifies backup prod/nightly
        verify: running
        verify: running, 33 %, 1.0 GiB of 3.0 GiB; verify: shop.orders
        verify: succeeded
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    expect![[r#"
        VerifyBackupRequest { backup: Some(BackupRef { cluster: "", name: "nightly" }), level: Objects, priority: Unspecified, sample_parts: 0 }
        WatchTaskRequest { id: "0192f000-0000-7000-8000-000000000001" }"#]].assert_eq(&fake.asked().join("\n"));
}

#[tokio::test]
async fn a_verification_and_a_deletion_outlive_the_command_line() {
    for (args, verb) in [
        (&["backup", "verify", "nightly"][..], "verifies"),
        (&["backup", "delete", "nightly", "--yes"], "deletes"),
    ] {
        let fake = Fake {
            watches: vec![(vec![samples::verification(None)], Then::Hang)],
            ..Fake::default()
        };
        let fake = fake.serve().await;
        let ran = ringkeep_with(&fake.endpoint, Person::Interrupts, args).await;
        assert_eq!((ran.exit, ran.out.as_str()), (1, ""), "{}", ran.err);
        let goes_on = "the task goes on\nhint: `ringkeep task watch";
        assert!(ran.err.contains(goes_on), "{}", ran.err);
        let can_be_stopped = ran.err.contains("ringkeep task cancel");
        assert_eq!(can_be_stopped, verb == "verifies", "{}", ran.err);
        let ran = ringkeep(&fake.endpoint, &[args, &["--no-wait"]].concat()).await;
        let id = samples::TASK_ID;
        assert_eq!(ran.exit, 0, "{}", ran.err);
        assert_eq!(ran.out, format!("task {id} {verb} backup prod/nightly\n"));
        assert_eq!(
            ran.err,
            format!("watch it with `ringkeep task watch {id}`\n")
        );
        let json = [args, &["--no-wait", "-o", "json"]].concat();
        let ran = ringkeep(&fake.endpoint, &json).await;
        expect![[r#"
            {
              "task_id": "0192f000-0000-7000-8000-000000000001",
              "backup": "nightly",
              "cluster": "prod"
            }
        "#]]
        .assert_eq(&ran.out);
    }
}

#[tokio::test]
async fn a_verification_that_cannot_be_done_exits_with_1_and_says_what_to_do() {
    let mut failed = samples::verification(None);
    failed.state = TaskState::Failed as i32;
    failed.error = "step `verify` failed: the backup is being deleted".into();
    let fake = Fake {
        watches: vec![(vec![failed], Then::End)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "verify", "nightly", "-q"]).await;
    expect![[r#"
        exit 1
        --- stdout
        --- stderr
        error: task 0192f000-0000-7000-8000-000000000001 failed: step `verify` failed: the backup is being deleted
        hint: `ringkeep task show 0192f000-0000-7000-8000-000000000001` shows which step failed
        hint: `ringkeep backup verify` verifies the backup again
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn what_is_not_there_exits_with_5() {
    for args in [
        &["backup", "verify", "nightly"][..],
        &["backup", "delete", "nightly", "--yes"],
    ] {
        let fake = Fake {
            error: Some(FakeError {
                kind: ErrorKind::NotFound,
                reason: "BACKUP_NOT_FOUND",
                message: "there is no backup `nightly`",
            }),
            ..Fake::default()
        };
        let fake = fake.serve().await;
        let ran = ringkeep(&fake.endpoint, args).await;
        assert_eq!((ran.exit, ran.out.as_str()), (5, ""), "{}", ran.err);
    }
}

#[tokio::test]
async fn a_damaged_backup_verifies_with_4_and_names_each_part() {
    let fake = damaged().serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "verify", "nightly", "-q"]).await;
    expect![[r#"
        exit 4
        --- stdout
        backup prod/nightly is DAMAGED: 96 objects checked at level objects, 3.0 GiB of data

        aaaaaaaa-0000-4000-8000-000000000001 shop.orders nb-12-big Data.db
            object ringkeep/1/data/prod/nightly/x/nb-12-big-Data.db
            at byte 65536: chunk 1 has CRC32 00, expected 11

        aaaaaaaa-0000-4000-8000-000000000001
            object ringkeep/1/nodes/prod/nightly/x.json
            is missing
        --- stderr
        error: backup `prod/nightly` is damaged or incomplete: 2 parts of it
        hint: make a new full backup; parts that are not named as damaged are good
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let args = ["backup", "verify", "nightly", "-q", "-o", "json"];
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        exit 4
        --- stdout
        {
          "backup": "nightly",
          "cluster": "prod",
          "level": "objects",
          "ok": false,
          "checked": {
            "objects": 96,
            "bytes": 3221225472,
            "sstables": 0
          },
          "damage": [
            {
              "node": "aaaaaaaa-0000-4000-8000-000000000001",
              "keyspace": "shop",
              "table": "orders",
              "sstable": "nb-12-big",
              "component": "Data.db",
              "object": "ringkeep/1/data/prod/nightly/x/nb-12-big-Data.db",
              "offset": 65536,
              "what": "chunk 1 has CRC32 00, expected 11"
            },
            {
              "node": "aaaaaaaa-0000-4000-8000-000000000001",
              "keyspace": null,
              "table": null,
              "sstable": null,
              "component": null,
              "object": "ringkeep/1/nodes/prod/nightly/x.json",
              "offset": null,
              "what": "is missing"
            }
          ],
          "not_checked": [],
          "sample": null
        }
        --- stderr
        {"error":{"message":"backup `prod/nightly` is damaged or incomplete: 2 parts of it","hints":["make a new full backup; parts that are not named as damaged are good"],"reason":"DAMAGED","exit_code":4}}
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
}

/// A deletion that ends like this.
fn deleting(end: TaskState) -> Fake {
    let tasks = vec![
        samples::deletion(TaskState::Running),
        samples::deletion(end),
    ];
    Fake {
        watches: vec![(tasks, Then::End)],
        ..Fake::default()
    }
}

#[tokio::test]
async fn delete_asks_a_person_and_refuses_a_script_without_yes() {
    let fake = deleting(TaskState::Succeeded).serve().await;
    let delete = ["backup", "delete", "nightly"];
    for (person, exit) in [
        (Person::Absent, 2),
        (Person::Types("n\n"), 1),
        (Person::Types("\n"), 1),
        (Person::Types("y\n"), 0),
    ] {
        assert!(
            fake.asked().is_empty(),
            "nothing is called before the user agrees"
        );
        let ran = ringkeep_with(&fake.endpoint, person, &delete).await;
        assert_eq!(ran.exit, exit, "{}", ran.err);
    }
    let args = ["backup", "delete", "nightly", "--yes", "-q"];
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        exit 0
        --- stdout
        backup nightly is deleted: 98 objects, 1.0 GiB freed
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let args = [&args[..], &["-o", "json"]].concat();
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        {
          "backup": "nightly",
          "cluster": null,
          "deleted_objects": 98,
          "freed_bytes": 1073741824,
          "versions_remain": false
        }
    "#]]
    .assert_eq(&ran.out);
}

#[tokio::test]
async fn a_deletion_that_is_refused_exits_with_1_and_can_be_resumed() {
    let fake = deleting(TaskState::Failed).serve().await;
    let args = ["backup", "delete", "nightly", "--yes", "-q"];
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        exit 1
        --- stdout
        --- stderr
        error: task 0192f000-0000-7000-8000-000000000001 failed: step `delete` failed: the backup `prod/nightly` is the base of hourly
        hint: `ringkeep task show 0192f000-0000-7000-8000-000000000001` shows which step failed
        hint: `ringkeep task resume 0192f000-0000-7000-8000-000000000001` goes on from there once the cause is gone
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
}

/// A backup of which one SSTable was damaged on its node.
fn kept_damage() -> Fake {
    let mut fake = Fake::default();
    for summary in fake.backups.iter_mut().chain(&mut fake.backup.summary) {
        summary.damaged_sstables = match summary.state() {
            catalog_pb::BackupState::Complete => 1,
            _ => 0,
        };
    }
    let node = &mut fake.backup.nodes[0];
    node.damaged_sstables = 1;
    node.damaged = vec![catalog_pb::KeptDamage {
        table: Some(samples::table()),
        index: "by_day".into(),
        sstable: "nb-12-big".into(),
        component: "Data.db".into(),
        offset: Some(65536),
        what: "chunk 1 has CRC32 00, expected 11".into(),
    }];
    fake
}

#[tokio::test]
async fn leave_to_keep_damaged_sstables_is_asked_for() {
    let fake = Fake::default().serve().await;
    let args = ["backup", "create", "prod", "--keep-damaged"];
    ringkeep(&fake.endpoint, &args).await;
    let asked = fake.asked().join("\n");
    assert!(asked.contains("keep_damaged: true"), "{asked}");
}

#[tokio::test]
async fn everything_is_uploaded_if_asked_for_a_full_backup_alone() {
    let fake = Fake::default().serve().await;
    let args = ["backup", "create", "prod", "--reupload"];
    ringkeep(&fake.endpoint, &args).await;
    let asked = fake.asked().join("\n");
    assert!(asked.contains("reupload: true"), "{asked}");
    let differential = [&args[..], &["--kind", "differential"]].concat();
    let ran = ringkeep(&fake.endpoint, &differential).await;
    assert_eq!(fake.asked().join("\n"), asked);
    let transcript = ran.transcript(&fake.endpoint);
    assert!(transcript.starts_with("exit 2"), "{transcript}");
    assert!(transcript.contains("leave --reupload out"), "{transcript}");
}

#[tokio::test]
async fn damage_that_was_kept_is_shown() {
    let fake = kept_damage().serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "list"]).await;
    expect![[r#"
        CLUSTER  NAME     KIND          STATE     STARTED               NODES     SIZE   UPLOADED  BASE
        prod     hourly   differential  failed    2026-11-22T11:00:00Z      0      0 B        0 B  nightly
        prod     nightly  full          complete  2026-11-22T10:00:00Z      1  3.0 GiB  256.0 MiB  -
        prod/hourly: node 127.0.0.2 went away
        prod/nightly: 1 SSTable damaged at the source
    "#]].assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["backup", "show", "nightly"]).await;
    expect![[r#"
        backup    prod/nightly
        kind      full
        state     complete
        started   2026-11-22T10:00:00Z
        finished  2026-11-22T10:05:30Z
        release   cassandra 5.0.5
        nodes     1 (the whole ring)
        size      3.0 GiB in 12 SSTables, 256.0 MiB uploaded, 768.0 MiB copied inside the store
        spread    180 ms between the first and the last snapshot
        damaged   1 SSTable damaged at the source

        NODE       DATACENTER  RACK  TOKENS     SIZE   UPLOADED     COPIED  SSTABLES  HOST ID
        127.0.0.2  dc1         r1         2  3.0 GiB  256.0 MiB  768.0 MiB        12  aaaaaaaa-0000-4000-8000-000000000001

        TABLE           SIZE  SSTABLES  FORMATS
        shop.orders  3.0 GiB        12  big-nb, big-oa

        127.0.0.2: 1 SSTable damaged at the source
            shop.orders.by_day nb-12-big Data.db at byte 65536: chunk 1 has CRC32 00, expected 11
    "#]].assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["backup", "show", "nightly", "-o", "json"]).await;
    let shown = ran.json();
    assert_eq!(shown["damaged_sstables"], 1);
    let damaged = serde_json::to_string_pretty(&shown["nodes"][0]["damaged"]).expect("JSON");
    expect![[r#"
        [
          {
            "component": "Data.db",
            "keyspace": "shop",
            "offset": 65536,
            "sstable": "nb-12-big",
            "table": "orders.by_day",
            "what": "chunk 1 has CRC32 00, expected 11"
          }
        ]"#]]
    .assert_eq(&damaged);
}

#[tokio::test]
async fn a_backup_without_a_node_says_so_wherever_it_is_shown() {
    let mut backup = samples::backup();
    backup.missing = vec![MissingNode {
        host_id: "00000000-0000-0000-0000-000000000003".into(),
        address: "127.0.0.3".into(),
        reason: "Cassandra does not reply CQL".into(),
    }];
    backup.held = vec![HeldReplicas {
        keyspace: "shop".into(),
        datacenter: "dc1".into(),
        replicas: 2,
        held_ppm: vec![0, 1_000_000, 0],
    }];
    backup.coverage = Some(catalog_pb::Coverage {
        ring_nodes: 2,
        backed_up_nodes: 1,
        complete: false,
    });
    let summary = catalog_pb::BackupSummary {
        ring_nodes: 2,
        ..samples::summary()
    };
    backup.summary = Some(summary.clone());
    let fake = Fake {
        backups: vec![summary],
        backup,
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let listed = ringkeep(&fake.endpoint, &["backup", "list"]).await;
    expect![[r#"
        exit 0
        --- stdout
        CLUSTER  NAME     KIND  STATE     STARTED                NODES     SIZE   UPLOADED  BASE
        prod     nightly  full  complete  2026-11-22T10:00:00Z  1 of 2  3.0 GiB  256.0 MiB  -
        --- stderr
    "#]]
    .assert_eq(&listed.transcript(&fake.endpoint));
    let shown = ringkeep(&fake.endpoint, &["backup", "show", "nightly"]).await;
    expect![[r#"
        exit 0
        --- stdout
        backup    prod/nightly
        kind      full
        state     complete
        started   2026-11-22T10:00:00Z
        finished  2026-11-22T10:05:30Z
        release   cassandra 5.0.5
        nodes     1 (1 of 2: incomplete)
        size      3.0 GiB in 12 SSTables, 256.0 MiB uploaded, 768.0 MiB copied inside the store
        spread    180 ms between the first and the last snapshot
        missing   127.0.0.3 (00000000-0000-0000-0000-000000000003): Cassandra does not reply CQL

        KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
        shop      dc1         1 of 2 replicas: 100 %

        NODE       DATACENTER  RACK  TOKENS     SIZE   UPLOADED     COPIED  SSTABLES  HOST ID
        127.0.0.2  dc1         r1         2  3.0 GiB  256.0 MiB  768.0 MiB        12  aaaaaaaa-0000-4000-8000-000000000001

        TABLE           SIZE  SSTABLES  FORMATS
        shop.orders  3.0 GiB        12  big-nb, big-oa
        --- stderr
    "#]].assert_eq(&shown.transcript(&fake.endpoint));
}

#[tokio::test]
async fn a_backup_is_pinned_shown_as_pinned_and_released() {
    let mut fake = Fake::default();
    fake.backups[1].pins = vec![
        catalog_pb::Pin {
            id: samples::TASK_ID.into(),
            ..catalog_pb::Pin::default()
        },
        catalog_pb::Pin {
            id: "0192f000-0000-8000-8000-000000000002".into(),
            by_people: true,
            reason: "audit".into(),
            until: "2027-03-31T00:00:00Z".into(),
            set_at: "2026-11-22T10:00:00Z".into(),
        },
    ];
    let fake = fake.serve().await;
    let pin = ["backup", "pin", "prod/nightly", "--reason", "audit"];
    let ran = ringkeep(&fake.endpoint, &pin).await;
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (0, "backup prod/nightly is pinned: audit\n")
    );
    let ran = ringkeep(&fake.endpoint, &["backup", "list"]).await;
    let pins: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.starts_with("prod/nightly:"))
        .collect();
    assert_eq!(
        pins,
        [
            format!("prod/nightly: in use by task {}", samples::TASK_ID).as_str(),
            "prod/nightly: pinned until 2027-03-31T00:00:00Z: audit",
        ]
    );
    let ran = ringkeep(&fake.endpoint, &["backup", "unpin", "prod/nightly"]).await;
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (0, "backup prod/nightly: 2 pins released\n")
    );
}
