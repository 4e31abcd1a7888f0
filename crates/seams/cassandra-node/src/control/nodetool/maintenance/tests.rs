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
fn nodes_that_are_down_or_change_the_ring_are_read_from_the_status() {
    let mut lines = "Datacenter: dc1\n==============\nStatus=Up/Down\n|/ State=Normal/Leaving/Joining/Moving\n\
        --  Address    Load       Tokens  Owns (effective)  Host ID                               Rack\n"
        .to_owned();
    assert_eq!(unsettled(&lines), None);
    for (at, state) in ["UN", "DN", "?N", "UJ", "UL", "UM", "DL"]
        .iter()
        .enumerate()
    {
        lines += &format!(
            "{state}  127.0.0.{at}  ?  16  100.0%  9a8e5c5c-0000-0000-0000-000000000001  r1\n"
        );
    }
    let found = unsettled(&lines).unwrap();
    let down: Vec<String> = found.down.iter().map(ToString::to_string).collect();
    assert_eq!(down, ["127.0.0.1", "127.0.0.2", "127.0.0.6"]);
    let changing: Vec<String> = found
        .changing
        .iter()
        .map(|(address, change)| format!("{address} {change}"))
        .collect();
    assert_eq!(
        changing,
        [
            "127.0.0.3 joining",
            "127.0.0.4 leaving",
            "127.0.0.5 moving",
            "127.0.0.6 leaving"
        ]
    );
}

#[test]
fn a_repair_that_still_runs_keeps_a_second_one_away() {
    let repair = Maintenance::Repair {
        keyspace: "shop".into(),
        tables: Vec::new(),
        primary_range: false,
        jobs: None,
    };
    let idle = "Pool Name         Active   Pending      Completed   Blocked  All time blocked\n\
        Repair-Task            0         0              3         0                 0\n\
        RepairJobTask          0         0              3         0                 0\n";
    check_no_repair(&repair, idle).unwrap();
    let running = format!(
        "{idle}Repair#3               1         2              4         0                 0\n"
    );
    let error = check_no_repair(&repair, &running).unwrap_err();
    assert!(matches!(error, ControlError::Busy { .. }));
    assert!(error.to_string().contains("Repair#3"), "{error}");
}
