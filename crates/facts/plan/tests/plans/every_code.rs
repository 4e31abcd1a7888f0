//! Every code has a plan that says it, or is one that only a task says.

mod backups;
mod cluster;
mod data;
mod renames;
mod schema;

use model::Finding;
use plan::{RestoreRequest, codes, plan_restore};

/// A code and the findings of a plan that is to have it.
type Case = (&'static str, Vec<Finding>);

/// What a task has to say when it ends; no plan knows of it.
const ONLY_TASKS: [&str; 17] = [
    "ACCEPTED_BY_SETTING",
    "SCHEMA_CHANGED_DURING_BACKUP",
    "SNAPSHOT_NOT_CLEARED",
    "BACKUP_NOT_ABANDONED",
    "STAGING_NOT_REMOVED",
    "CASSANDRA_NOT_STARTED",
    "CASSANDRA_STOPPED",
    "CLIENTS_CUT_OFF",
    "NEWER_WRITES_POSSIBLE",
    "ENDED_BY_FORCE",
    "LEFT_ON_NODES",
    "MADE_AND_KEPT",
    "TRIAL_NOT_DROPPED",
    "PIN_NOT_RELEASED",
    "RETENTION_REFUSED",
    "RETENTION_CLOCK",
    "DELETION_CUT_SHORT",
];

fn said(request: &RestoreRequest) -> Vec<Finding> {
    plan_restore(request).findings
}

fn cases() -> Vec<Case> {
    [
        backups::cases(),
        cluster::cases(),
        data::cases(),
        renames::cases(),
        schema::cases(),
    ]
    .concat()
}

#[test]
fn every_code_is_said_by_a_plan_or_by_a_task() {
    let cases = cases();
    for code in codes::ALL {
        let by_plan = cases.iter().any(|(name, _)| *name == code.name);
        let by_task = ONLY_TASKS.contains(&code.name);
        assert!(
            by_plan != by_task,
            "{} is to be in one of the tables",
            code.name
        );
    }
    for (name, _) in &cases {
        assert!(codes::Code::find(name).is_some(), "{name} is no code");
    }
}

#[test]
fn every_plan_says_what_its_table_says() {
    for (name, findings) in cases() {
        let said: Vec<&str> = findings.iter().map(|it| it.code.as_str()).collect();
        assert!(said.contains(&name), "{name} is not in {said:?}");
    }
}

#[test]
fn no_finding_says_nothing_or_says_it_twice() {
    for (name, findings) in cases() {
        for (at, finding) in findings.iter().enumerate() {
            assert!(!finding.subject.is_empty(), "{name}: {finding:?}");
            assert!(!finding.message.is_empty(), "{name}: {finding:?}");
            let alike = |other: &Finding| {
                other.subject == finding.subject && other.message == finding.message
            };
            assert!(!findings[..at].iter().any(alike), "{name}: {finding:?}");
        }
    }
}
