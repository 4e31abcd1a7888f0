//! Makes the SSTables that tests read: small tables of every layout, written by real servers of every format version.

mod collect;
mod compression;
mod edges;
mod golden;
mod indexes;
mod layouts;
mod runs;
mod table;
mod types;
mod wide;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Duration, sleep};
use tracing::info;

use crate::cluster::Cluster;
use crate::fixtures::runs::{RUNS, Run};
use crate::fixtures::table::Table;
use crate::release::Release;
use crate::{session, workload};

/// Writes the fixtures of all format versions, or of those named, into `folder`.
pub async fn write(folder: &Path, only: &[String]) -> Result<()> {
    for name in only {
        ensure!(
            RUNS.iter().any(|run| run.folder == name),
            "`{name}` is no format version of the fixtures: use one such as big-me"
        );
    }
    let wanted: Vec<&Run> = RUNS
        .iter()
        .filter(|run| only.is_empty() || only.iter().any(|name| run.folder == name))
        .collect();
    // The newest tools read every version, and never start a server.
    let reader = Cluster::builder(Release::C50);
    let reader = tokio::task::spawn_blocking(move || reader.prepare()).await??;
    let folders: BTreeSet<&str> = wanted.iter().map(|run| run.folder).collect();
    for name in folders {
        let path = folder.join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    for run in wanted {
        info!("writing {} with Cassandra {}", run.folder, run.version);
        let out = folder.join(run.folder);
        let tables = run.tables();
        write_run(run, &tables, &out)
            .await
            .with_context(|| format!("Cassandra {} wrote no {}", run.version, run.folder))?;
        golden::describe(reader.node(0), &out, &tables).await?;
    }
    Ok(())
}

async fn write_run(run: &Run, tables: &[Table], out: &Path) -> Result<()> {
    let mut builder = Cluster::builder(run.line)
        .version(run.version)
        .name("fixtures")
        .num_tokens(1);
    for (key, yaml) in run.settings.concat() {
        builder = builder.setting(key, yaml);
    }
    let cluster = builder.start().await?;
    let node = cluster.node(0);
    let session = cluster.session().await?;
    let keyspaces: BTreeSet<&str> = tables.iter().map(|table| table.keyspace).collect();
    for keyspace in keyspaces {
        let create = format!(
            "CREATE KEYSPACE {keyspace} WITH replication = \
             {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        );
        session::run(&session, &create).await?;
    }
    for statement in tables.iter().flat_map(|table| &table.schema) {
        session::run(&session, statement).await?;
    }
    let rounds = tables.iter().map(|table| table.rounds.len()).max();
    for round in 0..rounds.unwrap_or(0) {
        let statements = tables.iter().filter_map(|table| table.rounds.get(round));
        for statement in statements.flatten() {
            session::run(&session, statement).await?;
        }
        workload::settle(&cluster).await?;
        node.nodetool(&["flush"]).await?;
    }
    let compacted: Vec<&Table> = tables.iter().filter(|table| table.compacted).collect();
    for table in &compacted {
        node.nodetool(&["compact", table.keyspace, table.name])
            .await?;
    }
    if !compacted.is_empty() {
        // The merged ones are removed some time after the merge.
        sleep(Duration::from_secs(3)).await;
    }
    for table in tables {
        let copied = collect::copy(node, table, out)?;
        if copied == 0 {
            bail!("no SSTable of {}.{}", table.keyspace, table.name);
        }
    }
    Ok(())
}
