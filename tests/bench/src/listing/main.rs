//! How long the first list of backups takes after the catalog has started, without summaries and with them, and each list
//! after that.

#[path = "../median.rs"]
mod median;
#[path = "../planning/world.rs"]
mod planning;
#[path = "../store.rs"]
mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use api::client::StorageCatalogClient;
use api::pb::storage_catalog::ListBackupsRequest;
use blob_store::{Counted, Store};
use bucket::{Bucket, keys};
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use model::BackupRef;
use model::manifest::{BackupManifest, Intent};

use median::median;
use planning::Size;
use store::StoreArgs;

const PARALLEL: usize = 16;

/// Times lists of many backups, and prints what the summaries save.
#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value_t = 10_000)]
    backups: u32,
    #[arg(long, default_value_t = 100)]
    nodes: u64,
    #[arg(long, default_value_t = 5)]
    tables: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    store: StoreArgs,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.rounds > 0, "at least one round");
    let (store, _folder) = args.store.open().await?;
    write(&args, &store).await?;
    let counted = Arc::new(Counted::new(store.clone()));
    let (mut without, mut with, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        store::clear(&store, &keys::summaries(&"bench".parse()?)).await?;
        without.push(list(&args, &mut catalog(counted.clone())).await?);
        let before = counted.counts().gets;
        let mut started = catalog(counted.clone());
        with.push(list(&args, &mut started).await?);
        ensure!(counted.counts().gets - before == 1, "manifests were read");
        again.push(list(&args, &mut started).await?);
    }
    let (without, with, again) = (median(without), median(with), median(again));
    println!("{} backups of {} nodes", args.backups, args.nodes);
    println!(
        "first list from the manifests {} ms, from summaries {} ms, each further one {} ms",
        without.as_millis(),
        with.as_millis(),
        again.as_millis()
    );
    let ratio = without.as_secs_f64() / with.as_secs_f64();
    println!("summaries make the first list {ratio:.1} times as fast");
    store::clear(&store, &format!("{}/", keys::ROOT)).await?;
    Ok(())
}

/// A catalog that knows nothing yet.
fn catalog(store: Store) -> StorageCatalogClient {
    let service = storage_catalog::service(store, storage_catalog::system_clock());
    let channel = chassis::in_memory(tonic::service::Routes::new(service));
    api::client::storage_catalog(channel)
}

async fn list(args: &Args, catalog: &mut StorageCatalogClient) -> Result<Duration> {
    let request = ListBackupsRequest {
        cluster: "bench".into(),
    };
    let start = Instant::now();
    let listed = catalog.list_backups(request).await?.into_inner();
    let took = start.elapsed();
    ensure!(
        listed.backups.len() == args.backups as usize,
        "backups are missing"
    );
    Ok(took)
}

async fn write(args: &Args, store: &Store) -> Result<()> {
    let size = Size {
        source_nodes: args.nodes,
        target_nodes: 1,
        datacenters: 1,
        vnodes: 16,
        tables: args.tables,
        sstables: args.nodes * args.tables,
    };
    let manifest = planning::request(&size).backup;
    let bucket = Bucket::new(store.clone());
    let writes = (0..args.backups).map(|number| one(&bucket, &manifest, number));
    stream::iter(writes)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}

async fn one(bucket: &Bucket, manifest: &BackupManifest, number: u32) -> Result<()> {
    let backup = BackupRef {
        cluster: "bench".parse()?,
        name: format!("b{number}").parse()?,
    };
    let intent = Intent {
        backup: backup.clone(),
        kind: manifest.kind,
        base: None,
        task_id: manifest.task_id,
        started_at: manifest.started_at,
        selection: manifest.selection.clone(),
    };
    bucket.write(&keys::intent(&backup), intent).await?;
    let key = keys::backup_manifest(&backup);
    let manifest = BackupManifest {
        backup,
        ..manifest.clone()
    };
    bucket.write(&key, manifest).await?;
    Ok(())
}
