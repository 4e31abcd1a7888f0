//! `ringkeep gc …`

mod plan;
mod run;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum GcCommand {
    Plan(plan::Args),
    Run(run::Args),
}

pub async fn run(command: GcCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        GcCommand::Plan(args) => plan::run(args, context).await,
        GcCommand::Run(args) => run::run(args, context).await,
    }
}
