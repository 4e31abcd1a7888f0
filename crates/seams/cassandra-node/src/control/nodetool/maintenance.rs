//! Maintenance commands in nodetool's words, and what their output means.

use std::net::IpAddr;

use super::outcome::{last_lines, shown};
use crate::control::hints::FAILED_HINT;
use crate::control::{ControlError, Maintenance, Unsettled};

/// What nodetool and Cassandra print while another operation has the SSTables, or while the same one still runs.
const BUSY_WORDS: &[&str] = &[
    "Failed marking some sstables compacting",
    "Unable to cancel in-progress compactions",
    "is still rebuilding",
];
/// What nodetool prints, in some releases with the status 0, if a table was left out.
const ABORTED_WORDS: &[&str] = &["Aborted "];
/// The last lines of a repair that has come to its end, or has none. A connection that was lost ends without one.
const REPAIRED_WORDS: &[&str] = &[
    "finished",
    "completed successfully",
    "No repair is needed",
    "Nothing to repair",
];

const BUSY_HINT: &str =
    "`nodetool compactionstats` and `nodetool netstats` show what Cassandra is at";
/// The pool of threads that a node has for each repair that was started on it, for as long as that runs.
const REPAIR_POOL: &str = "Repair#";

const RUNNING_HINT: &str = "`nodetool tpstats` lists a pool `Repair#` for each repair that was started on this node; \
     no command of nodetool ends one, a restart of Cassandra does";
const REPAIR_HINT: &str =
    "Cassandra's system.log says how the repair has ended; running it again is safe";

/// nodetool's arguments.
pub(super) fn arguments(operation: &Maintenance) -> Vec<String> {
    let mut words: Vec<String> = vec![operation.word().to_owned()];
    let mut flag = |name: &str, is_set: bool| {
        if is_set {
            words.push(name.to_owned());
        }
    };
    let (threads, names) = match operation {
        Maintenance::UpgradeSstables { table, all, jobs } => {
            flag("-a", *all);
            (Some(*jobs), table_names(table))
        }
        Maintenance::Cleanup { table, jobs } | Maintenance::GarbageCollect { table, jobs } => {
            (*jobs, table_names(table))
        }
        Maintenance::Scrub {
            table,
            jobs,
            no_validate,
            no_snapshot,
            skip_corrupted,
        } => {
            flag("-n", *no_validate);
            flag("-ns", *no_snapshot);
            flag("-s", *skip_corrupted);
            (*jobs, table_names(table))
        }
        Maintenance::Compact {
            table,
            split_output,
            tokens,
        } => {
            flag("-s", *split_output);
            if let Some((start, end)) = tokens {
                words.extend(["-st", start, "-et", end].map(str::to_owned));
            }
            (None, table_names(table))
        }
        Maintenance::Flush { table } => (None, table_names(table)),
        Maintenance::Rebuild {
            source_datacenter,
            keyspace,
        } => {
            if let Some(keyspace) = keyspace {
                words.extend(["-ks".to_owned(), keyspace.clone()]);
            }
            (None, vec![source_datacenter.clone()])
        }
        Maintenance::Repair {
            keyspace,
            tables,
            primary_range,
            jobs,
        } => {
            flag("-full", true);
            flag("-pr", *primary_range);
            let names = std::iter::once(keyspace).chain(tables);
            (*jobs, names.cloned().collect())
        }
    };
    if let Some(threads) = threads {
        words.extend(["-j".to_owned(), threads.to_string()]);
    }
    words.push("--".to_owned());
    words.extend(names);
    words
}

fn table_names(table: &model::TableRef) -> Vec<String> {
    vec![table.keyspace.clone(), table.table.clone()]
}

/// What the end of the command means. The status alone is no evidence.
pub(super) fn judge(
    operation: &Maintenance,
    arguments: &[&str],
    ended: Result<String, ControlError>,
) -> Result<(), ControlError> {
    let has = |text: &str, words: &[&str]| words.iter().any(|words| text.contains(words));
    let failed = |why: String, hint| ControlError::Failed {
        operation: shown(arguments),
        why,
        hint,
    };
    match ended {
        Err(ControlError::Failed { why, .. }) if has(&why, BUSY_WORDS) => Err(busy(arguments, why)),
        Err(error) => Err(error),
        Ok(output) if has(&output, BUSY_WORDS) => Err(busy(arguments, last_lines(&output))),
        Ok(output) if has(&output, ABORTED_WORDS) => Err(failed(last_lines(&output), FAILED_HINT)),
        Ok(output)
            if matches!(operation, Maintenance::Repair { .. }) && !has(&output, REPAIRED_WORDS) =>
        {
            let why = format!("no word of its end: {}", last_lines(&output));
            Err(failed(why, REPAIR_HINT))
        }
        Ok(_) => Ok(()),
    }
}

fn busy(arguments: &[&str], why: String) -> ControlError {
    ControlError::Busy {
        operation: shown(arguments),
        why,
        hint: BUSY_HINT,
    }
}

/// Fails if a repair that was started on this node still runs, as `nodetool tpstats` shows it: that of a call that was cut off
/// goes on, and a second one beside it would do all of its work again.
pub(super) fn check_no_repair(operation: &Maintenance, tpstats: &str) -> Result<(), ControlError> {
    let pools = tpstats
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let running: Vec<&str> = pools.filter(|pool| pool.starts_with(REPAIR_POOL)).collect();
    if running.is_empty() {
        return Ok(());
    }
    Err(ControlError::Busy {
        operation: operation.to_string(),
        why: format!(
            "a repair that was started before still runs: {}",
            running.join(", ")
        ),
        hint: RUNNING_HINT,
    })
}

/// The nodes that `nodetool status` shows as anything but up and in their place; none if it shows no node at all.
pub(super) fn unsettled(output: &str) -> Option<Unsettled> {
    let mut unsettled = Unsettled::default();
    let mut has_any = false;
    for (address, is_up, change) in output.lines().filter_map(status) {
        has_any = true;
        if !is_up {
            unsettled.down.insert(address);
        }
        if let Some(change) = change {
            unsettled.changing.insert(address, change);
        }
    }
    has_any.then_some(unsettled)
}

/// Reads a node's line of `nodetool status`, `UN  10.0.0.1  …`: its address, whether it is up, and how it changes the ring.
fn status(line: &str) -> Option<(IpAddr, bool, Option<&'static str>)> {
    let mut words = line.split_whitespace();
    let &[state @ (b'U' | b'D' | b'?'), place] = words.next()?.as_bytes() else {
        return None;
    };
    let change = match place {
        b'N' | b'S' => None,
        b'J' => Some("joining"),
        b'L' => Some("leaving"),
        b'M' => Some("moving"),
        _ => return None,
    };
    Some((words.next()?.parse().ok()?, state == b'U', change))
}

#[cfg(test)]
mod tests;
