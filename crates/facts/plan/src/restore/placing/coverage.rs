//! How much of the ring the backup holds, and whether that is enough for who asks.

use model::manifest::BackupManifest;
use model::plan::{Completeness, KeyspaceCoverage};
use model::{HostId, Severity};
use placement::coverage;

use super::moves::address;
use super::replication::KeyspacePlan;
use crate::findings::Findings;
use crate::replicas::{in_words, row, satisfies};
use crate::restore::given::rings::Rings;
use crate::{codes, wording};

/// Reports what is missing; returns what is there, one row for each group of replicas of each keyspace.
pub(crate) fn check(
    backup: &BackupManifest,
    keyspaces: &[KeyspacePlan],
    rings: Option<&Rings>,
    wanted: Completeness,
    findings: &mut Findings,
) -> Vec<KeyspaceCoverage> {
    let missing = missing(backup);
    let Some(rings) = rings else {
        // What cannot be weighed is not waived.
        if !missing.is_empty() {
            say(
                backup,
                &missing,
                Severity::Refusal,
                Vec::new(),
                "",
                findings,
            );
        }
        return Vec::new();
    };
    let mut rows = Vec::new();
    let mut lacking = Vec::new();
    let mut groups = Vec::new();
    for keyspace in keyspaces {
        let Some(replication) = &keyspace.source else {
            continue;
        };
        for group in coverage(&rings.source, replication, &rings.available).groups {
            if !group.is_complete() {
                lacking.push(in_words(&keyspace.name, &group));
            }
            rows.push(row(&keyspace.name, &group));
            groups.push(group);
        }
    }
    if missing.is_empty() {
        return rows;
    }
    let enough = |policy| groups.iter().all(|group| satisfies(group, policy));
    let (severity, hint) = match (lacking.is_empty(), enough(wanted)) {
        (true, _) => (Severity::Advice, "they held nothing of what is restored"),
        (false, true) => (
            Severity::Warning,
            "run a full repair before programs read: until then reads at QUORUM may miss rows that are there; nothing brings back \
             what no node of the backup had",
        ),
        (false, false) => (Severity::Refusal, way_without(enough)),
    };
    say(backup, &missing, severity, lacking, hint, findings);
    rows
}

/// The least of the policies that goes without what is missing.
fn way_without(enough: impl Fn(Completeness) -> bool) -> &'static str {
    if enough(Completeness::Quorum) {
        "pick a backup that has every node; or --completeness quorum: what was written at QUORUM is there then, on one replica at least"
    } else if enough(Completeness::One) {
        "pick a backup that has every node; or --completeness one: every range has a replica left, and what was written at \
         QUORUM may be missing"
    } else {
        "pick a backup that has every node; or --completeness any: rows of which the backup has no replica are missing then"
    }
}

fn missing(backup: &BackupManifest) -> Vec<HostId> {
    let absent = |id: &HostId| !backup.nodes.iter().any(|node| node.host_id == *id);
    let members = backup.ring.iter().map(|member| member.host_id);
    members.filter(absent).collect()
}

fn say(
    backup: &BackupManifest,
    missing: &[HostId],
    severity: Severity,
    lacking: Vec<String>,
    hint: &str,
    findings: &mut Findings,
) {
    let names = missing
        .iter()
        .filter_map(|host_id| address(&backup.ring, host_id));
    let mut message = format!(
        "the backup lacks {}, which {} in the ring",
        wording::list(names),
        if missing.len() == 1 { "was" } else { "were" }
    );
    if !lacking.is_empty() {
        message.push_str("; ");
        message.push_str(&lacking.join("; "));
    }
    let code = match severity {
        Severity::Refusal => codes::BACKUP_INCOMPLETE,
        Severity::Warning | Severity::Advice => codes::COVERAGE_REDUCED,
    };
    findings.say_as(severity, code, &backup.backup, message, hint);
}
