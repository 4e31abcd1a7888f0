//! One large table, for measuring: rows of some hundred bytes that compress as text does.

use anyhow::Result;
use futures::stream::{self, StreamExt, TryStreamExt};
use scylla::client::session::Session;
use scylla::statement::batch::{Batch, BatchType};

use crate::cluster::Cluster;
use crate::random::Random;
use crate::session;

pub const KEYSPACE: &str = "measured";
pub const TABLE: &str = "events";

const ROWS_PER_PARTITION: u32 = 20;
/// Of one row's text.
const WORDS_PER_ROW: usize = 64;
const BYTES_PER_PARTITION: u64 = 11_000;
const WRITES_AT_ONCE: usize = 32;
const WORDS: &[&str] = &[
    "accepted",
    "basket",
    "delivery",
    "invoice",
    "pending",
    "refund",
    "shipped",
    "warehouse",
];

/// Fills the table with about so many MiB, and leaves it in one SSTable.
pub async fn fill_large(cluster: &Cluster, mebibytes: u64) -> Result<()> {
    let session = cluster.session().await?;
    for statement in [
        format!(
            "CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        ),
        format!(
            "CREATE TABLE {KEYSPACE}.{TABLE} (id bigint, seq int, amount double, note text, PRIMARY KEY (id, seq)) \
             WITH compression = {{'class': 'LZ4Compressor'}}"
        ),
    ] {
        session::run(&session, &statement).await?;
    }
    let partitions = (mebibytes << 20) / BYTES_PER_PARTITION;
    let insert =
        format!("INSERT INTO {KEYSPACE}.{TABLE} (id, seq, amount, note) VALUES (?, ?, ?, ?)");
    let mut batch = Batch::new(BatchType::Unlogged);
    for _ in 0..ROWS_PER_PARTITION {
        batch.append_statement(insert.as_str());
    }
    let batch = session.prepare_batch(&batch).await?;
    stream::iter(0..partitions)
        .map(Ok)
        .try_for_each_concurrent(WRITES_AT_ONCE, |partition| {
            write_partition(&session, &batch, partition)
        })
        .await?;
    cluster.nodetool_all(&["flush", KEYSPACE]).await?;
    cluster.nodetool_all(&["compact", KEYSPACE]).await?;
    Ok(())
}

async fn write_partition(session: &Session, batch: &Batch, partition: u64) -> Result<()> {
    let mut random = Random::named(TABLE, partition);
    let rows: Vec<(i64, i32, f64, String)> = (0..ROWS_PER_PARTITION)
        .map(|seq| {
            let words: Vec<String> = (0..WORDS_PER_ROW)
                .map(|at| match at % 4 {
                    // Half of the text is new each time.
                    0 => format!("{:x}", random.draw()),
                    _ => (*random.pick(WORDS)).to_owned(),
                })
                .collect();
            let amount = random.below(1_000_000) as f64 / 100.0;
            (partition as i64, seq as i32, amount, words.join(" "))
        })
        .collect();
    session.batch(batch, rows).await?;
    Ok(())
}
