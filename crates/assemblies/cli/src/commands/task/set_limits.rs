//! `ringkeep task set-limits`

use api::clients::TaskRunner;
use model::task::{BANDWIDTH_BYTES_PER_SECOND_MIN, LimitsChange};
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::limits::{not_in_force, text};

/// Changes what a backup, a restore or a verification may take, also while it runs.
///
/// The limits are kept with the task, over restarts of task-runners and agents. They hold on each node on which the task moves
/// data: while a backup uploads and while a restore stages. A verification is read by the storage-catalog, and its limits hold
/// there. The settings of an agent stay in force, so a task never takes more than these allow; `ringkeep task show` and the
/// result show what is in force where.
///
/// Exits with 1 if an agent that is at work now does not have the limits: one that cannot be reached gets them once it can,
/// one of an earlier release does not know them and goes on without.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[group(skip)]
pub struct Args {
    /// The task's id.
    id: String,
    /// Bytes a second on each node, at least 1MiB/s, for example 50MiB/s or 1GB/s; none: no limit of the task's own.
    #[arg(long, value_name = "RATE", value_parser = bandwidth, required_unless_present = "parallel_files")]
    bandwidth: Option<u64>,
    /// Files at a time on each node; none: no limit of the task's own.
    #[arg(long, value_name = "N", value_parser = files)]
    parallel_files: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep task set-limits 01990000-0000-7000-8000-000000000001 --bandwidth 50MiB/s
  ringkeep task set-limits 01990000-0000-7000-8000-000000000001 --bandwidth none --parallel-files 2";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let id = super::task_id(&args.id)?;
    let change = LimitsChange {
        bandwidth_bytes_per_second: args.bandwidth,
        parallel_files: args.parallel_files,
    };
    let set = context.task_runner()?.set_task_limits(id, change).await;
    let task = set.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = TaskView::from(&task);
    context.screen.result(&view, |task, _| text(task))?;
    let nodes = not_in_force(&view);
    match nodes.is_empty() {
        true => Ok(()),
        false => Err(Failure::LimitsNotInForce { nodes }),
    }
}

/// What lifts a limit.
const NONE: &str = "none";
const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// `50MiB/s` in bytes a second; 0: no limit.
fn bandwidth(text: &str) -> Result<u64, String> {
    if text == NONE {
        return Ok(0);
    }
    let per_second = text.strip_suffix("/s").unwrap_or(text);
    let unit = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((per_second.strip_suffix(unit)?, *bytes)));
    let rate = unit.and_then(|(number, bytes)| {
        let number: u64 = number.trim_end().parse().ok()?;
        number.checked_mul(bytes)
    });
    match rate {
        None => Err(format!(
            "a rate is a whole number with a unit, like 50MiB/s, 500MB/s or 1GiB/s, or `{NONE}`"
        )),
        Some(rate) if rate < BANDWIDTH_BYTES_PER_SECOND_MIN => Err(format!(
            "it is less than 1MiB/s, with which a task would not end; `{NONE}` lifts the limit"
        )),
        Some(rate) => Ok(rate),
    }
}

/// A number of files; 0: no limit.
fn files(text: &str) -> Result<u32, String> {
    if text == NONE {
        return Ok(0);
    }
    match text.parse() {
        Ok(files) if files > 0 => Ok(files),
        _ => Err(format!("it is a number from 1 on, or `{NONE}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_unit_and_is_not_too_low() {
        for (text, expected) in [
            ("50MiB/s", 50 << 20),
            ("50 MiB", 50 << 20),
            ("1GB/s", 1_000_000_000),
            ("1048576B/s", 1 << 20),
            ("none", 0),
        ] {
            assert_eq!(bandwidth(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "50",
            "fast",
            "-1MiB/s",
            "1.5GiB/s",
            "0MiB/s",
            "1023KiB/s",
            "99999999999999GiB",
        ] {
            assert!(bandwidth(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_files_at_a_time_is_no_limit_but_a_mistake() {
        assert_eq!((files("2"), files("none")), (Ok(2), Ok(0)));
        for text in ["0", "-1", "some", "5000000000"] {
            assert!(files(text).is_err(), "{text}");
        }
    }
}
