//! A client that writes to a table of the backup and never stops, whatever happens to the cluster.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lab::digest::{self, Reading};
use lab::{Cluster, session};
use tokio::task::JoinHandle;

/// Between two writes; each row is one partition, and all of them are read at the end.
const PAUSE: Duration = Duration::from_millis(40);
/// How long clients may have to wait until they are served again.
const SERVED_WITHIN: Duration = Duration::from_secs(180);
const KEYSPACE: &str = "chaos";

pub struct Writer {
    /// Ids that Cassandra has acknowledged. They ascend.
    written: Arc<Mutex<Vec<i32>>>,
    task: JoinHandle<()>,
}

/// A moment in the life of the writer: how many ids were acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

/// Makes the writer's table.
pub async fn make_table(cluster: &Cluster) -> Result<()> {
    let made = cluster.session().await?;
    let replication = "{'class': 'NetworkTopologyStrategy', 'dc1': 3}";
    let keyspace = format!("CREATE KEYSPACE {KEYSPACE} WITH replication = {replication}");
    session::run(&made, &keyspace).await?;
    let table = format!("CREATE TABLE {KEYSPACE}.written (id int PRIMARY KEY, v text)");
    session::run(&made, &table).await
}

impl Writer {
    /// Begins to write; ids are higher than those of any writer before.
    pub async fn start(cluster: &Cluster, first: i32) -> Result<Self> {
        let session = cluster.session().await?;
        let written = Arc::new(Mutex::new(Vec::new()));
        let acknowledged = written.clone();
        let task = tokio::spawn(async move {
            for id in first.. {
                let insert = format!("INSERT INTO {KEYSPACE}.written (id, v) VALUES ({id}, 'v')");
                if session::run(&session, &insert).await.is_ok() {
                    let mut written = acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
                    written.push(id);
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Ok(Self { written, task })
    }

    pub fn mark(&self) -> Mark {
        Mark(self.ids(0..usize::MAX).len())
    }

    /// Waits until some more writes are acknowledged: clients are served.
    pub async fn until_served(&self) -> Result<Mark> {
        const MORE: usize = 5;
        let from = self.mark().0;
        let served = async {
            while self.mark().0 < from + MORE {
                tokio::time::sleep(PAUSE).await;
            }
        };
        if tokio::time::timeout(SERVED_WITHIN, served).await.is_err() {
            bail!("no client was served for {SERVED_WITHIN:?}");
        }
        Ok(self.mark())
    }

    /// The ids that were acknowledged between two marks.
    pub fn between(&self, from: Mark, to: Mark) -> BTreeSet<i32> {
        self.ids(from.0..to.0).into_iter().collect()
    }

    fn ids(&self, range: Range<usize>) -> Vec<i32> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let end = range.end.min(written.len());
        written[range.start.min(end)..end].to_vec()
    }
}

impl Mark {
    pub const BEGIN: Self = Self(0);
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The ids that the table has, by all replicas together.
pub async fn present(cluster: &Cluster) -> Result<BTreeSet<i32>> {
    let session = cluster.session().await?;
    let release = cluster.release();
    let digest = digest::digest(&session, release, &[KEYSPACE], Reading::default()).await?;
    let tables = digest.tables.values();
    let keys = tables.flat_map(|table| table.partitions.keys());
    keys.map(|key| i32::from_str_radix(key, 16).with_context(|| format!("the key {key}")))
        .collect()
}
