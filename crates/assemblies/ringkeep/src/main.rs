//! The binary `ringkeep`: joins the command line with what runs in this process.

use std::process::ExitCode;

use cli::{Local, LocalFailure, PlaceArgs, StandaloneArgs, StateCommand};
use standalone::{Error, Options, StatePlace};

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(|command: Local| async move {
        let done = match command {
            Local::Standalone(args) => serve(args).await.map(|()| None),
            Local::State(command) => move_state(command).await.map(Some),
        };
        done.map_err(|error| LocalFailure {
            message: standalone::describe(&error),
            hint: error.hint(),
            usage: error.is_usage(),
        })
    })
    .await
}

async fn serve(args: StandaloneArgs) -> Result<(), Error> {
    let options = Options {
        config: args.config,
        data_dir: args.data_dir,
        listen: args.listen,
        check_config: args.check_config,
    };
    standalone::run(options).await
}

async fn move_state(command: StateCommand) -> Result<String, Error> {
    match command {
        StateCommand::Export(args) => {
            let entries = standalone::export_state(&place(args.place), &args.file).await?;
            Ok(format!("{entries} entries are in {}", args.file.display()))
        }
        StateCommand::Import(args) => {
            let entries =
                standalone::import_state(&place(args.place), &args.file, args.replace).await?;
            Ok(format!("{entries} entries are in the state"))
        }
    }
}

fn place(args: PlaceArgs) -> StatePlace {
    StatePlace {
        config: args.config,
        data_dir: args.data_dir,
    }
}
