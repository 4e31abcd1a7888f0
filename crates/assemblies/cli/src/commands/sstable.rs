//! `ringkeep sstable …`: inspects and verifies SSTable files in place, and calls no service.

mod inspect;
mod parallel;
mod verify;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub enum SstableCommand {
    Inspect(inspect::Args),
    Verify(verify::Args),
}

pub fn run(command: &SstableCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        SstableCommand::Inspect(args) => inspect::run(args, context),
        SstableCommand::Verify(args) => verify::run(args, context),
    }
}
