//! `ringkeep compat`: reads the version matrix that is built in, and calls no service.

use cassandra_versions::Release;
use plan::check_compatibility;
use views::started::CompatibilityView;

use crate::context::Context;
use crate::failure::Failure;
use crate::screen::{Colour, Paint};
use crate::text::finding;

/// Shows whether a backup of one release restores into another; needs no service.
///
/// Decides by the releases alone. `ringkeep restore plan` also inspects what is in a backup. Exits with 3 if
/// the pair is not supported.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompatArgs {
    /// Product and version that the backup is of: cassandra, dse or hcd.
    #[arg(long, value_name = "RELEASE")]
    from: Release,
    /// Product and version to restore into.
    #[arg(long, value_name = "RELEASE")]
    to: Release,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep compat --from \"cassandra 3.11.19\" --to \"cassandra 4.1.9\"
  ringkeep compat --from \"dse 6.8.50\" --to \"hcd 1.2.1\" --output json";

pub fn run(args: &CompatArgs, context: &mut Context) -> Result<(), Failure> {
    let answer = check_compatibility(&args.from, &args.to);
    let compat = CompatibilityView {
        from: args.from.clone(),
        to: args.to.clone(),
        supported: answer.supported,
        findings: answer.findings,
    };
    context.screen.result(&compat, text)?;
    match compat.supported {
        true => Ok(()),
        false => Err(Failure::Refused {
            what: "pair of releases",
            refusals: finding::refusals(&compat.findings),
        }),
    }
}

fn text(compat: &CompatibilityView, paint: &Paint) -> String {
    let verdict = match compat.supported {
        true => paint.word(Colour::Green, "supported"),
        false => paint.word(Colour::Red, "NOT supported"),
    };
    let head = format!(
        "a backup of {} into {}: {verdict}\n",
        compat.from, compat.to
    );
    match compat.findings.is_empty() {
        true => head,
        false => format!("{head}\n{}", finding::text(&compat.findings, paint)),
    }
}
