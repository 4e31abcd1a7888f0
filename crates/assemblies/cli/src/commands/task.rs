//! `ringkeep task …`

mod cancel;
mod fail;
mod list;
mod pause;
mod resume;
mod set_limits;
mod show;
mod watch;

use model::TaskId;

use crate::context::Context;
use crate::failure::Failure;

pub use show::{Args as ShowArgs, run as show};

#[derive(Debug, clap::Subcommand)]
pub enum TaskCommand {
    List(list::Args),
    Show(show::Args),
    Watch(watch::Args),
    Cancel(cancel::Args),
    Fail(fail::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    SetLimits(set_limits::Args),
}

pub async fn run(command: TaskCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        TaskCommand::List(args) => list::run(args, context).await,
        TaskCommand::Show(args) => show::run(args, context).await,
        TaskCommand::Watch(args) => watch::run(args, context).await,
        TaskCommand::Cancel(args) => cancel::run(args, context).await,
        TaskCommand::Fail(args) => fail::run(args, context).await,
        TaskCommand::Pause(args) => pause::run(args, context).await,
        TaskCommand::Resume(args) => resume::run(args, context).await,
        TaskCommand::SetLimits(args) => set_limits::run(args, context).await,
    }
}

/// What is not a UUID cannot be a task's id, so there is no such task: a script need not distinguish the two.
pub(super) fn task_id(text: &str) -> Result<TaskId, Failure> {
    text.parse().map_err(|_| Failure::NoTask(text.to_owned()))
}
