//! Maintenance commands in nodetool's words, and what their output means.

use std::net::IpAddr;

use super::outcome::{FAILED_HINT, last_lines, shown};
use crate::control::{ControlError, Maintenance};

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

/// Reads a node's line of `nodetool status`, `UN  10.0.0.1  …`: its address, and whether it is up.
pub(super) fn status(line: &str) -> Option<(IpAddr, bool)> {
    let mut words = line.split_whitespace();
    let state = words.next()?.as_bytes();
    let (b'U' | b'D' | b'?', b'N' | b'L' | b'J' | b'M' | b'S') = (*state.first()?, *state.get(1)?)
    else {
        return None;
    };
    if state.len() != 2 {
        return None;
    }
    Some((words.next()?.parse().ok()?, state[0] == b'U'))
}

#[cfg(test)]
mod tests {
    use model::TableRef;

    use super::*;

    fn table() -> TableRef {
        TableRef::new("shop", "orders")
    }

    #[test]
    fn each_command_is_written_as_nodetool_takes_it() {
        let table = table();
        for (operation, line) in [
            (
                Maintenance::UpgradeSstables {
                    table: table.clone(),
                    all: true,
                    jobs: 0,
                },
                "upgradesstables -a -j 0 -- shop orders",
            ),
            (
                Maintenance::Cleanup {
                    table: table.clone(),
                    jobs: None,
                },
                "cleanup -- shop orders",
            ),
            (
                Maintenance::Scrub {
                    table: table.clone(),
                    jobs: Some(2),
                    no_validate: true,
                    no_snapshot: true,
                    skip_corrupted: true,
                },
                "scrub -n -ns -s -j 2 -- shop orders",
            ),
            (
                Maintenance::Compact {
                    table: table.clone(),
                    split_output: true,
                    tokens: None,
                },
                "compact -s -- shop orders",
            ),
            (
                Maintenance::Compact {
                    table: table.clone(),
                    split_output: false,
                    tokens: Some(("-5".into(), "7".into())),
                },
                "compact -st -5 -et 7 -- shop orders",
            ),
            (
                Maintenance::Flush {
                    table: table.clone(),
                },
                "flush -- shop orders",
            ),
            (
                Maintenance::GarbageCollect {
                    table,
                    jobs: Some(1),
                },
                "garbagecollect -j 1 -- shop orders",
            ),
            (
                Maintenance::Rebuild {
                    source_datacenter: "dc1".into(),
                    keyspace: Some("shop".into()),
                },
                "rebuild -ks shop -- dc1",
            ),
            (
                Maintenance::Repair {
                    keyspace: "shop".into(),
                    tables: vec!["orders".into()],
                    primary_range: true,
                    jobs: Some(2),
                },
                "repair -full -pr -j 2 -- shop orders",
            ),
        ] {
            assert_eq!(arguments(&operation).join(" "), line);
        }
    }

    #[test]
    fn a_success_that_has_left_a_table_out_or_lost_its_repair_is_none() {
        let cleanup = Maintenance::Cleanup {
            table: table(),
            jobs: None,
        };
        let repair = Maintenance::Repair {
            keyspace: "shop".into(),
            tables: Vec::new(),
            primary_range: false,
            jobs: None,
        };
        for (operation, output, reason) in [
            (&cleanup, "", None),
            (
                &cleanup,
                "Aborted cleaning up at least one table in keyspace shop, check server logs for more information.",
                Some("CONTROL_FAILED"),
            ),
            (
                &cleanup,
                "Failed marking some sstables compacting in keyspace shop, check server logs",
                Some("CASSANDRA_BUSY"),
            ),
            (&repair, "Repair command #1 finished in 2 seconds", None),
            (
                &repair,
                "Replication factor is 1. No repair is needed for keyspace 'shop'",
                None,
            ),
            (
                &repair,
                "Starting repair command #1",
                Some("CONTROL_FAILED"),
            ),
        ] {
            use crate::error::NodeError;
            let judged = judge(operation, &["x"], Ok(output.to_owned()));
            assert_eq!(judged.err().map(|it| it.reason()), reason, "{output}");
        }
    }

    #[test]
    fn a_command_that_cassandra_still_runs_is_waited_for() {
        let rebuild = Maintenance::Rebuild {
            source_datacenter: "dc1".into(),
            keyspace: None,
        };
        let failed = ControlError::Failed {
            operation: "x".into(),
            why: "exit status: 1: Node is still rebuilding. Check nodetool netstats.".into(),
            hint: "",
        };
        let judged = judge(&rebuild, &["rebuild"], Err(failed)).unwrap_err();
        assert!(matches!(judged, ControlError::Busy { .. }), "{judged}");
    }

    #[test]
    fn nodes_that_are_down_are_read_from_the_status() {
        let lines = "Datacenter: dc1\n==============\nStatus=Up/Down\n|/ State=Normal/Leaving/Joining/Moving\n\
            --  Address    Load       Tokens  Owns (effective)  Host ID                               Rack\n\
            UN  127.0.0.1  104.4 KiB  16      100.0%            9a8e5c5c-0000-0000-0000-000000000001  r1\n\
            DN  127.0.0.2  ?          16      100.0%            9a8e5c5c-0000-0000-0000-000000000002  r1\n\
            ?N  ::1        ?          16      100.0%            9a8e5c5c-0000-0000-0000-000000000003  r1\n";
        let found: Vec<(String, bool)> = lines
            .lines()
            .filter_map(status)
            .map(|(address, is_up)| (address.to_string(), is_up))
            .collect();
        let expected = [("127.0.0.1", true), ("127.0.0.2", false), ("::1", false)];
        assert_eq!(found, expected.map(|(a, up)| (a.to_owned(), up)));
    }
}
