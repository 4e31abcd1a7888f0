//! `ringkeep leftovers …`

mod clear;
mod list;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum LeftoversCommand {
    List(list::Args),
    Clear(clear::Args),
}

pub async fn run(command: LeftoversCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        LeftoversCommand::List(args) => list::run(args, context).await,
        LeftoversCommand::Clear(args) => clear::run(args, context).await,
    }
}
