//! How long a full backup of unchanged data takes to a store: uploaded again, and copied inside the store.
//!
//! Objects are made in memory and have the sizes of packs or of larger files, so that the store is measured and no disk of
//! a node; what an agent reads and hashes for an upload comes on top there.

#[path = "../median.rs"]
mod median;
#[path = "../store.rs"]
mod store;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use blob_store::{Counted, Put, Store};
use bytes::Bytes;
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};

use median::median;
use store::StoreArgs;

/// Requests in flight, as an agent has them by default.
const PARALLEL: usize = 8;
const CHUNK_BYTES: usize = 1 << 20;

/// Times objects up and copied, and prints the ratio.
#[derive(Debug, Parser)]
struct Args {
    /// How many objects.
    #[arg(long, default_value_t = 32)]
    objects: usize,
    /// MiB of each; those of more than 16 go up in parts.
    #[arg(long, default_value_t = 16)]
    mib: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    store: StoreArgs,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(
        args.objects > 0 && args.mib > 0 && args.rounds > 0,
        "at least one of each"
    );
    let (store, _folder) = args.store.open().await?;
    let counted = Arc::new(Counted::new(store));
    let store: Store = counted.clone();
    let (mut up, mut copied) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        let prefix = format!("bench-{}-{round}", std::process::id());
        let start = Instant::now();
        each(&args, |at| {
            upload(&store, &args, format!("{prefix}/up/{at}"))
        })
        .await?;
        up.push(start.elapsed());
        let sent = counted.counts().bytes_up;
        let start = Instant::now();
        each(&args, |at| copy(&store, &args, &prefix, at)).await?;
        copied.push(start.elapsed());
        ensure!(counted.counts().bytes_up == sent, "copies were sent");
        let objects = store::clear(&store, &prefix).await?;
        ensure!(objects == 2 * args.objects, "objects are missing");
    }
    let (up, copied) = (median(up), median(copied));
    println!(
        "uploaded {} ms, copied {} ms",
        up.as_millis(),
        copied.as_millis()
    );
    let ratio = up.as_secs_f64() / copied.as_secs_f64();
    println!("copied {ratio:.1} times as fast");
    Ok(())
}

async fn each<Work>(args: &Args, work: impl Fn(usize) -> Work) -> Result<()>
where
    Work: Future<Output = Result<()>>,
{
    let all = (0..args.objects).map(work);
    stream::iter(all)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}

/// Each object has a content of its own that does not compress.
async fn upload(store: &Store, args: &Args, key: String) -> Result<()> {
    let mut content = blake3::Hasher::new().update(key.as_bytes()).finalize_xof();
    let chunks = (0..args.mib).map(move |_| {
        let mut chunk = vec![0; CHUNK_BYTES];
        content.fill(&mut chunk);
        Ok(Bytes::from(chunk))
    });
    let bytes = (args.mib * CHUNK_BYTES) as u64;
    let put = store.put_stream(&key, Some(bytes), stream::iter(chunks).boxed());
    ensure!(put.await? == Put::Created, "{key} was there");
    Ok(())
}

async fn copy(store: &Store, args: &Args, prefix: &str, at: usize) -> Result<()> {
    let (from, to) = (format!("{prefix}/up/{at}"), format!("{prefix}/copied/{at}"));
    let bytes = (args.mib * CHUNK_BYTES) as u64;
    let copied = store.copy(&from, &to, bytes..=bytes).await?;
    ensure!(copied == Put::Created, "{to} was there");
    Ok(())
}
