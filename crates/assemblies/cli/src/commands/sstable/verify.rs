//! `ringkeep sstable verify`

use std::path::PathBuf;

use cassandra_formats::DATA;
use cassandra_formats::verify::{Depth, verify};
use views::sstable::SstableView;

use super::parallel;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::sstable;

/// Checks SSTables for damage, and reports which component is damaged and where.
///
/// Checks every checksum (digest, chunks, statistics), the components against each other, and keys, their order and
/// their tokens. With --extended it also decodes every row and checks what no checksum shows: that rows and the cells of
/// collections ascend and none comes twice, that range deletions begin and end in pairs, that each index entry agrees
/// with its rows, and that Filter.db has every key. A warning says what was not checked, for example rows whose types are
/// not Cassandra's own. Needs neither Cassandra nor a service. Exits with 4 if anything is damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Components (one stands for its SSTable) or folders, which are walked to the bottom.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Decodes every row and cell, checks their order, and compares the whole index and the filter with them; slower, as
    /// it decompresses everything.
    #[arg(long, short)]
    extended: bool,
    #[command(flatten)]
    parallel: parallel::Args,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep sstable verify /var/lib/cassandra/data/shop/orders-1b255f4def2540a60000000000000005
  ringkeep sstable verify --extended nb-12-big-Data.db --output json";

pub fn run(args: &Args, context: &mut Context) -> Result<(), Failure> {
    let depth = match args.extended {
        true => Depth::Extended,
        false => Depth::Checksums,
    };
    let sstables = parallel::find(&args.paths)?;
    let data_bytes = sstables
        .iter()
        .filter_map(|sstable| sstable.components().get(DATA))
        .sum();
    let views = parallel::for_each(
        "verifying",
        data_bytes,
        &sstables,
        &args.parallel,
        context,
        |sstable, done| match verify(sstable, sstable.descriptor(), depth, done) {
            Ok(report) => SstableView::verified(sstable, &report),
            Err(error) => SstableView::failed(sstable, &error, api::error::chain(&error)),
        },
    );
    context.screen.result(&views, sstable::verify_text)?;
    sstable::verdict(&views)
}
