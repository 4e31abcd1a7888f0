//! The planner's process.

use std::process::ExitCode;

use chassis::{App, ConfigArgs, run_main};
use clap::Parser;
use planner::Config;

/// Plans backups and restores of Cassandra clusters, and reports what prevents them.
#[derive(Parser)]
#[command(name = "ringkeep-planner", version)]
struct Arguments {
    #[command(flatten)]
    config: ConfigArgs,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run_main(
        "planner",
        &arguments.config,
        |_config: Config, _context| async {
            Ok::<_, std::convert::Infallible>(App::new().service(planner::build()))
        },
    )
}
