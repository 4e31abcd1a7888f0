//! The command line `ringkeep`: one file for each command, over the four services' clients.
//!
//! Links no service: what it knows, it asks for over gRPC behind one address. Data goes to stdout, as text or as stable
//! JSON; talk, progress and errors go to stderr; [`exit::Exit`] is the table of exit codes. What runs in this process
//! ([`Local`]) is handed in by the binary, so that this crate needs no service to be built.

mod args;
mod commands;
mod completeness;
mod context;
mod documents;
pub mod exit;
mod failure;
mod human;
mod names;
mod progress;
mod queue;
mod screen;
mod surroundings;
mod text;
mod wait;

use std::ffi::OsString;
use std::future::Future;

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, Command};
use crate::context::Context;
use crate::exit::Exit;
use crate::screen::Screen;

pub use crate::commands::standalone::StandaloneArgs;
pub use crate::commands::state::{ExportArgs, ImportArgs, PlaceArgs, StateCommand};
pub use crate::failure::LocalFailure;
pub use crate::surroundings::{Patience, Surroundings};

/// A command that calls no service, and is carried out by the binary.
#[derive(Debug)]
pub enum Local {
    Standalone(StandaloneArgs),
    State(StateCommand),
}

/// Runs one command line in this process's terminal; `local` runs what calls no service, and returns what is to be said of it.
pub async fn run<F, Run>(local: F) -> std::process::ExitCode
where
    F: FnOnce(Local) -> Run,
    Run: Future<Output = Result<Option<String>, LocalFailure>>,
{
    let exit = run_in(std::env::args_os(), Surroundings::of_process(), local).await;
    std::process::ExitCode::from(exit.code())
}

/// Runs one command line, the program's name first, in surroundings that the caller chooses.
pub async fn run_in<F, Run>(
    arguments: impl IntoIterator<Item = OsString>,
    surroundings: Surroundings,
    local: F,
) -> Exit
where
    F: FnOnce(Local) -> Run,
    Run: Future<Output = Result<Option<String>, LocalFailure>>,
{
    let mut command = Cli::command();
    if let Some(width) = surroundings.width {
        command = command.term_width(width);
    }
    let parsed = command
        .try_get_matches_from_mut(arguments)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return surroundings.show_parse_error(&error),
    };
    let mut context = Context::new(&cli.global, surroundings);
    let done = match cli.command {
        Command::Standalone(args) => run_local(local, Local::Standalone(args), &mut context).await,
        Command::State(command) => run_local(local, Local::State(command), &mut context).await,
        command => commands::run(command, &mut context).await,
    };
    match done {
        Ok(()) => Exit::Done,
        Err(failure) => {
            let screen: &mut Screen = &mut context.screen;
            screen.failure(&failure);
            failure.exit()
        }
    }
}

async fn run_local<F, Run>(
    local: F,
    command: Local,
    context: &mut Context,
) -> Result<(), failure::Failure>
where
    F: FnOnce(Local) -> Run,
    Run: Future<Output = Result<Option<String>, LocalFailure>>,
{
    if let Some(said) = local(command).await? {
        context.screen.talk(&said);
    }
    Ok(())
}
