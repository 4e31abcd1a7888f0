//! `ringkeep task …`, and waiting over whatever happens.

use api::pb::task_runner::{self as pb, TaskState};
use expect_test::expect;

use crate::fake::{Fake, Then};
use crate::run::{Person, ringkeep, ringkeep_with};
use crate::samples::{self, TASK_ID};

#[tokio::test]
async fn show_has_every_key_of_the_contract() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID, "-o", "json"]).await;
    expect![[r#"
        exit 0
        --- stdout
        {
          "id": "0192f000-0000-7000-8000-000000000001",
          "kind": "backup",
          "state": "running",
          "attempt": 1,
          "steps": [
            {
              "id": "snapshot-1",
              "kind": "snapshot",
              "node": "127.0.0.2",
              "state": "succeeded",
              "bytes_done": 0,
              "bytes_total": 0,
              "error": null,
              "note": null
            },
            {
              "id": "upload-1",
              "kind": "upload",
              "node": "127.0.0.2",
              "state": "running",
              "bytes_done": 1048576,
              "bytes_total": 4194304,
              "error": null,
              "note": "shop.orders"
            }
          ],
          "progress": 0.625,
          "eta_seconds": 95,
          "cluster": "prod",
          "backup": "nightly",
          "backup_cluster": "prod",
          "created_at": "2026-11-22T10:00:00.000Z",
          "finished_at": null,
          "error": null,
          "findings": []
        }
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn show_and_list_are_readable() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID]).await;
    expect![[r#"
        exit 0
        --- stdout
        task      0192f000-0000-7000-8000-000000000001
        kind      backup
        cluster   prod
        backup    prod/nightly
        state     running, 62 %, 1m 35s left
        attempt   1
        created   2026-11-22T10:00:00Z
        finished  -

        STEP        NODE       STATE         DONE       OF  NOTE
        snapshot-1  127.0.0.2  succeeded        -        -
        upload-1    127.0.0.2  running    1.0 MiB  4.0 MiB  shop.orders
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["task", "list"]).await;
    expect![[r#"
        exit 0
        --- stdout
        ID                                    KIND    STATE    DONE  CLUSTER  BACKUP        CREATED               FINISHED
        0192f000-0000-7000-8000-000000000001  backup  running  62 %  prod     prod/nightly  2026-11-22T10:00:00Z  -
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn what_a_verification_or_a_deletion_has_done_is_shown() {
    let damage = api::pb::storage_catalog::Damage {
        node: samples::HOST_ID.into(),
        object: "ringkeep/1/nodes/prod/nightly/x.json".into(),
        what: "is missing".into(),
        ..Default::default()
    };
    let fake = Fake {
        task: samples::verification(Some(samples::report(vec![damage]))),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID]).await;
    expect![[r#"
        task      0192f000-0000-7000-8000-000000000001
        kind      verify
        cluster   prod
        backup    prod/nightly
        state     failed, 100 %
        attempt   1
        created   2026-11-22T10:00:00Z
        finished  -
        error     step `verify` failed: what was checked is damaged

        STEP    NODE  STATE      DONE       OF  NOTE
        verify  -     failed  3.0 GiB  3.0 GiB

        backup prod/nightly is DAMAGED: 96 objects checked at level objects, 3.0 GiB of data

        aaaaaaaa-0000-4000-8000-000000000001
            object ringkeep/1/nodes/prod/nightly/x.json
            is missing
    "#]]
    .assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID, "-o", "json"]).await;
    assert_eq!(
        ran.json()["verification"]["damage"][0]["what"],
        "is missing"
    );
    let fake = Fake {
        task: samples::deletion(TaskState::Succeeded),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID]).await;
    expect![[r#"
        task      0192f000-0000-7000-8000-000000000001
        kind      delete
        cluster   prod
        backup    prod/nightly
        state     succeeded, 100 %
        attempt   1
        created   2026-11-22T10:00:00Z
        finished  2026-11-22T10:05:30Z

        STEP    NODE  STATE         DONE       OF  NOTE
        delete  -     succeeded  3.0 GiB  3.0 GiB

        98 objects deleted, 1.0 GiB freed
    "#]]
    .assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID, "-o", "json"]).await;
    assert_eq!(ran.json()["deletion"]["deleted_objects"], 98);
}

#[tokio::test]
async fn what_cannot_be_an_id_is_not_found() {
    let ran = ringkeep("http://127.0.0.1:9", &["task", "show", "nope"]).await;
    expect![[r#"
        exit 5
        --- stdout
        --- stderr
        error: there is no task `nope`
        hint: `ringkeep task list` shows all tasks
    "#]]
    .assert_eq(&ran.transcript(""));
}

#[tokio::test]
async fn a_watch_goes_on_after_the_service_was_restarted() {
    let running = samples::task(TaskState::Running);
    let succeeded = samples::task(TaskState::Succeeded);
    let fake = Fake {
        watches: vec![
            (vec![running.clone()], Then::Break),
            (Vec::new(), Then::End),
            (vec![running, succeeded], Then::End),
        ],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "watch", TASK_ID]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    expect![[r#"
        snapshot on 127.0.0.2: succeeded
        upload on 127.0.0.2: running
        backup: running, 62 %, 1.0 MiB of 4.0 MiB, 1m 35s left; upload on 127.0.0.2: shop.orders
        cannot reach the task-runner at ENDPOINT: the process is gone; trying again
        upload on 127.0.0.2: succeeded
    "#]]
    .assert_eq(&ran.err.replace(&fake.endpoint, "ENDPOINT"));
}

#[tokio::test]
async fn a_watch_gives_up_when_the_service_stays_away() {
    let fake = Fake {
        watches: vec![(Vec::new(), Then::Break)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "watch", TASK_ID, "-q"]).await;
    assert_eq!(ran.exit, 6, "{}", ran.err);
}

#[tokio::test]
async fn ctrl_c_ends_the_waiting_and_not_the_task() {
    let fake = Fake {
        watches: vec![(vec![samples::task(TaskState::Running)], Then::Hang)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let args = ["backup", "create", "prod", "--wait", "-q"];
    let ran = ringkeep_with(&fake.endpoint, Person::Interrupts, &args).await;
    expect![[r#"
        exit 1
        --- stdout
        --- stderr
        error: stopped waiting for task 0192f000-0000-7000-8000-000000000001; the task goes on
        hint: `ringkeep task watch 0192f000-0000-7000-8000-000000000001` watches it again
        hint: `ringkeep task cancel 0192f000-0000-7000-8000-000000000001` stops it
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn a_cancelled_task_exits_with_1_when_watched() {
    let fake = Fake {
        watches: vec![(vec![samples::task(TaskState::Cancelled)], Then::End)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &["task", "watch", TASK_ID, "-q", "-o", "json"],
    )
    .await;
    assert_eq!(ran.exit, 1);
    assert_eq!(ran.json()["state"], "cancelled");
}

#[tokio::test]
async fn waiting_for_a_task_ends_when_it_is_paused() {
    let fake = Fake {
        watches: vec![(vec![samples::paused()], Then::Hang)],
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "watch", TASK_ID, "-q"]).await;
    assert_eq!(ran.exit, 1);
    assert!(
        ran.err
            .contains("is paused: paused on request: not during the sale")
    );
    assert!(ran.err.contains(&format!("ringkeep task resume {TASK_ID}")));
    assert!(ran.out.contains("it keeps its cluster"), "{}", ran.out);
}

#[tokio::test]
async fn a_task_that_waits_names_the_one_that_it_waits_for() {
    let fake = Fake {
        task: samples::waiting(),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let other = "0192f000-0000-7000-8000-000000000002";
    let listed = ringkeep(&fake.endpoint, &["task", "list"]).await;
    let waits = format!("pending, waits for restore {other}");
    assert!(listed.out.contains(&waits), "{}", listed.out);
    let shown = ringkeep(&fake.endpoint, &["task", "show", TASK_ID, "-o", "json"]).await;
    let shown = shown.json();
    assert_eq!(shown["waiting"]["task_id"], other);
    assert_eq!(shown["waiting"]["kind"], "restore");
    assert_eq!(shown["priority"], "low");
}

#[tokio::test]
async fn a_task_is_paused_with_a_reason() {
    let fake = Fake::default().serve().await;
    let reason = ["task", "pause", TASK_ID, "--reason", "not during the sale"];
    let ran = ringkeep(&fake.endpoint, &reason).await;
    assert_eq!(
        (ran.exit, ran.out),
        (
            0,
            format!("task {TASK_ID} is paused, and keeps its cluster\n")
        )
    );
    let asked = fake.asked().join("\n");
    assert!(asked.contains("not during the sale"), "{asked}");
}

#[tokio::test]
async fn limits_are_set_and_what_is_in_force_on_each_node_is_shown() {
    let fake = Fake::default().serve().await;
    let set = ["task", "set-limits", TASK_ID, "--bandwidth", "50MiB/s"];
    let ran = ringkeep(&fake.endpoint, &set).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    expect![[r#"
        task 0192f000-0000-7000-8000-000000000001 has a limit of 50.0 MiB/s

        LIMITED ON   BANDWIDTH  FILES  NOTE
        127.0.0.2   50.0 MiB/s      8
    "#]]
    .assert_eq(&ran.out);
    let asked = fake.asked().join("\n");
    assert!(
        asked.contains("bandwidth_bytes_per_second: Some(52428800), parallel_files: None"),
        "{asked}"
    );
    let ran = ringkeep(&fake.endpoint, &[&set[..], &["-o", "json"]].concat()).await;
    let limits = ran.json()["steps"][1]["limits"].clone();
    assert_eq!(limits["in_force"]["parallel_files"], 8);
    assert_eq!(limits["asked"]["parallel_files"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_task_is_shown_with_the_limits_that_are_in_force() {
    let request = pb::SetTaskLimitsRequest {
        bandwidth_bytes_per_second: Some(50 << 20),
        ..Default::default()
    };
    let fake = Fake {
        task: samples::limited(&request),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "show", TASK_ID]).await;
    let in_force = "LIMITED ON   BANDWIDTH  FILES  NOTE\n127.0.0.2   50.0 MiB/s      8\n";
    assert!(ran.out.contains(in_force), "{}", ran.out);
}

#[tokio::test]
async fn an_agent_that_does_not_know_limits_is_named_and_the_exit_code_says_so() {
    let fake = Fake::default().serve().await;
    let set = ["task", "set-limits", TASK_ID, "--parallel-files", "2"];
    let ran = ringkeep(
        &fake.endpoint,
        &[&set[..], &["--bandwidth", "none"]].concat(),
    )
    .await;
    assert_eq!(ran.exit, 1);
    expect![[r#"
        task 0192f000-0000-7000-8000-000000000001 has a limit of 2 files at a time

        LIMITED ON  BANDWIDTH  FILES  NOTE
        127.0.0.2           -      -  the agent is of an earlier release
    "#]]
    .assert_eq(&ran.out);
    assert!(ran.err.contains("not in force on 127.0.0.2"), "{}", ran.err);
    let asked = fake.asked().join("\n");
    assert!(
        asked.contains("bandwidth_bytes_per_second: Some(0), parallel_files: Some(2)"),
        "{asked}"
    );
}

#[tokio::test]
async fn limits_without_a_unit_or_of_nothing_are_refused_before_any_call() {
    let fake = Fake::default().serve().await;
    for wrong in [&["--bandwidth", "50"][..], &["--parallel-files", "0"], &[]] {
        let args = [&["task", "set-limits", TASK_ID], wrong].concat();
        let ran = ringkeep(&fake.endpoint, &args).await;
        assert_eq!(ran.exit, 2, "{wrong:?}");
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_backup_is_queued_with_a_priority_and_a_wrong_one_is_refused_with_all_that_there_are() {
    let fake = Fake::default().serve().await;
    let args = ["backup", "create", "prod", "--queue", "--priority"];
    let ran = ringkeep(&fake.endpoint, &[&args[..], &["low"]].concat()).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let asked = fake.asked().join("\n");
    assert!(
        asked.contains("QueueOptions { priority: Low, wait: true }"),
        "{asked}"
    );
    let ran = ringkeep(&fake.endpoint, &[&args[..], &["soon"]].concat()).await;
    assert_eq!(ran.exit, 2);
    assert!(ran.err.contains("highest, high, normal, low, lowest"));
}

#[tokio::test]
async fn cancel_fail_and_resume_answer_with_the_task() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["task", "cancel", TASK_ID]).await;
    assert_eq!(
        (ran.exit, ran.out),
        (0, format!("task {TASK_ID} is cancelled\n"))
    );
    let ran = ringkeep(&fake.endpoint, &["task", "fail", TASK_ID, "--force"]).await;
    assert_eq!(
        (ran.exit, ran.out),
        (0, format!("task {TASK_ID} has failed\n"))
    );
    let ran = ringkeep(&fake.endpoint, &["task", "resume", TASK_ID, "-o", "json"]).await;
    assert_eq!(ran.json()["attempt"], 2);
    assert_eq!(ran.json()["state"], "pending");
}

#[tokio::test]
async fn words_of_a_newer_service_are_shown_as_unknown() {
    const NEWER: i32 = 99;
    let mut fake = Fake::default();
    (fake.task.kind, fake.task.state, fake.task.steps[0].state) = (NEWER, NEWER, NEWER);
    fake.task.steps[0].kind = "teleport".into();
    fake.task.findings = vec![api::pb::types::Finding {
        severity: NEWER,
        when: NEWER,
        ..samples::finding("BEYOND_THIS_RELEASE", api::pb::types::Severity::Advice)
    }];
    fake.backups[1].state = NEWER;
    fake.backups[1].kind = NEWER;
    fake.backup.summary = Some(fake.backups[1].clone());
    fake.clusters[0].nodes[0].release = Some(api::pb::types::Release {
        product: NEWER,
        version: "9.0".into(),
    });
    let fake = fake.serve().await;
    let json = async |command: &[&str]| {
        let ran = ringkeep(&fake.endpoint, &[command, &["-o", "json"]].concat()).await;
        assert_eq!(ran.exit, 0, "{}", ran.err);
        ran.json()
    };
    let task = json(&["task", "show", samples::TASK_ID]).await;
    assert_eq!(
        (&task["kind"], &task["state"]),
        (&"unknown".into(), &"unknown".into())
    );
    assert_eq!(task["steps"][0]["state"], "unknown");
    assert_eq!(task["steps"][0]["kind"], "teleport");
    assert_eq!(task["findings"][0]["severity"], "warning");
    let listed = json(&["backup", "list"]).await;
    assert_eq!(listed[1]["state"], "unknown");
    let backup = json(&["backup", "show", "nightly"]).await;
    assert_eq!(
        (&backup["kind"], &backup["state"]),
        (&"unknown".into(), &"unknown".into())
    );
    let cluster = json(&["cluster", "show", "prod"]).await;
    assert!(cluster["nodes"][0]["release"].is_null());
    assert_eq!(cluster["nodes"][0]["healthy"], true);
}
