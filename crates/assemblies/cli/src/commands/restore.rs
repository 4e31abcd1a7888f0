//! `ringkeep restore …`

mod accept;
mod plan;
mod rollback;
mod start;
mod started;

use std::collections::BTreeMap;
use std::str::FromStr;

use api::clients::{PlanRestore, TaskRunner};
use model::ClusterName;
use model::plan::{RequestedMode, RestoreOptions};
use views::PlanView;

use crate::completeness::CompletenessArg;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::names::{BackupArg, RenameArg, SelectionArgs};

#[derive(Debug, clap::Subcommand)]
pub enum RestoreCommand {
    Plan(plan::Args),
    Start(start::Args),
    Accept(accept::Args),
    Rollback(rollback::Args),
}

pub async fn run(command: RestoreCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        RestoreCommand::Plan(args) => plan::run(args, context).await,
        RestoreCommand::Start(args) => start::run(args, context).await,
        RestoreCommand::Accept(args) => accept::run(args, context).await,
        RestoreCommand::Rollback(args) => rollback::run(args, context).await,
    }
}

/// Which backup goes where, and how: the same for planning and for starting.
#[derive(Debug, Clone, clap::Args)]
pub struct RestoreArgs {
    /// NAME, or CLUSTER/NAME if several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// The registered cluster to restore into: the backup's own, or another.
    #[arg(long, value_name = "CLUSTER")]
    into: ClusterName,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Restores under another name, beside what is live: a keyspace as KEYSPACE=NEW, or a table as
    /// KEYSPACE.TABLE=NEW_KEYSPACE.NEW_TABLE; may be given several times. Nothing else is restored then, and --keyspace and
    /// --table may pick a part of it by its names in the backup.
    #[arg(long = "rename", value_name = "OLD=NEW", help_heading = "What")]
    renames: Vec<RenameArg>,
    /// How the data is loaded.
    #[arg(
        long,
        default_value = "auto",
        value_name = "MODE",
        help_heading = "How"
    )]
    mode: Mode,
    /// Lifts VERSION_PAIR_UNSUPPORTED; never a downgrade, never a format that the target cannot read.
    #[arg(long, help_heading = "How")]
    allow_unlisted_version: bool,
    /// Which datacenter of the target takes the data of which datacenter of the backup; without it those of the same name.
    /// One may feed several, by commas, and several one; datacenters of the backup that are not named are left out.
    #[arg(
        long = "datacenter",
        value_name = "BACKUP=TARGET",
        help_heading = "How"
    )]
    datacenters: Vec<DatacenterArg>,
    /// Which replicas the backup may lack.
    #[arg(
        long,
        default_value = "all",
        value_name = "REPLICAS",
        help_heading = "How"
    )]
    completeness: CompletenessArg,
    /// Makes the changes to the backup's schema that the plan offers, so that the target takes it.
    #[arg(long, help_heading = "How")]
    rewrite_schema: bool,
    /// Replaces live data without a trial load. Otherwise each node first loads a few SSTables into a scratch keyspace
    /// (ringkeep_trial_1 and so on, dropped at once), so that what the target would refuse is refused before anything is
    /// emptied.
    #[arg(long, help_heading = "How")]
    skip_trial: bool,
}

/// BACKUP=TARGET.
#[derive(Debug, Clone)]
struct DatacenterArg {
    backup: String,
    target: String,
}

impl FromStr for DatacenterArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((backup, target)) if !backup.is_empty() && !target.is_empty() => Ok(Self {
                backup: backup.to_owned(),
                target: target.to_owned(),
            }),
            _ => Err("write it as BACKUP=TARGET, for example dc1=east".to_owned()),
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Mode {
    /// The planner picks: online.
    Auto,
    /// Cassandra keeps running, and loads the SSTables.
    Online,
    /// Cassandra is stopped, its files are swapped, and it is started.
    InPlace,
}

impl From<Mode> for RequestedMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Auto => Self::Auto,
            Mode::Online => Self::Online,
            Mode::InPlace => Self::InPlace,
        }
    }
}

impl RestoreArgs {
    fn to_plan(&self) -> PlanRestore {
        PlanRestore {
            backup: self.backup.clone().into(),
            target: self.into.clone(),
            options: self.options(),
        }
    }

    fn options(&self) -> RestoreOptions {
        RestoreOptions {
            selection: self.selection.to_model(),
            mode: self.mode.into(),
            allow_unlisted_version: self.allow_unlisted_version,
            datacenters: datacenters(&self.datacenters),
            completeness: self.completeness.into(),
            rewrite_schema: self.rewrite_schema,
            skip_trial: self.skip_trial,
            renames: self.renames.iter().map(|it| it.0.clone()).collect(),
        }
    }
}

/// Of each datacenter of the backup those that it feeds, by commas.
fn datacenters(pairs: &[DatacenterArg]) -> BTreeMap<String, String> {
    let mut fed: BTreeMap<String, String> = BTreeMap::new();
    for DatacenterArg { backup, target } in pairs {
        fed.entry(backup.clone())
            .and_modify(|targets| *targets = format!("{targets},{target}"))
            .or_insert_with(|| target.clone());
    }
    fed
}

/// The plan for a restore; touches nothing.
async fn plan_of(args: &RestoreArgs, context: &mut Context) -> Result<PlanView, Failure> {
    let planned = context.task_runner()?.plan_restore(args.to_plan()).await;
    planned.map_err(|error| context.failed(Service::TaskRunner, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datacenter_that_is_named_twice_feeds_both() {
        let pairs = ["dc1=east", "dc2=west", "dc1=west", "dc3=east,west"];
        let pairs: Vec<DatacenterArg> = pairs
            .iter()
            .map(|pair| pair.parse().expect("a pair"))
            .collect();
        let fed = datacenters(&pairs);
        assert_eq!(fed.len(), 3);
        assert_eq!(fed["dc1"], "east,west");
        assert_eq!(fed["dc2"], "west");
        assert_eq!(fed["dc3"], "east,west");
    }
}
