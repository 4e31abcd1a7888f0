//! `ringkeep restore …`

use expect_test::expect;

use crate::fake::Fake;
use crate::run::{Person, ringkeep, ringkeep_with};
use crate::samples;

const PLAN: [&str; 5] = ["restore", "plan", "prod/nightly", "--into", "staging"];
const START: [&str; 5] = ["restore", "start", "prod/nightly", "--into", "staging"];

fn refused() -> Fake {
    Fake {
        plan: samples::refused_plan(),
        ..Fake::default()
    }
}

#[tokio::test]
async fn a_plan_is_readable() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &PLAN).await;
    expect![[r#"
        exit 0
        --- stdout
        restore of prod/nightly into staging, online: can be done

        warnings (1)
          TTL_MAY_EXPIRE 127.0.0.2 (before)
              what TTL_MAY_EXPIRE means here
              hint: what to do about TTL_MAY_EXPIRE

        advice (1)
          AUTH_NOT_INCLUDED 127.0.0.2 (after)
              what AUTH_NOT_INCLUDED means here
              hint: what to do about AUTH_NOT_INCLUDED

        TABLE        WHAT HAPPENS TO IT              ID
        shop.orders  is there: emptied, then loaded  bbbbbbbb-0000-4000-8000-000000000001

        UNDONE IN THE SCHEMA (the CQL does it again after the restore)
        shop.orders: since the backup: added note text
            ALTER TABLE shop.orders ADD note text;

        MADE IN ANOTHER WAY  HOW                               DONE
        shop.orders          the option is left out: nodesync  yes

        KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
        shop      dc1         3 of 3 replicas: 75.0 %, 2 of 3 replicas: 25.0 %

        NODE       DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
        127.0.0.2   3.0 GiB      6.0 GiB        12       3  aaaaaaaa-0000-4000-8000-000000000001

        STEP     ON         AFTER
        stage-1  127.0.0.2  -
        replace  -          stage-1
            TRUNCATE TABLE shop.orders;

        takes about 1m 40s
        plan 12: start it as shown with `ringkeep restore start prod/nightly --into staging --plan 12`
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn a_plan_has_every_key_of_the_contract() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &[&PLAN[..], &["-o", "json"]].concat()).await;
    expect![[r#"
        exit 0
        --- stdout
        {
          "backup": "nightly",
          "cluster": "prod",
          "target": "staging",
          "mode": "online",
          "supported": true,
          "findings": [
            {
              "code": "AUTH_NOT_INCLUDED",
              "severity": "advice",
              "when": "after",
              "subject": "127.0.0.2",
              "message": "what AUTH_NOT_INCLUDED means here",
              "hint": "what to do about AUTH_NOT_INCLUDED"
            },
            {
              "code": "TTL_MAY_EXPIRE",
              "severity": "warning",
              "when": "before",
              "subject": "127.0.0.2",
              "message": "what TTL_MAY_EXPIRE means here",
              "hint": "what to do about TTL_MAY_EXPIRE"
            }
          ],
          "nodes": [
            {
              "node": "127.0.0.2",
              "agent": "127.0.0.2:7401",
              "host_id": "aaaaaaaa-0000-4000-8000-000000000001",
              "sources": [
                "aaaaaaaa-0000-4000-8000-000000000001"
              ],
              "download_bytes": 3221225472,
              "disk_bytes_needed": 6442450944,
              "sstables": 12,
              "sliced_sstables": 3,
              "requests": 120,
              "seconds": 90
            }
          ],
          "steps": [
            {
              "id": "stage-1",
              "kind": "stage",
              "node": "127.0.0.2",
              "after": [],
              "cql": []
            },
            {
              "id": "replace",
              "kind": "replace",
              "node": null,
              "after": [
                "stage-1"
              ],
              "cql": [
                "TRUNCATE TABLE shop.orders"
              ]
            }
          ],
          "tables": [
            {
              "keyspace": "shop",
              "table": "orders",
              "source_id": "bbbbbbbb-0000-4000-8000-000000000001",
              "target_id": "bbbbbbbb-0000-4000-8000-000000000001",
              "action": "truncate",
              "missing": false,
              "bytes": 9663676416
            }
          ],
          "coverage": [
            {
              "keyspace": "shop",
              "datacenter": "dc1",
              "replicas": 3,
              "held_ppm": [
                0,
                0,
                250000,
                750000
              ]
            }
          ],
          "schema_changes": [
            {
              "subject": "shop.orders",
              "what": "since the backup: added note text",
              "forward_cql": [
                "ALTER TABLE shop.orders ADD note text"
              ]
            }
          ],
          "rewrites": [
            {
              "subject": "shop.orders",
              "what": "the option is left out: nodesync",
              "applied": true
            }
          ],
          "seconds": 100,
          "number": 12
        }
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn a_plan_of_a_newer_service_is_shown_all_the_same() {
    const NEWER: i32 = 99;
    let mut plan = samples::plan();
    plan.mode = NEWER;
    plan.tables[0].action = NEWER;
    plan.steps[0].kind = "teleport".into();
    let fake = Fake {
        plan,
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &PLAN).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    for shown in [
        "mode not decided",
        "shop.orders  not known to this release",
        "TRUNCATE",
    ] {
        assert!(ran.out.contains(shown), "{shown}: {}", ran.out);
    }
    let ran = ringkeep(&fake.endpoint, &[&PLAN[..], &["-o", "json"]].concat()).await;
    assert_eq!(ran.json()["mode"], "auto");
    assert_eq!(ran.json()["tables"][0]["action"], "unknown");
    assert_eq!(ran.json()["steps"][0]["kind"], "teleport");
}

#[tokio::test]
async fn every_flag_reaches_the_planner() {
    let fake = Fake::default().serve().await;
    let flags = [
        "--mode",
        "in-place",
        "--keyspace",
        "shop",
        "--table",
        "crm.people",
        "--allow-unlisted-version",
        "--datacenter",
        "dc1=east",
        "--completeness",
        "quorum",
        "--rewrite-schema",
        "--skip-trial",
    ];
    let ran = ringkeep(&fake.endpoint, &[&PLAN[..], &flags].concat()).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    expect![[r#"PlanRestoreRequest { backup: Some(BackupRef { cluster: "prod", name: "nightly" }), target: "staging", options: Some(RestoreOptions { selection: Some(Selection { keyspaces: ["shop"], tables: [TableRef { keyspace: "crm", table: "people" }] }), mode: InPlace, allow_unlisted_version: true, datacenters: {"dc1": "east"}, completeness: Quorum, rewrite_schema: true, skip_trial: true }), renaming: None }"#]].assert_eq(&fake.asked().join("\n"));
}

#[tokio::test]
async fn renames_reach_the_planner_instead_of_the_options_that_an_earlier_one_would_take() {
    let fake = Fake::default().serve().await;
    let flags = ["--rename", "shop=copy", "--rename", "crm.people=crm.old"];
    let ran = ringkeep(&fake.endpoint, &[&PLAN[..], &flags].concat()).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let asked = fake.asked().join("\n");
    assert!(asked.contains("options: None, renaming: Some("), "{asked}");
    expect![[r#"[Rename { keyspace: "shop", table: "", new_keyspace: "copy", new_table: "" }, Rename { keyspace: "crm", table: "people", new_keyspace: "crm", new_table: "old" }] }) }"#]].assert_eq(asked.split("renames: ").nth(1).unwrap_or_default());
    let ran = ringkeep(
        &fake.endpoint,
        &[&PLAN[..], &["--rename", "shop.orders=copy"]].concat(),
    )
    .await;
    assert_eq!(ran.exit, 2, "{}", ran.out);
    assert!(
        ran.err.contains("KEYSPACE.TABLE=NEW_KEYSPACE.NEW_TABLE"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn a_refused_plan_shows_all_findings_and_exits_with_3() {
    let fake = refused().serve().await;
    let ran = ringkeep(&fake.endpoint, &PLAN).await;
    expect![[r#"
        exit 3
        --- stdout
        restore of prod/nightly into staging, online: REFUSED

        refusals (1)
          DISK_SPACE 127.0.0.2 (before)
              what DISK_SPACE means here
              hint: what to do about DISK_SPACE

        advice (1)
          AUTH_NOT_INCLUDED 127.0.0.2 (after)
              what AUTH_NOT_INCLUDED means here
              hint: what to do about AUTH_NOT_INCLUDED
        --- stderr
        error: the planner refuses this restore: DISK_SPACE
        hint: nothing was touched; each refusal above says what would lift it
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(
        &fake.endpoint,
        &[&START[..], &["--yes", "-o", "json"]].concat(),
    )
    .await;
    assert_eq!(ran.exit, 3);
    assert!(ran.json()["task_id"].is_null());
    assert_eq!(ran.json()["plan"]["supported"], false);
}

#[tokio::test]
async fn start_shows_the_plan_and_asks() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep_with(&fake.endpoint, Person::Types("n\n"), &START).await;
    assert_eq!(ran.exit, 1);
    assert!(
        ran.err.contains("TRUNCATE TABLE shop.orders;"),
        "{}",
        ran.err
    );
    let question = "the data of 1 table is replaced. Go on? [y/N]";
    assert!(ran.err.contains("Empty 1 table in "), "{}", ran.err);
    assert!(ran.err.contains(question), "{}", ran.err);
    assert!(
        !fake
            .asked()
            .iter()
            .any(|asked| asked.starts_with("StartRestore"))
    );

    let ran = ringkeep_with(&fake.endpoint, Person::Types("y\n"), &START).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.out, format!("task {} restores it\n", samples::TASK_ID));
    // What was agreed to is what is started.
    let asked = fake.asked().join("\n");
    assert!(asked.contains("plan: 12, queue: None }"), "{asked}");
}

#[tokio::test]
async fn a_plan_is_started_by_its_number() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &[&START[..], &["--plan", "7", "--yes"]].concat(),
    )
    .await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let asked = fake.asked().join("\n");
    assert!(asked.contains("plan: 7, queue: None }"), "{asked}");
    // With what it must be of, so that a plan of something else is not started.
    let fake = Fake::default().serve().await;
    let flags = ["--plan", "7", "--yes", "--rename", "shop=copy"];
    let ran = ringkeep(&fake.endpoint, &[&START[..], &flags].concat()).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let asked = fake.asked().join("\n");
    assert!(asked.contains("new_keyspace: \"copy\""), "{asked}");
    assert!(asked.contains("plan: 7, queue: None }"), "{asked}");
}

#[tokio::test]
async fn a_pair_of_datacenters_that_is_none_is_a_fault_of_usage() {
    let fake = Fake::default().serve().await;
    for pair in ["dc1", "=east", "dc1="] {
        let ran = ringkeep(
            &fake.endpoint,
            &[&PLAN[..], &["--datacenter", pair]].concat(),
        )
        .await;
        assert_eq!(ran.exit, 2, "{pair}");
        assert!(ran.err.contains("BACKUP=TARGET"), "{}", ran.err);
    }
}

#[tokio::test]
async fn start_without_a_person_wants_yes() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &START).await;
    assert_eq!((ran.exit, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.ends_with("hint: agree in advance with --yes\n"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn start_and_wait_ends_with_what_is_left_to_do() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &[&START[..], &["--yes", "--wait", "-q"]].concat(),
    )
    .await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let (_, closing) = ran.out.rsplit_once("\n\n").expect("a paragraph");
    expect![[r#"
        what is left to know or to do
        advice (1)
          REPAIR_ADVISED 127.0.0.2 (after)
              what REPAIR_ADVISED means here
              hint: what to do about REPAIR_ADVISED
    "#]]
    .assert_eq(closing);
}

#[tokio::test]
async fn a_plan_is_printed_as_a_script() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &[&PLAN[..], &["--cql"]].concat()).await;
    expect![[r#"
        exit 0
        --- stdout
        -- step replace
        TRUNCATE TABLE shop.orders;
        -- no step: does again after the restore what it undoes in the schema
        -- ALTER TABLE shop.orders ADD note text;
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    // What refuses it must be read, and there are no statements.
    let fake = refused().serve().await;
    let ran = ringkeep(&fake.endpoint, &[&PLAN[..], &["--cql"]].concat()).await;
    assert!(ran.out.contains("DISK_SPACE"), "{}", ran.out);
}

/// More than the text of a plan has otherwise.
fn many_statements() -> Fake {
    let mut plan = samples::plan();
    plan.steps[1].cql = (1..=30)
        .map(|number| format!("TRUNCATE TABLE shop.t{number}"))
        .collect();
    Fake {
        plan,
        ..Fake::default()
    }
}

#[tokio::test]
async fn start_shows_every_statement_if_asked_to() {
    let is_statement = |line: &&str| line.trim_start().starts_with("TRUNCATE TABLE");
    let count = |text: &str| text.lines().filter(is_statement).count();
    for (flags, person, expected) in [
        (&[][..], Person::Types("n\n"), 0),
        (&["--cql"], Person::Types("n\n"), 30),
        (&["--cql", "--yes"], Person::Absent, 30),
        (&["--yes"], Person::Absent, 0),
    ] {
        let fake = many_statements().serve().await;
        let args = [&START[..], flags].concat();
        let ran = ringkeep_with(&fake.endpoint, person, &args).await;
        assert_eq!(count(&ran.err), expected, "{flags:?} {}", ran.err);
        assert_eq!(count(&ran.out), 0, "{flags:?} {}", ran.out);
    }
}

#[tokio::test]
async fn a_restore_is_accepted_or_rolled_back_by_its_tasks_id_once_a_person_agrees() {
    let fake = Fake::default().serve().await;
    let id = samples::TASK_ID;
    for (command, sentence) in [
        ("accept", format!("task {id} accepts restore {id}\n")),
        ("rollback", format!("task {id} rolls back restore {id}\n")),
    ] {
        let refused = ringkeep(&fake.endpoint, &["restore", command, id]).await;
        assert_eq!(refused.exit, 2, "{command} asks: {}", refused.err);
        let ran = ringkeep(&fake.endpoint, &["restore", command, id, "--yes"]).await;
        assert_eq!((ran.exit, ran.out), (0, sentence), "{}", ran.err);
        let unknown = ringkeep(&fake.endpoint, &["restore", command, "x", "--yes"]).await;
        assert_eq!(unknown.exit, 5, "{command}: {}", unknown.err);
    }
}
