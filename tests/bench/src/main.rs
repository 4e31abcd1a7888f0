//! How fast SSTables are verified and sliced, beside what the machine can do and beside Cassandra's own tools.
//!
//! All measures of a round run one after the other, rounds repeat, and ratios are of the medians: what disturbs one
//! measure disturbs its neighbours alike.

mod floor;
mod measure;
mod ours;
mod versus;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use sstable_files::SstableFiles;

use measure::{Measure, Rounds};
use versus::Versus;

/// Times `verify` and `slice` on an SSTable, and prints ratios.
#[derive(Debug, Parser)]
struct Args {
    /// A component of the SSTable, or a folder with SSTables, of which the biggest is taken.
    sstable: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Another tool that verifies the same SSTable: a name and a shell command.
    #[arg(long, value_name = "NAME=COMMAND")]
    versus: Vec<Versus>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let found = sstable_files::find(std::slice::from_ref(&args.sstable))?;
    let sstable = found
        .into_iter()
        .max_by_key(SstableFiles::bytes)
        .context("there is no SSTable")?;
    ensure!(args.rounds > 0, "at least one round");
    let facts = cassandra_formats::inspect(&sstable, sstable.descriptor())?;
    println!(
        "{}: {} MiB stored, {} MiB of rows, {}",
        sstable.descriptor(),
        sstable.bytes() >> 20,
        facts.uncompressed_bytes.unwrap_or(0) >> 20,
        facts.compressor.as_deref().unwrap_or("not compressed"),
    );
    let mut rounds = Rounds::default();
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        rounds.time(Measure::ReadAndCrc, || floor::read_and_crc(&sstable))?;
        rounds.time(Measure::Verify, || ours::verify(&sstable, false))?;
        rounds.time(Measure::VerifyExtended, || ours::verify(&sstable, true))?;
        rounds.time(Measure::Recompress, || floor::recompress(&sstable))?;
        rounds.time(Measure::Slice, || ours::slice_nowhere(&sstable))?;
        rounds.time(Measure::SliceToFiles, || ours::slice_to_files(&sstable))?;
        for (index, versus) in args.versus.iter().enumerate() {
            rounds.time(Measure::Versus(index), || versus.run())?;
        }
    }
    print!("{}", rounds.table(&args.versus));
    Ok(())
}
