//! `ringkeep retention`

pub mod preview;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum RetentionCommand {
    Preview(preview::Args),
}

pub async fn run(command: RetentionCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        RetentionCommand::Preview(args) => preview::run(args, context).await,
    }
}
