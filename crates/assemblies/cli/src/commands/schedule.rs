//! `ringkeep schedule`

pub mod preview;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum ScheduleCommand {
    Preview(preview::Args),
}

pub fn run(command: &ScheduleCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        ScheduleCommand::Preview(args) => preview::run(args, context),
    }
}
