//! `ringkeep retention …`

mod clear;
mod policy;
mod preview;
mod run;
mod set;
mod show;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum RetentionCommand {
    Set(set::Args),
    Show(show::Args),
    Clear(clear::Args),
    Run(run::Args),
    Preview(preview::Args),
}

pub async fn run(command: RetentionCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        RetentionCommand::Set(args) => set::run(args, context).await,
        RetentionCommand::Show(args) => show::run(args, context).await,
        RetentionCommand::Clear(args) => clear::run(args, context).await,
        RetentionCommand::Run(args) => run::run(args, context).await,
        RetentionCommand::Preview(args) => preview::run(args, context).await,
    }
}
