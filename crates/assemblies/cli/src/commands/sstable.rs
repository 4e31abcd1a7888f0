//! `ringkeep sstable …`: looks at SSTable files where they lie; no service is asked.

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
