//! `ringkeep maintenance …`

mod list;
mod run;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum MaintenanceCommands {
    Run(Box<run::Args>),
    List(list::Args),
    /// Shows a maintenance task with what each node has come to.
    Show(super::task::ShowArgs),
}

pub async fn run(command: MaintenanceCommands, context: &mut Context) -> Result<(), Failure> {
    match command {
        MaintenanceCommands::Run(args) => run::run(*args, context).await,
        MaintenanceCommands::List(args) => list::run(args, context).await,
        MaintenanceCommands::Show(args) => super::task::show(args, context).await,
    }
}
