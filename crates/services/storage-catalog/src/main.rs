//! The storage catalog as a process.

use std::process::ExitCode;

use chassis::{App, ConfigArgs, run_main};
use clap::Parser;
use storage_catalog::Config;

/// The catalog of what is in the bucket: commits, lists, verifies and deletes backups
#[derive(Parser)]
#[command(name = "ringkeep-storage-catalog", version)]
struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    run_main(
        "storage-catalog",
        &args.config,
        |config: Config, _context| async move {
            let clock = storage_catalog::system_clock();
            let service = storage_catalog::build(&config.store, clock).await?;
            Ok::<_, blob_store::StoreError>(App::new().service(service))
        },
    )
}
