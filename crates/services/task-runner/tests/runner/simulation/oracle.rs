//! What must hold, found from what is on the disk and not by the code that is tested.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use schedule::PastRun;
use serde_json::Value;

use crate::fleet::Work;

type Entries = BTreeMap<String, (Value, u64)>;

/// Claims of live tasks that exclude each other.
pub fn unsound_claims(entries: &Entries) -> Vec<String> {
    let mut found = Vec::new();
    for (key, (claim, _)) in entries.iter().filter(|(key, _)| key.starts_with("claims/")) {
        let holders = claim["holders"].as_array().cloned().unwrap_or_default();
        let live: Vec<&Value> = holders
            .iter()
            .filter(|holder| is_live(entries, &holder["task"]))
            .collect();
        for (at, one) in live.iter().enumerate() {
            for other in &live[..at] {
                let is_sound = may_share(&one["need"], &other["need"])
                    || may_share(&other["need"], &one["need"]);
                if !is_sound {
                    found.push(format!("{key}: {one} beside {other}"));
                }
            }
        }
    }
    found
}

/// Whether a claim of the task covers the work.
pub fn has_claimed(entries: &Entries, task: &str, work: &Work<'_>) -> bool {
    let mut claims = entries.iter().filter(|(key, _)| key.starts_with("claims/"));
    claims.any(|(_, (claim, _))| {
        let holders = claim["holders"].as_array().cloned().unwrap_or_default();
        let mut own = holders.iter().filter(|holder| holder["task"] == task);
        own.any(|holder| covers(&holder["need"], work))
    })
}

/// Whether what a task needs covers a piece of its work.
fn covers(need: &Value, work: &Work<'_>) -> bool {
    let (kind, keyspaces) = match work {
        Work::Any => return true,
        _ if need == "whole" => return true,
        Work::Backup(keyspaces) => ("backup", keyspaces),
        Work::Restore(keyspaces) => ("restore", keyspaces),
    };
    match need.get(kind) {
        // All keyspaces.
        Some(Value::Null) => true,
        Some(Value::Array(claimed)) => {
            let is_claimed = |name: &String| claimed.iter().any(|claimed| claimed == name);
            !keyspaces.is_empty() && keyspaces.iter().all(is_claimed)
        }
        _ => false,
    }
}

#[test]
fn a_claim_covers_its_own_keyspaces_and_no_others() {
    let (a, b) = (["a".to_owned()], ["a".to_owned(), "b".to_owned()]);
    let backup = serde_json::json!({ "backup": ["a"] });
    assert!(covers(&backup, &Work::Backup(&a)));
    assert!(!covers(&backup, &Work::Backup(&b)));
    assert!(!covers(&backup, &Work::Backup(&[])), "all keyspaces");
    assert!(!covers(&backup, &Work::Restore(&a)), "of another kind");
    let all = serde_json::json!({ "restore": null });
    assert!(covers(&all, &Work::Restore(&b)));
    assert!(covers(&serde_json::json!("whole"), &Work::Restore(&b)));
}

/// Whether two live tasks share a cluster.
pub fn is_shared(entries: &Entries) -> bool {
    let mut claims = entries.iter().filter(|(key, _)| key.starts_with("claims/"));
    claims.any(|(_, (claim, _))| {
        let holders = claim["holders"].as_array().cloned().unwrap_or_default();
        let live = holders
            .iter()
            .filter(|holder| is_live(entries, &holder["task"]));
        live.count() > 1
    })
}

/// Whether the task may act, or must keep what it has while it is paused.
fn is_live(entries: &Entries, task: &Value) -> bool {
    let id = task.as_str().unwrap_or_default();
    let Some((record, _)) = entries.get(&format!("tasks/{id}")) else {
        return false;
    };
    match record["state"].as_str() {
        Some("pending" | "running") => true,
        Some("paused") => record["paused"]["keeps_cluster"] == true,
        _ => false,
    }
}

/// Only a backup of some keyspaces beside a restore of others.
fn may_share(backup: &Value, restore: &Value) -> bool {
    let names = |value: &Value| -> Option<BTreeSet<String>> {
        let names = value.as_array()?.iter();
        Some(
            names
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
        )
    };
    match (names(&backup["backup"]), names(&restore["restore"])) {
        (Some(saved), Some(restored)) => saved.is_disjoint(&restored),
        _ => false,
    }
}

/// Due times of a schedule with more than one entry in its history.
pub fn due_twice(past: &[PastRun]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, one) in past.iter().enumerate() {
        for other in &past[..at] {
            if one.first_due <= other.last_due && other.first_due <= one.last_due {
                found.push(format!("{one:?} and {other:?}"));
            }
        }
    }
    found
}

/// Due times that no entry of the history of a schedule of every minute has.
pub fn gaps(past: &[PastRun]) -> Vec<String> {
    let mut past: Vec<&PastRun> = past.iter().collect();
    past.sort_by_key(|run| run.first_due);
    let is_gap = |pair: &&[&PastRun]| {
        let next = pair[0].last_due + SignedDuration::from_mins(1);
        pair[1].first_due > next
    };
    let gaps = past.windows(2).filter(is_gap);
    gaps.map(|pair| format!("between {:?} and {:?}", pair[0], pair[1]))
        .collect()
}

/// Scheduled backups that have two tasks.
pub fn made_twice(entries: &Entries) -> Vec<String> {
    let tasks = entries.iter().filter(|(key, _)| key.starts_with("tasks/"));
    let names = tasks.filter_map(|(_, (record, _))| record["backup"]["name"].as_str());
    let mut seen = BTreeSet::new();
    let scheduled = names.filter(|name| name.starts_with("nightly"));
    scheduled
        .filter(|name| !seen.insert(*name))
        .map(str::to_owned)
        .collect()
}
