//! The binary `ringkeep`: joins the command line with `ringkeep standalone`.

use std::process::ExitCode;

use cli::{StandaloneArgs, StandaloneFailure};
use standalone::Options;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(|args: StandaloneArgs| async move {
        let options = Options {
            config: args.config,
            data_dir: args.data_dir,
            listen: args.listen,
            check_config: args.check_config,
        };
        standalone::run(options)
            .await
            .map_err(|error| StandaloneFailure {
                message: standalone::describe(&error),
                hint: error.hint(),
                usage: error.is_usage(),
            })
    })
    .await
}
