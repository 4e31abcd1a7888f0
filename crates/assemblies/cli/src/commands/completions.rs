//! `ringkeep completions`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Failure;

/// Prints a script that completes ringkeep's commands in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep completions bash > /etc/bash_completion.d/ringkeep
  ringkeep completions zsh > ~/.zfunc/_ringkeep
  ringkeep completions fish > ~/.config/fish/completions/ringkeep.fish";

pub fn run(args: CompletionsArgs, context: &mut Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ringkeep", &mut script);
    context.screen.write_out(&script)
}
