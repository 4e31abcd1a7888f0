//! `ringkeep task …`

mod cancel;
mod list;
mod resume;
mod show;
mod watch;

use model::TaskId;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum TaskCommand {
    List(list::Args),
    Show(show::Args),
    Watch(watch::Args),
    Cancel(cancel::Args),
    Resume(resume::Args),
}

pub async fn run(command: TaskCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        TaskCommand::List(args) => list::run(args, context).await,
        TaskCommand::Show(args) => show::run(args, context).await,
        TaskCommand::Watch(args) => watch::run(args, context).await,
        TaskCommand::Cancel(args) => cancel::run(args, context).await,
        TaskCommand::Resume(args) => resume::run(args, context).await,
    }
}

/// What is not a UUID cannot be a task's id, so there is no such task: a script need not tell the two apart.
pub(super) fn task_id(text: &str) -> Result<String, Failure> {
    match text.parse::<TaskId>() {
        Ok(id) => Ok(id.to_string()),
        Err(_) => Err(Failure::NoTask(text.to_owned())),
    }
}
