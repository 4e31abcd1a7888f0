use model::{MaintenanceCommand, Selection, TableRef};

use super::*;

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

fn now() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().expect("a time")
}

fn read_one(text: &str) -> Document {
    let read = read(text, None, now());
    read.unwrap_or_else(|problems| panic!("{problems:#?}"))
        .remove(0)
}

/// A CassandraTask with these lines in its spec, and `jobs` of one command.
fn task(spec: &str, job: &str) -> String {
    format!(
        "apiVersion: control.k8ssandra.io/v1alpha1\nkind: CassandraTask\nmetadata: {{name: t}}\n\
         spec:\n  datacenter: {{name: dc1}}\n{spec}  jobs:\n    - {job}\n"
    )
}

#[test]
fn the_document_of_mission_control_is_read_word_for_word() {
    let document = read_one(UPGRADE);
    assert_eq!(document.kind, Kind::CassandraTask);
    assert_eq!(
        (document.namespace.as_str(), document.name.as_str()),
        ("", "upgrade-sstables")
    );
    let start = document.start;
    assert_eq!(start.cluster, None, "its datacenter says which");
    assert_eq!(
        (start.datacenters, start.racks),
        (vec!["dc1".to_owned()], vec![])
    );
    let job = model::MaintenanceJob::new(MaintenanceCommand::UpgradeSstables);
    assert_eq!((start.jobs, start.concurrency), (vec![job], 1));
    let asked = start.document.expect("a document");
    assert_eq!(asked.ttl_seconds, 86_400);
    let content: Value = serde_json::from_str(&asked.content).expect("JSON");
    assert_eq!(content["spec"]["jobs"][0]["command"], "upgradesstables");
}

#[test]
fn the_same_document_in_another_order_or_with_a_status_is_the_same() {
    let first = read_one(UPGRADE);
    let other = "\
{\"kind\": \"CassandraTask\", \"apiVersion\": \"control.k8ssandra.io/v1alpha1\", \"status\": {\"active\": 1},
 \"spec\": {\"jobs\": [{\"command\": \"upgradesstables\", \"name\": \"upgradesstables\"}], \"datacenter\": {\"name\": \"dc1\"}},
 \"metadata\": {\"name\": \"upgrade-sstables\"}}";
    assert_eq!(read_one(other), first);
}

#[test]
fn every_honoured_field_has_its_effect() {
    let text = task(
        "  ttlSecondsAfterFinished: 60\n  maxConcurrentPods: 3\n  restartPolicy: OnFailure\n  \
         concurrencyPolicy: Forbid\n  scheduledTime: 2026-11-26T11:00:00Z\n",
        "{name: s, command: scrub, args: {keyspace_name: shop, tables: [orders], jobs: 2, rack: r1, \
         no_validate: true, no_snapshot: true, skip_corrupted: true, fast: false}}",
    );
    let start = read_one(&text).start;
    assert_eq!(start.concurrency, 3);
    assert_eq!(start.racks, ["r1"]);
    assert_eq!(start.document.expect("a document").ttl_seconds, 60);
    let job = &start.jobs[0];
    assert_eq!(
        job.to_string(),
        "scrub --table shop.orders --jobs 2 --no-validate --no-snapshot --skip-corrupted"
    );
    let text = task(
        "",
        "{name: c, command: cleanup, args: {keyspace_name: shop}}",
    );
    let whole = Selection {
        keyspaces: vec!["shop".into()],
        tables: Vec::<TableRef>::new(),
    };
    assert_eq!(read_one(&text).start.jobs[0].selection, whole);
}

#[test]
fn what_is_not_honoured_is_refused_by_name() {
    let cleanup = "{name: c, command: cleanup}";
    let job = |args: &str| format!("{{name: x, command: cleanup, args: {args}}}");
    for (text, problem) in [
        (
            task("  maxConcurentPods: 2\n", cleanup),
            "unknown field spec.maxConcurentPods (did you mean `maxConcurrentPods`?)",
        ),
        (
            task("", "{name: x, command: upgradesstable}"),
            "spec.jobs[0].command: there is no command `upgradesstable` (did you mean `upgradesstables`?)",
        ),
        (
            task("", "{name: x, command: replacenode}"),
            "spec.jobs[0].command: `replacenode` is not run here: nodes are not replaced",
        ),
        (
            task("", "{name: x, command: refresh}"),
            "`refresh` is not run here: in Kubernetes it has the operator bring pods up to date",
        ),
        (
            task("", &job("{pod_name: p}")),
            "spec.jobs[0].args.pod_name is not honoured here: there are no pods",
        ),
        (
            task("", &job("{split_output: true}")),
            "spec.jobs[0]: `split_output` is no argument of cleanup; it is one of compact",
        ),
        (
            task("", &job("{tables: [t]}")),
            "spec.jobs[0].args.tables needs keyspace_name",
        ),
        (
            task("", &job("{jobs: two}")),
            "spec.jobs[0].args.jobs is no whole number from 0 on",
        ),
        (
            task("  restartPolicy: Never\n", cleanup),
            "spec.restartPolicy `Never` is not honoured here",
        ),
        (
            task("  concurrencyPolicy: Allow\n", cleanup),
            "spec.concurrencyPolicy `Allow` is not honoured here: a cluster has one task at a time",
        ),
        (
            task("  retries: 3\n", cleanup),
            "spec.retries is not honoured here",
        ),
        (
            task("  scheduledTime: 2027-01-01T00:00:00Z\n", cleanup),
            "spec.scheduledTime 2027-01-01T00:00:00Z is still to come",
        ),
        (
            UPGRADE.replace("kind: CassandraTask", "kind: CassandraTasks"),
            "there is no kind `CassandraTasks` (did you mean `CassandraTask`?)",
        ),
        (
            UPGRADE.replace("kind: CassandraTask", "kind: MedusaBackup"),
            "there is no kind `MedusaBackup`; the kinds are CassandraTask and K8ssandraTask",
        ),
        (
            UPGRADE.replace("v1alpha1", "v1"),
            "apiVersion `control.k8ssandra.io/v1` is not known for CassandraTask",
        ),
        (
            UPGRADE.replace(
                "metadata: {name: upgrade-sstables}",
                "metadata: {generateName: u-}",
            ),
            "metadata.generateName is not honoured here",
        ),
        (
            UPGRADE.replace("{name: dc1}", "{}"),
            "spec.datacenter.name is missing",
        ),
        (String::new(), "there is no document"),
        ("a: [".to_owned(), "document 1: cannot be read"),
        ("- a".to_owned(), "document 1: the document is no mapping"),
    ] {
        let problems = read(&text, None, now()).expect_err(problem);
        assert!(
            problems.iter().any(|found| found.contains(problem)),
            "{problem}: {problems:#?}"
        );
    }
}

#[test]
fn all_problems_of_all_documents_are_named_and_their_documents() {
    let text = format!(
        "{UPGRADE}---\n{}---\n{}",
        task("  a: 1\n  b: 2\n", "{name: c, command: clean}"),
        UPGRADE.replace("upgrade-sstables", "another")
    );
    let problems = read(&text, None, now()).expect_err("problems");
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(
        problems
            .iter()
            .all(|it| it.starts_with("CassandraTask `t`: "))
    );
    let twice = format!("{UPGRADE}---\n{UPGRADE}");
    let problems = read(&twice, None, now()).expect_err("twice");
    assert_eq!(
        problems,
        ["CassandraTask `upgrade-sstables` is there twice"]
    );
}

#[test]
fn a_flag_counts_before_an_annotation_and_that_before_the_document() {
    let annotated = UPGRADE.replace(
        "{name: upgrade-sstables}",
        "{name: u, annotations: {ringkeep/cluster: noted}}",
    );
    let name = |text: &str, flag: Option<&str>| {
        let flag = flag.map(|name| name.parse().expect("a name"));
        let read = read(text, flag.as_ref(), now()).expect("documents");
        read[0].start.cluster.as_ref().map(ToString::to_string)
    };
    assert_eq!(name(&annotated, None).as_deref(), Some("noted"));
    assert_eq!(
        name(&annotated, Some("flagged")).as_deref(),
        Some("flagged")
    );
    let k8ssandra = "\
apiVersion: control.k8ssandra.io/v1alpha1
kind: K8ssandraTask
metadata: {name: k, namespace: ns}
spec:
  cluster: {name: prod}
  datacenters: [dc2, dc1]
  template:
    jobs:
      - {name: f, command: flush}
      - {name: c, command: cleanup}
";
    assert_eq!(name(k8ssandra, None).as_deref(), Some("prod"));
    let start = read_one(k8ssandra).start;
    assert_eq!(start.datacenters, ["dc2", "dc1"]);
    assert_eq!(start.jobs.len(), 2);
    let allowed = k8ssandra.replace("  template:", "  dcConcurrencyPolicy: Allow\n  template:");
    let problems = read(&allowed, None, now()).expect_err("not honoured");
    assert!(problems[0].contains("spec.dcConcurrencyPolicy `Allow` is not honoured"));
}

#[test]
fn kinds_are_named_as_kubectl_takes_them() {
    for word in ["cassandratask", "CassandraTasks", "CASSANDRATASK"] {
        assert_eq!(word.parse(), Ok(Kind::CassandraTask), "{word}");
    }
    let unknown = "casandratask".parse::<Kind>().expect_err("mistyped");
    assert!(
        unknown
            .to_string()
            .contains("did you mean `CassandraTask`?")
    );
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    for text in [
        format!("{UPGRADE}metadata: {{name: other}}\n"),
        UPGRADE.replace("{name: dc1}", "{name: dc1, name: dc2}"),
        UPGRADE.replace(
            "command: upgradesstables}",
            "command: upgradesstables, command: cleanup}",
        ),
    ] {
        let problems = read(&text, None, now()).expect_err("twice");
        assert!(problems[0].contains("is there twice"), "{problems:#?}");
    }
}

#[test]
fn aliases_do_not_fill_memory() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..7 {
        let alias = format!("*a{}, ", at - 1).repeat(10);
        text += &format!("a{at}: &a{at} [{alias}]\n");
    }
    let problems = read(&text, None, now()).expect_err("too large");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(100_000),
        "*a, ".repeat(20)
    );
    let problems = read(&long, None, now()).expect_err("too large");
    assert!(problems[0].contains("with its aliases"), "{problems:#?}");
}

#[test]
fn labels_and_annotations_are_mappings_of_texts() {
    for (metadata, problem) in [
        ("labels: [a]", "metadata.labels is no mapping"),
        ("labels: {a: 1}", "metadata.labels `a` is no text"),
        ("annotations: text", "metadata.annotations is no mapping"),
        (
            "annotations: {b: {c: d}}",
            "metadata.annotations `b` is no text",
        ),
    ] {
        let text = UPGRADE.replace("{name: upgrade-", &format!("{{{metadata}, name: upgrade-"));
        let problems = read(&text, None, now()).expect_err(problem);
        assert!(problems[0].ends_with(problem), "{problems:#?}");
    }
    let labelled = UPGRADE.replace("{name: upgrade-", "{labels: {a: b}, name: upgrade-");
    read_one(&labelled);
}
