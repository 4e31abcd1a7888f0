use super::*;
use crate::TableRef;

use MaintenanceCommand as C;

fn job(command: C, change: impl FnOnce(&mut MaintenanceJob)) -> MaintenanceJob {
    let mut job = MaintenanceJob::new(command);
    change(&mut job);
    job
}

#[test]
fn every_command_is_read_by_its_word_and_the_nearest_one_is_named_for_others() {
    for (command, word) in C::ALL {
        assert_eq!(word.parse(), Ok(command));
        assert_eq!(serde_json::to_value(command).unwrap(), word);
    }
    let unknown = "upgradesstable".parse::<C>().unwrap_err().to_string();
    assert!(
        unknown
            .starts_with("there is no command `upgradesstable` (did you mean `upgradesstables`?)"),
        "{unknown}"
    );
    let unknown = "replacenode".parse::<C>().unwrap_err();
    assert_eq!(unknown.meant, None);
}

#[test]
fn an_argument_that_a_command_does_not_have_is_refused_by_name() {
    let everything = MaintenanceArgs {
        jobs: Some(2),
        no_validate: true,
        no_snapshot: true,
        skip_corrupted: true,
        split_output: true,
        start_token: Some("1".into()),
        end_token: Some("2".into()),
        source_datacenter: Some("dc2".into()),
        primary_range: Some(true),
    };
    for (command, word) in C::ALL {
        let all = job(command, |job| job.args = everything.clone());
        let refused: Vec<&str> = everything
            .given()
            .into_iter()
            .filter(|name| {
                let words = format!("`{name}` is no argument of {word}");
                all.problems().iter().any(|it| it.starts_with(&words))
            })
            .collect();
        let mut accepted = everything.given();
        accepted.retain(|name| !refused.contains(name));
        let mut known = command.arguments().to_vec();
        known.sort_unstable();
        accepted.sort_unstable();
        assert_eq!(accepted, known, "{word}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_every_reason() {
    for (job, problems) in [
        (job(C::UpgradeSstables, |_| {}), &[][..]),
        (
            job(C::Rebuild, |_| {}),
            &["rebuild needs `source_datacenter`"],
        ),
        (
            job(C::Refresh, |_| {}),
            &["refresh needs the tables into whose folders SSTables were put"],
        ),
        (
            job(C::Restart, |job| {
                job.selection.keyspaces.push("shop".into())
            }),
            &["restart takes no keyspaces"],
        ),
        (
            job(C::Compact, |job| {
                job.args.start_token = Some("--x".into());
                job.args.split_output = true;
            }),
            &[
                "`start_token` and `end_token` are given together",
                "`split_output` is not given together with tokens",
                "`start_token` is no token",
            ],
        ),
        (
            job(C::Repair, |job| job.args.jobs = Some(5)),
            &["`jobs` of repair is at most 4"],
        ),
        (
            job(C::Cleanup, |job| {
                job.selection.tables.push(TableRef::new("shop", "-pw"));
            }),
            &["`-pw` is no name of a keyspace or table"],
        ),
    ] {
        assert_eq!(job.problems(), problems, "{job}");
    }
}

#[test]
fn a_job_reads_as_it_would_be_asked_for() {
    let scrub = job(C::Scrub, |job| {
        job.selection.tables.push(TableRef::new("shop", "orders"));
        job.args.jobs = Some(2);
        job.args.no_snapshot = true;
    });
    assert_eq!(
        scrub.to_string(),
        "scrub --table shop.orders --jobs 2 --no-snapshot"
    );
}
