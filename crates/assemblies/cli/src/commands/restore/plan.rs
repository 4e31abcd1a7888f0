//! `ringkeep restore plan`

use ::plan::render::{self, Statements};

use super::{RestoreArgs, plan_of};
use crate::context::Context;
use crate::failure::Failure;
use crate::text::{finding, plan};

/// Shows what a restore would do, or every reason why it cannot be done; touches nothing.
///
/// Exits with 3 if any finding refuses it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    restore: RestoreArgs,
    /// Prints the CQL of the plan instead of its text: every statement, one a line. What would be done again after the
    /// restore is in comments.
    #[arg(long, help_heading = "How it is shown")]
    cql: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep restore plan nightly --into prod
  ringkeep restore plan prod/nightly --into staging --keyspace shop --output json
  ringkeep restore plan nightly --into prod --cql > restore.cql
  ringkeep restore plan nightly --into prod --rename shop.orders=shop_copy.orders";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let plan = plan_of(&args.restore, context).await?;
    // A refused plan has no statements, and its findings have the reasons.
    let as_script = args.cql && plan.supported;
    context.screen.result(&plan, |plan, paint| {
        if as_script {
            render::script(plan)
        } else {
            plan::text(plan, Statements::Counted, paint)
        }
    })?;
    if plan.supported {
        return Ok(());
    }
    Err(Failure::Refused {
        what: "restore",
        refusals: finding::refusals(&plan.findings),
    })
}
