//! `ringkeep schedule …`

mod create;
mod delete;
mod list;
mod pause;
mod preview;
mod resume;
mod run;
mod show;

use model::ClusterName;
use schedule::ScheduleName;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum ScheduleCommand {
    Create(create::Args),
    List(list::Args),
    Show(show::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    RunNow(run::Args),
    Delete(delete::Args),
    Preview(preview::Args),
}

/// A schedule by its cluster and its name.
#[derive(Debug, clap::Args)]
pub struct NamedArgs {
    cluster: ClusterName,
    /// The schedule.
    schedule: ScheduleName,
}

pub async fn run(command: ScheduleCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        ScheduleCommand::Create(args) => create::run(args, context).await,
        ScheduleCommand::List(args) => list::run(args, context).await,
        ScheduleCommand::Show(args) => show::run(args, context).await,
        ScheduleCommand::Pause(args) => pause::run(args, context).await,
        ScheduleCommand::Resume(args) => resume::run(args, context).await,
        ScheduleCommand::RunNow(args) => run::run(args, context).await,
        ScheduleCommand::Delete(args) => delete::run(args, context).await,
        ScheduleCommand::Preview(args) => preview::run(&args, context),
    }
}
