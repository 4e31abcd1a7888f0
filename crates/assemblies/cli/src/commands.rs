//! One file for each command: its arguments with their help, then `run`.

pub mod apply;
pub mod backup;
pub mod cluster;
pub mod compat;
pub mod completions;
pub mod gc;
pub mod get;
pub mod leftovers;
pub mod maintenance;
pub mod restore;
pub mod retention;
pub mod schedule;
pub mod sstable;
pub mod standalone;
pub mod state;
pub mod status;
pub mod task;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;

pub async fn run(command: Command, context: &mut Context) -> Result<(), Failure> {
    match command {
        Command::Standalone(_) | Command::State(_) => {
            unreachable!("run_in hands what runs in this process to the binary's own")
        }
        Command::Status => status::run(context).await,
        Command::Cluster(command) => cluster::run(command, context).await,
        Command::Backup(command) => backup::run(command, context).await,
        Command::Restore(command) => restore::run(command, context).await,
        Command::Task(command) => task::run(command, context).await,
        Command::Leftovers(command) => leftovers::run(command, context).await,
        Command::Schedule(command) => schedule::run(command, context).await,
        Command::Retention(command) => retention::run(command, context).await,
        Command::Gc(command) => gc::run(command, context).await,
        Command::Maintenance(command) => maintenance::run(command, context).await,
        Command::Apply(args) => apply::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Sstable(command) => sstable::run(&command, context),
        Command::Compat(args) => compat::run(&args, context),
        Command::Completions(args) => completions::run(args, context),
    }
}
