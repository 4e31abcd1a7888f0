//! `ringkeep sstable inspect`

use std::path::PathBuf;

use cassandra_formats::inspect;
use views::sstable::SstableView;

use super::parallel;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::sstable;

/// Shows what SSTables are: format, keys, times, sizes, compression.
///
/// Reads the small components only, so it costs the same for a big SSTable as for a small one. Needs neither Cassandra
/// nor a service. Exits with 4 if a component that it reads is damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Components (one stands for its SSTable) or folders, which are walked to the bottom.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    parallel: parallel::Args,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep sstable inspect /var/lib/cassandra/data/shop
  ringkeep sstable inspect nb-12-big-Data.db --output json";

pub fn run(args: &Args, context: &mut Context) -> Result<(), Failure> {
    let sstables = parallel::find(&args.paths)?;
    let views = parallel::for_each(
        "inspecting",
        0,
        &sstables,
        &args.parallel,
        context,
        |sstable, _| match inspect(sstable, sstable.descriptor()) {
            Ok(facts) => SstableView::of(sstable, &facts),
            Err(error) => SstableView::failed(sstable, &error, api::error::chain(&error)),
        },
    );
    context.screen.result(&views, sstable::inspect_text)?;
    sstable::verdict(&views)
}
