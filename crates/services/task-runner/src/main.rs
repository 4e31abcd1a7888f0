//! The task-runner as a process.

use std::process::ExitCode;

use chassis::{App, ConfigArgs, Context, prometheus, run_main};
use clap::Parser;
use task_runner::{Config, StartError, build, connect};

/// Drives backups and restores as durable tasks over the agents of registered clusters
#[derive(Parser)]
#[command(name = "ringkeep-task-runner", version)]
struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

fn main() -> ExitCode {
    run_main("task-runner", &Args::parse().config, app)
}

async fn app(config: Config, context: Context) -> Result<App, StartError> {
    let dependencies = connect(&config, context.shutdown.clone()).await?;
    let (server, runner) = build(&config.tasks, dependencies);
    prometheus::expose(runner.gauges());
    let ending = async move {
        context.shutdown.cancelled().await;
        runner.drain().await;
    };
    Ok(App::new().service(server).ending(ending))
}
