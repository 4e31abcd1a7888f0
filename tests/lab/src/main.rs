//! `lab`: real Cassandra and a real object store on this machine, for demonstrations and for tests by hand.

mod commands;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Real Cassandra and a real object store on this machine.
///
/// What is data goes to stdout, talk goes to stderr. Fetched parts are kept in RINGKEEP_LAB_CACHE, by
/// default ~/.cache/ringkeep-lab.
#[derive(Debug, Parser)]
#[command(name = "lab", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_target(false)
        .without_time()
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "lab=info,scylla=error,warn".into()),
        )
        .compact()
        .init();
    match Arguments::parse().command.run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
