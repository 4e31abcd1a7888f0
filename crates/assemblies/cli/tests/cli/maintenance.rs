//! `ringkeep maintenance …`, `ringkeep apply` and `ringkeep get`.

use std::fs;

use api::pb::task_runner::{self as pb, StepState, TaskState};
use expect_test::expect;

use crate::fake::Fake;
use crate::run::{Person, Ran, ringkeep, ringkeep_with};
use crate::samples::{self, TASK_ID};

/// The document that Mission Control's users have, word for word.
const UPGRADE: &str = "\
apiVersion: control.k8ssandra.io/v1alpha1
kind: CassandraTask
metadata: {name: upgrade-sstables}
spec:
  datacenter: {name: dc1}
  jobs:
    - {name: upgradesstables, command: upgradesstables}
";

fn step(node: &str, state: StepState, error: &str) -> pb::TaskStep {
    pb::TaskStep {
        id: format!("maintain-{node}"),
        kind: "maintain".into(),
        node: node.into(),
        state: state as i32,
        error: error.into(),
        ..pb::TaskStep::default()
    }
}

/// A task that has done one of two nodes.
fn maintenance(state: TaskState) -> pb::Task {
    let (second, error) = match state {
        TaskState::Failed => (StepState::Failed, "out of luck"),
        TaskState::Succeeded => (StepState::Succeeded, ""),
        _ => (StepState::Running, ""),
    };
    pb::Task {
        kind: pb::TaskKind::Maintenance as i32,
        backup: None,
        steps: vec![
            step("10.0.0.1", StepState::Succeeded, ""),
            step("10.0.0.2", second, error),
        ],
        maintenance: vec!["upgradesstables".into()],
        error: error.into(),
        ..samples::task(state)
    }
}

fn fake(state: TaskState) -> Fake {
    Fake {
        task: maintenance(state),
        ..Fake::default()
    }
}

async fn apply(fake: Fake, text: &str, more: &[&str]) -> (Ran, Vec<String>) {
    let fake = fake.serve().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("task.yaml");
    fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    let args = [&["apply", "-f", &file], more].concat();
    (ringkeep(&fake.endpoint, &args).await, fake.asked())
}

#[tokio::test]
async fn a_command_starts_a_task_with_what_it_was_given() {
    let fake = fake(TaskState::Running).serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &[
            "maintenance",
            "run",
            "scrub",
            "prod",
            "--datacenter",
            "dc2",
            "--datacenter",
            "dc1",
            "--rack",
            "r1",
            "--table",
            "shop.orders",
            "--jobs",
            "2",
            "--no-snapshot",
            "--concurrency",
            "3",
        ],
    )
    .await;
    expect![[r#"
        exit 0
        --- stdout
        task 0192f000-0000-7000-8000-000000000001 runs scrub on cluster prod
        --- stderr
        watch it with `ringkeep task watch 0192f000-0000-7000-8000-000000000001`
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let asked = fake.asked().remove(0);
    for words in [
        "datacenters: [\"dc2\", \"dc1\"]",
        "racks: [\"r1\"]",
        "command: Scrub",
        "jobs: Some(2)",
        "no_snapshot: true",
        "concurrency: 3",
        "document: None",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
}

#[tokio::test]
async fn what_a_command_does_not_have_is_refused_before_a_service_is_asked() {
    for (args, message) in [
        (
            &["cleanup", "prod", "--split-output"][..],
            "`split_output` is no argument of cleanup; it is one of compact",
        ),
        (&["refresh", "prod"], "refresh needs the tables"),
        (
            &["compact", "prod", "--start-token", "-5"],
            "`start_token` and `end_token` are given together",
        ),
    ] {
        let ran = ringkeep(
            "http://127.0.0.1:9",
            &[&["maintenance", "run"], args].concat(),
        )
        .await;
        assert_eq!(ran.exit, 2, "{}", ran.err);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
    let ran = ringkeep(
        "http://127.0.0.1:9",
        &["maintenance", "run", "clenup", "prod"],
    )
    .await;
    assert_eq!(ran.exit, 2);
    assert!(ran.err.contains("did you mean `cleanup`?"), "{}", ran.err);
}

#[tokio::test]
async fn maintenance_is_listed_and_shown_by_what_it_does() {
    let fake = fake(TaskState::Failed).serve().await;
    let ran = ringkeep(&fake.endpoint, &["maintenance", "list", "prod"]).await;
    expect![[r#"
        ID                                    STATE   DONE  CLUSTER  DOES             CREATED               FINISHED
        0192f000-0000-7000-8000-000000000001  failed  62 %  prod     upgradesstables  2026-11-22T10:00:00Z  -
    "#]].assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["maintenance", "show", TASK_ID]).await;
    expect![[r#"
        task      0192f000-0000-7000-8000-000000000001
        kind      maintenance
        cluster   prod
        backup    -
        state     failed, 62 %, 1m 35s left
        attempt   1
        created   2026-11-22T10:00:00Z
        finished  -
        does      upgradesstables
        error     out of luck

        STEP               NODE      STATE      DONE  OF  NOTE
        maintain-10.0.0.1  10.0.0.1  succeeded     -   -
        maintain-10.0.0.2  10.0.0.2  failed        -   -  out of luck
    "#]]
    .assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["maintenance", "list", "-o", "json"]).await;
    assert_eq!(ran.json()[0]["maintenance"][0], "upgradesstables");
}

#[tokio::test]
async fn a_document_is_applied_and_applied_again() {
    let (ran, asked) = apply(fake(TaskState::Running), UPGRADE, &[]).await;
    expect![[r#"
        CassandraTask `upgrade-sstables` is applied: task 0192f000-0000-7000-8000-000000000001 on cluster prod
    "#]].assert_eq(&ran.out);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert!(asked[0].contains("cluster: \"\""), "{asked:?}");
    let (ran, asked) = apply(
        fake(TaskState::Running),
        UPGRADE,
        &["--cluster", "prod", "-o", "json"],
    )
    .await;
    assert!(asked[0].contains("cluster: \"prod\""), "{asked:?}");
    let applied = &ran.json()[0];
    assert_eq!(
        (&applied["kind"], &applied["existed"]),
        (&"CassandraTask".into(), &false.into())
    );
    let again = Fake {
        document: Some(pb::MaintenanceDocument::default()),
        ..fake(TaskState::Running)
    };
    let (ran, _) = apply(again, UPGRADE, &[]).await;
    assert!(ran.out.contains("was applied before"), "{}", ran.out);
}

#[tokio::test]
async fn a_document_comes_from_standard_input_and_is_waited_for() {
    let fake = Fake {
        watches: vec![(
            vec![maintenance(TaskState::Succeeded)],
            crate::fake::Then::End,
        )],
        ..fake(TaskState::Succeeded)
    };
    let fake = fake.serve().await;
    let person = Person::Types(UPGRADE);
    let ran = ringkeep_with(&fake.endpoint, person, &["apply", "-f", "-", "--wait"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert!(
        ran.out.ends_with("on cluster prod, succeeded\n"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn if_one_document_is_refused_none_is_started() {
    let bad = UPGRADE.replace("command: upgradesstables", "command: upgradesstable");
    let bad = bad.replace("upgrade-sstables", "mistyped");
    let (ran, asked) = apply(
        fake(TaskState::Running),
        &format!("{UPGRADE}---\n{bad}"),
        &[],
    )
    .await;
    assert_eq!(ran.exit, 2);
    expect![[r#"
        error: nothing was started: CassandraTask `mistyped`: spec.jobs[0].command: there is no command `upgradesstable` (did you mean `upgradesstables`?); the commands are upgradesstables, cleanup, scrub, compact, flush, garbagecollect, rebuild, refresh, repair, restart
        hint: docs/maintenance.md lists which fields and commands are honoured
    "#]].assert_eq(&ran.err);
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test]
async fn a_document_is_shown_with_its_status_as_kubernetes_would() {
    let content: serde_json::Value = serde_yaml_ng::from_str(UPGRADE).expect("YAML");
    let document = pb::MaintenanceDocument {
        kind: "CassandraTask".into(),
        name: "upgrade-sstables".into(),
        content: content.to_string(),
        ..pb::MaintenanceDocument::default()
    };
    let with = |state| Fake {
        document: Some(document.clone()),
        ..fake(state)
    };
    let args = ["get", "cassandratask", "upgrade-sstables", "-o", "yaml"];
    let running = with(TaskState::Running).serve().await;
    let ran = ringkeep(&running.endpoint, &args).await;
    expect![[r#"
        apiVersion: control.k8ssandra.io/v1alpha1
        kind: CassandraTask
        metadata:
          name: upgrade-sstables
        spec:
          datacenter:
            name: dc1
          jobs:
          - command: upgradesstables
            name: upgradesstables
        status:
          active: 1
          conditions:
          - lastTransitionTime: 2026-11-22T10:00:00Z
            message: ''
            reason: Running
            status: 'True'
            type: Running
          - lastTransitionTime: 2026-11-22T10:00:00Z
            message: ''
            reason: Running
            status: 'False'
            type: Complete
          - lastTransitionTime: 2026-11-22T10:00:00Z
            message: ''
            reason: Running
            status: 'False'
            type: Failed
          failed: 0
          podStatuses:
            10.0.0.1:
              status: COMPLETED
            10.0.0.2:
              status: RUNNING
          startTime: 2026-11-22T10:00:00Z
          succeeded: 1
    "#]]
    .assert_eq(&ran.out);
    assert!(running.asked()[0].contains("namespace: \"\", name: \"upgrade-sstables\""));
    let failed = with(TaskState::Failed).serve().await;
    let ran = ringkeep(&failed.endpoint, &args).await;
    expect![[r#"
        apiVersion: control.k8ssandra.io/v1alpha1
        kind: CassandraTask
        metadata:
          name: upgrade-sstables
        spec:
          datacenter:
            name: dc1
          jobs:
          - command: upgradesstables
            name: upgradesstables
        status:
          active: 0
          conditions:
          - lastTransitionTime: 2026-11-22T10:00:00Z
            message: ''
            reason: Failed
            status: 'False'
            type: Running
          - lastTransitionTime: 2026-11-22T10:00:00Z
            message: ''
            reason: Failed
            status: 'True'
            type: Complete
          - lastTransitionTime: 2026-11-22T10:00:00Z
            message: out of luck
            reason: Failed
            status: 'True'
            type: Failed
          failed: 1
          podStatuses:
            10.0.0.1:
              status: COMPLETED
            10.0.0.2:
              error: out of luck
              status: ERROR
          startTime: 2026-11-22T10:00:00Z
          succeeded: 1
    "#]]
    .assert_eq(&ran.out);
    let ran = ringkeep(&failed.endpoint, &args[..3]).await;
    expect![[r#"
        NAME              CLUSTER  ACTIVE  SUCCEEDED  FAILED  STARTED               COMPLETED  TASK
        upgrade-sstables  prod          0          1       1  2026-11-22T10:00:00Z  -          0192f000-0000-7000-8000-000000000001
    "#]].assert_eq(&ran.out);
    let ran = ringkeep(&failed.endpoint, &["get", "casandratask", "x"]).await;
    assert_eq!(ran.exit, 2);
    assert!(
        ran.err.contains("did you mean `CassandraTask`?"),
        "{}",
        ran.err
    );
}
