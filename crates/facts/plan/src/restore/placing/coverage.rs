//! How much of the ring the backup holds, and whether that is enough for who asks.

use model::manifest::BackupManifest;
use model::plan::{Completeness, KeyspaceCoverage};
use model::{HostId, Severity};
use placement::{GroupCoverage, coverage};

use super::moves::address;
use super::replication::KeyspacePlan;
use crate::findings::Findings;
use crate::restore::given::rings::Rings;
use crate::{codes, wording};

/// Says what is missing; answers what is there, one row for each group of replicas of each keyspace.
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

fn satisfies(group: &GroupCoverage, wanted: Completeness) -> bool {
    match wanted {
        Completeness::All => group.is_complete(),
        Completeness::Quorum => group.lossy.is_empty(),
        Completeness::One => group.missing.is_empty(),
        Completeness::Any => true,
    }
}

fn in_words(keyspace: &str, group: &GroupCoverage) -> String {
    let datacenter = group.datacenter.as_ref();
    let place = datacenter.map_or(String::new(), |name| format!(" in {name}"));
    let parts = group.share_by_available.iter().enumerate();
    let replicas = group.replicas;
    let parts: Vec<String> = parts
        .take(replicas)
        .filter(|(_, share)| **share > 0.0)
        .map(|(held, share)| {
            let held = match held {
                0 => "none".to_owned(),
                _ => held.to_string(),
            };
            format!(
                "{held} of {replicas} replicas for {} of the ring",
                percent(*share)
            )
        })
        .collect();
    format!("of {keyspace}{place} it has {}", parts.join(", "))
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 0.1 => "less than 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

fn row(keyspace: &str, group: &GroupCoverage) -> KeyspaceCoverage {
    const PPM: f64 = 1_000_000.0;
    let complete = group.is_complete();
    let ppm = |(held, share): (usize, &f64)| match held == group.replicas {
        // What is complete is complete, whatever floating point says.
        true if complete => PPM as u32,
        true => (share * PPM) as u32,
        // No part that is missing is rounded away.
        false => (share * PPM).ceil() as u32,
    };
    KeyspaceCoverage {
        keyspace: keyspace.to_owned(),
        datacenter: group.datacenter.clone().unwrap_or_default(),
        replicas: u32::try_from(group.replicas).unwrap_or(u32::MAX),
        held_ppm: group
            .share_by_available
            .iter()
            .enumerate()
            .map(ppm)
            .collect(),
    }
}
