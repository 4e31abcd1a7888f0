//! `ringkeep restore plan`

use super::{RestoreArgs, plan_of};
use crate::context::Context;
use crate::failure::Failure;
use crate::view::finding;
use crate::view::plan;

/// Shows what a restore would do, or every reason why it cannot be done; touches nothing.
///
/// Exits with 3 if any finding refuses it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    restore: RestoreArgs,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep restore plan nightly --into prod
  ringkeep restore plan prod/nightly --into staging --keyspace shop --output json";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let plan = plan_of(&args.restore, context).await?;
    context.screen.result(&plan, plan::text)?;
    match plan.supported {
        true => Ok(()),
        false => Err(Failure::Refused {
            what: "restore",
            refusals: finding::refusals(&plan.findings),
        }),
    }
}
