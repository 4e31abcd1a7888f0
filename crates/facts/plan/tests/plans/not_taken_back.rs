//! What a restore leaves as it is in a live keyspace, with the CQL by which people take it back.

use model::{Finding, SchemaKind, Severity};
use plan::{RestoreRequest, StepKind, plan_restore};

use crate::world::*;

fn finding(request: &RestoreRequest, code: &str) -> Option<Finding> {
    let findings = plan_restore(request).findings.into_iter();
    let mut of_code = findings.filter(|it| it.code == code);
    let found = of_code.next();
    assert_eq!(of_code.next(), None, "once");
    found
}

fn differing(kind: SchemaKind, name: &str, was: &str, now: &str) -> Finding {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entry(kind, name, "", &[was]);
    target.entry(kind, name, "", &[now]);
    finding(&request(&source, &target), "TYPE_DIFFERS").expect("a finding")
}

#[test]
fn a_type_or_function_that_differs_comes_with_the_way_back() {
    let function = |body: &str| {
        format!(
            "CREATE FUNCTION shop.f(a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ {body}; $$"
        )
    };
    for (kind, name, was, now, hint) in [
        (
            SchemaKind::Type,
            "shop.money",
            "CREATE TYPE shop.money (amount decimal)",
            "CREATE TYPE shop.money (sum decimal)",
            "bring it back, and plan again: ALTER TYPE shop.money RENAME sum TO amount".to_owned(),
        ),
        (
            SchemaKind::Type,
            "shop.money",
            "CREATE TYPE shop.money (amount decimal)",
            "CREATE TYPE shop.money (amount varint)",
            "no CQL takes its fields back: back up what is live, drop the tables that use it, DROP TYPE shop.money, and plan again; the restore makes all of them as they were".to_owned(),
        ),
        (
            SchemaKind::Function,
            "shop.f(int)",
            &function("return a"),
            &function("return a + 1"),
            format!(
                "bring it back, and plan again (if what it returns has changed, drop it first): {}",
                function("return a").replace("CREATE ", "CREATE OR REPLACE ")
            ),
        ),
    ] {
        let found = differing(kind, name, was, now);
        assert_eq!(found.severity, Severity::Refusal, "{now}");
        assert_eq!(found.hint, hint, "{now}");
    }
}

/// Of a live keyspace with `now`, and one of the backup with `was`.
fn durable(was: bool, now: bool) -> RestoreRequest {
    let keyspace = |durable: bool| {
        format!(
            "CREATE KEYSPACE shop WITH replication = {{'class': 'NetworkTopologyStrategy', 'dc1': '3'}} AND durable_writes = {durable}"
        )
    };
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.redefine(SchemaKind::Keyspace, "shop", &keyspace(was));
    target.redefine(SchemaKind::Keyspace, "shop", &keyspace(now));
    request(&source, &target)
}

#[test]
fn durable_writes_of_a_live_keyspace_stay_and_are_reported() {
    for (was, now, severity, hint) in [
        (
            true,
            false,
            Severity::Warning,
            "to have it as it was: ALTER KEYSPACE shop WITH durable_writes = true",
        ),
        (
            false,
            true,
            Severity::Advice,
            "to have it as it was: ALTER KEYSPACE shop WITH durable_writes = false",
        ),
    ] {
        let request = durable(was, now);
        let found = finding(&request, "DURABLE_WRITES_DIFFER").expect("a finding");
        assert_eq!((found.subject.as_str(), found.severity), ("shop", severity));
        assert_eq!(found.hint, hint);
        let plan = plan_restore(&request);
        assert!(plan.supported, "{:?}", plan.findings);
        let kinds = [StepKind::Schema, StepKind::Replace];
        let mut cql = kinds.iter().flat_map(|kind| statements(&plan, *kind));
        assert!(!cql.any(|cql| cql.contains("durable_writes")), "{plan:?}");
    }
    for same in [true, false] {
        let found = finding(&durable(same, same), "DURABLE_WRITES_DIFFER");
        assert_eq!(found, None, "{same}");
    }
}

#[test]
fn a_keyspace_that_is_made_has_the_durable_writes_of_the_backup() {
    let mut request = durable(false, true);
    let empty = empty("cassandra 4.1.9");
    request.nodes = empty.describe();
    request.schema = empty.schema();
    assert_eq!(finding(&request, "DURABLE_WRITES_DIFFER"), None);
    let plan = plan_restore(&request);
    let made = &statements(&plan, StepKind::Schema)[0];
    assert!(made.contains("durable_writes = false"), "{made}");
}
