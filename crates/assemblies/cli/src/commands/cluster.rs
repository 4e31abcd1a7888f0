//! `ringkeep cluster …`

mod add;
mod adopt;
mod list;
mod remove;
mod show;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum ClusterCommand {
    Add(add::Args),
    Adopt(adopt::Args),
    /// Lists the registered clusters.
    List,
    Show(show::Args),
    Remove(remove::Args),
}

pub async fn run(command: ClusterCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        ClusterCommand::Add(args) => add::run(args, context).await,
        ClusterCommand::Adopt(args) => adopt::run(args, context).await,
        ClusterCommand::List => list::run(context).await,
        ClusterCommand::Show(args) => show::run(args, context).await,
        ClusterCommand::Remove(args) => remove::run(args, context).await,
    }
}
