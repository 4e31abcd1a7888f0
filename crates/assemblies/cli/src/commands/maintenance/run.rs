//! `ringkeep maintenance run`

use api::clients::{StartMaintenance, TaskRunner};
use model::{
    ClusterName, MaintenanceArgs, MaintenanceCommand, MaintenanceJob, Selection, TableRef,
};
use views::maintenance::MaintenanceStartedView;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::names::{KeyspaceArg, TableArg};
use crate::queue::QueueArgs;
use crate::wait;

/// Runs a maintenance command on the nodes of a cluster: rack by rack, one node at a time.
///
/// Starts a task that goes on by itself, also over restarts of Ringkeep. It stops at the first node that fails; the nodes
/// after it are not touched, and `ringkeep task resume` goes on there. `ringkeep task cancel` stops it between nodes: what
/// Cassandra is at on a node then goes on there by itself. Backups and restores of the cluster wait meanwhile.
///
/// Commands:
///   upgradesstables  rewrites SSTables of older formats; succeeds once none is left on disk
///   cleanup          drops what a node does not own, after the ring has grown
///   scrub            rewrites SSTables and leaves out what cannot be read
///   compact          compacts all SSTables of a table
///   flush            writes memtables to disk
///   garbagecollect   drops deleted rows from SSTables
///   rebuild          streams what a node owns from another datacenter
///   refresh          loads SSTables that were put into a table's folder
///   repair           compares replicas in full and makes them equal
///   restart          drains, stops and starts Cassandra; waits until the node sees all others
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, verbatim_doc_comment)]
pub struct Args {
    /// What is run on each node.
    command: MaintenanceCommand,
    /// The cluster, as it was registered.
    cluster: ClusterName,
    /// Only the nodes of this datacenter; may be given several times, and counts in that order.
    #[arg(long = "datacenter", value_name = "DC", help_heading = "Where")]
    datacenters: Vec<String>,
    /// Only the nodes of this rack; may be given several times.
    #[arg(long = "rack", value_name = "R", help_heading = "Where")]
    racks: Vec<String>,
    /// How many nodes of one rack are at work at a time; two racks never are.
    #[arg(
        long,
        default_value_t = 1,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=64),
        help_heading = "Where"
    )]
    concurrency: u32,
    /// Only this keyspace; may be given several times. Without it and --table: every keyspace that makes sense.
    #[arg(long = "keyspace", value_name = "K", help_heading = "What")]
    keyspaces: Vec<KeyspaceArg>,
    /// Only this table, or materialized view; may be given several times.
    #[arg(long = "table", value_name = "K.T", help_heading = "What")]
    tables: Vec<TableArg>,
    #[command(flatten)]
    arguments: Arguments,
    #[command(flatten)]
    queue: QueueArgs,
    /// Waits until the task has ended. Ctrl-C stops the waiting (exit code 1), not the task.
    #[arg(long)]
    wait: bool,
}

/// What some commands have beside their tables.
#[derive(Debug, clap::Args)]
struct Arguments {
    /// Threads on each node; 0: as many as Cassandra compacts with. Of repair at most 4.
    #[arg(long, value_name = "N", help_heading = "How")]
    jobs: Option<u32>,
    /// Of scrub: does not validate columns.
    #[arg(long, help_heading = "How")]
    no_validate: bool,
    /// Of scrub: takes no snapshot before.
    #[arg(long, help_heading = "How")]
    no_snapshot: bool,
    /// Of scrub: leaves corrupted partitions out also of counter tables.
    #[arg(long, help_heading = "How")]
    skip_corrupted: bool,
    /// Of compact: does not make one large SSTable.
    #[arg(long, help_heading = "How")]
    split_output: bool,
    /// Of compact: only SSTables with partitions from this token on.
    #[arg(
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        help_heading = "How"
    )]
    start_token: Option<String>,
    /// Of compact: the last token.
    #[arg(
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        help_heading = "How"
    )]
    end_token: Option<String>,
    /// Of rebuild: the datacenter to stream from.
    #[arg(long, value_name = "DC", help_heading = "How")]
    source_datacenter: Option<String>,
    /// Of repair: only the ranges of which a node is the first replica; true if all nodes are repaired, else false.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "How")]
    primary_range: Option<bool>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep maintenance run upgradesstables prod --wait
  ringkeep maintenance run cleanup prod --datacenter dc1 --rack r1 --jobs 2
  ringkeep maintenance run compact prod --table shop.orders
  ringkeep maintenance run rebuild prod --datacenter dc2 --source-datacenter dc1
  ringkeep maintenance run repair prod --keyspace shop
  ringkeep maintenance run restart prod --wait";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let (wait, command) = (args.wait, args.command);
    let start = start(args)?;
    let started = context.task_runner()?.start_maintenance(start).await;
    let started = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let id = started.task;
    let mut view = MaintenanceStartedView {
        task_id: id.to_string(),
        cluster: started.cluster.to_string(),
        task: None,
    };
    let sentence = format!("task {id} runs {command} on cluster {}\n", view.cluster);
    if !wait {
        let watch = format!("watch it with `ringkeep task watch {id}`");
        context.screen.talk(&watch);
        return context.screen.result(&view, |_, _| sentence);
    }
    context.screen.talk(sentence.trim_end());
    let ended = wait::until_final(id, context).await?;
    view.task = Some(TaskView::from(&ended));
    context.screen.result(&view, |view, _| {
        let state = view.task.as_ref().map_or("", |task| task.state);
        format!("task {} {state}\n", view.task_id)
    })?;
    wait::verdict(&ended)
}

/// Refuses what the command does not have before a service is asked.
fn start(args: Args) -> Result<StartMaintenance, Failure> {
    let Arguments {
        jobs,
        no_validate,
        no_snapshot,
        skip_corrupted,
        split_output,
        start_token,
        end_token,
        source_datacenter,
        primary_range,
    } = args.arguments;
    let tables = args.tables.iter();
    let job = MaintenanceJob {
        command: args.command,
        selection: Selection {
            keyspaces: args.keyspaces.into_iter().map(|name| name.0).collect(),
            tables: tables
                .map(|TableArg(keyspace, table)| TableRef::new(keyspace, table))
                .collect(),
        },
        args: MaintenanceArgs {
            jobs,
            no_validate,
            no_snapshot,
            skip_corrupted,
            split_output,
            start_token,
            end_token,
            source_datacenter,
            primary_range,
        },
    };
    let problems = job.problems();
    if !problems.is_empty() {
        return Err(Failure::Usage {
            message: problems.join("; "),
            hint: "`ringkeep maintenance run --help` shows which command has which".into(),
        });
    }
    Ok(StartMaintenance {
        cluster: Some(args.cluster),
        datacenters: args.datacenters,
        racks: args.racks,
        jobs: vec![job],
        concurrency: args.concurrency,
        document: None,
        queue: args.queue.to_model(),
    })
}
