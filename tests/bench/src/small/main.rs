//! How long many small files take to a store and back: one request for each, and in packs.
//!
//! Files are made in memory and forgotten, so that the store and its requests are measured and no disk of a node.

#[path = "../median.rs"]
mod median;
#[path = "../store.rs"]
mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use blob_store::Counted;
use bucket::{Bucket, Packing, Run, RunLimits, pack_place, runs};
use bytes::Bytes;
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use model::manifest::StoredFile;

use median::median;
use store::StoreArgs;

/// Requests in flight, as an agent has them by default.
const PARALLEL: usize = 8;
const MEMORY_BYTES: u64 = 96 << 20;
const RUN_LIMITS: RunLimits = RunLimits {
    bytes_max: 16 << 20,
    files_max: 512,
};

/// Times many small files up and down, one by one and in packs, and prints ratios.
#[derive(Debug, Parser)]
struct Args {
    /// How many files.
    #[arg(long, default_value_t = 4000)]
    files: usize,
    /// Bytes of each.
    #[arg(long, default_value_t = 1200)]
    bytes: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    store: StoreArgs,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.files > 0 && args.rounds > 0, "at least one of each");
    ensure!(
        args.bytes as u64 <= bucket::PACKED_FILE_BYTES_MAX,
        "files of more than 1 MiB are not packed"
    );
    let (store, _folder) = args.store.open().await?;
    let counted = Arc::new(Counted::new(store));
    let bucket = Bucket::new(counted.clone());
    let mut rows = Vec::new();
    for (way, packs) in [("one by one", false), ("in packs", true)] {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let before = counted.counts();
        for round in 0..args.rounds {
            eprintln!("{way}: round {} of {}", round + 1, args.rounds);
            let prefix = format!("bench-{}-{packs}-{round}", std::process::id());
            let start = Instant::now();
            let stored = upload(&bucket, &args, &prefix, packs).await?;
            up.push(start.elapsed());
            let start = Instant::now();
            download(&bucket, stored).await?;
            down.push(start.elapsed());
            store::clear(bucket.store(), &prefix).await?;
        }
        let after = counted.counts();
        let requests = (after.puts - before.puts + after.gets - before.gets) / args.rounds as u64;
        rows.push((way, median(up), median(down), requests));
    }
    print(&rows);
    Ok(())
}

/// Stores the files, and returns where they are.
async fn upload(
    bucket: &Bucket,
    args: &Args,
    prefix: &str,
    packs: bool,
) -> Result<Vec<StoredFile>> {
    let packing = Packing::new(bucket::PACKED_FILE_BYTES_MAX, MEMORY_BYTES);
    let groups: Vec<_> = match packs {
        true => packing.lay_out(&vec![args.bytes as u64; args.files]),
        false => (0..args.files).map(|at| at..at + 1).collect(),
    };
    let stored = groups.into_iter().map(|group| async move {
        let object = format!("{prefix}/{}", group.start);
        let mut content = Vec::new();
        let mut files = Vec::new();
        for number in group {
            let start = content.len();
            let seed = blake3::hash(&number.to_le_bytes());
            content.extend(seed.as_bytes().iter().cycle().take(args.bytes));
            files.push(StoredFile {
                name: number.to_string(),
                index: None,
                bytes: args.bytes as u64,
                blake3: blake3::hash(&content[start..]).to_hex().to_string(),
                object: object.clone(),
                offset: packs.then_some(start as u64),
                from: None,
                copied_from: None,
                source: None,
            });
        }
        bucket.store_pack(&object, Bytes::from(content)).await?;
        Ok::<_, anyhow::Error>(files)
    });
    let stored: Vec<_> = stream::iter(stored)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    Ok(stored.into_iter().flatten().collect())
}

/// Reads all files and compares each with its hash.
async fn download(bucket: &Bucket, files: Vec<StoredFile>) -> Result<()> {
    let runs = runs(files, pack_place, RUN_LIMITS);
    let read = runs.into_iter().map(|run| async move {
        match run {
            Run::Whole(file) => {
                let pieces: Vec<Bytes> = bucket.open(&file, None).await?.try_collect().await?;
                check(&file, &pieces.concat())
            }
            Run::Part(part, files) => {
                let loaded = bucket.load_part(&part).await?;
                let mut files = files.iter();
                files.try_for_each(|file| check(file, &loaded.file(file).context("a file")?))
            }
        }
    });
    stream::iter(read)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}

fn check(file: &StoredFile, bytes: &[u8]) -> Result<()> {
    let is_same = blake3::hash(bytes).to_hex().as_str() == file.blake3;
    ensure!(is_same, "{} has come back as another", file.name);
    Ok(())
}

fn print(rows: &[(&str, Duration, Duration, u64)]) {
    println!(
        "{:<12} {:>9} {:>9} {:>9}",
        "", "up ms", "down ms", "requests"
    );
    for (way, up, down, requests) in rows {
        let (up, down) = (up.as_millis(), down.as_millis());
        println!("{way:<12} {up:>9} {down:>9} {requests:>9}");
    }
    if let [(_, up, down, _), (_, packed_up, packed_down, _)] = rows {
        let ratio = |one: &Duration, other: &Duration| one.as_secs_f64() / other.as_secs_f64();
        println!(
            "in packs {:.1} times as fast up, {:.1} down",
            ratio(up, packed_up),
            ratio(down, packed_down)
        );
    }
}
