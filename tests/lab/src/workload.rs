//! Fills clusters with tables that look like real life, and changes what they hold.
//!
//! The same scale always gives the same rows, whatever the cluster; only write times differ.

mod change;
mod edits;
pub mod large;
mod rows;
mod schema;
mod values;
mod write;

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, Result, bail};
use tokio::time::{Duration, Instant, sleep};
use tracing::info;

use crate::cluster::Cluster;
use crate::session;

pub use change::change;
pub use large::fill_large;
pub use schema::DROP_COLUMN;

/// The keyspaces that `fill` makes, as the schema spells them.
pub const KEYSPACES: [&str; 2] = ["shop", "Metrics_2"];

const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How much `fill` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// About two thousand rows.
    Small,
    /// About fifteen thousand rows, with partitions as wide as those of `Demo`.
    Medium,
    /// About sixty thousand rows.
    Demo,
}

impl FromStr for Scale {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "small" => Ok(Scale::Small),
            "medium" => Ok(Scale::Medium),
            "demo" => Ok(Scale::Demo),
            _ => bail!("`{text}` is no scale: use small, medium or demo"),
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scale::Small => "small",
            Scale::Medium => "medium",
            Scale::Demo => "demo",
        })
    }
}

/// Makes the keyspaces and fills them, with flushes in between so that tables have several SSTables.
///
/// The last writes stay in memory, as on any node that is at work.
pub async fn fill(cluster: &Cluster, scale: Scale) -> Result<()> {
    let session = cluster.session().await?;
    make_schema(cluster).await?;
    let bulks = rows::bulks(scale);
    for half in 0..rows::HALVES {
        info!("writing half {} of the rows", half + 1);
        for bulk in &bulks {
            write::write(&session, bulk, half).await?;
        }
        if half == 0 {
            edits::set_statics(&session, scale).await?;
        }
        cluster.nodetool_all(&["flush"]).await?;
    }
    info!("updating and deleting");
    edits::edit(&session, scale).await?;
    session::run(&session, schema::DROP_COLUMN).await?;
    settle(cluster).await
}

/// Makes the keyspaces with all that is in them, and no rows. The column that `fill` drops later is there.
pub async fn make_schema(cluster: &Cluster) -> Result<()> {
    let session = cluster.session().await?;
    info!("making the schema");
    for statement in schema::statements(cluster.release(), &cluster.datacenters()) {
        session::run(&session, &statement).await?;
    }
    Ok(())
}

/// Waits until views have caught up with their tables: until then two digests of the same data differ.
pub async fn settle(cluster: &Cluster) -> Result<()> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    for node in cluster.nodes() {
        let session = cluster.session_to(node).await?;
        while !session::rows(&session, "SELECT id FROM system.batches LIMIT 1")
            .await?
            .is_empty()
        {
            if Instant::now() > deadline {
                bail!(
                    "node {} still has view updates to send: look at its log",
                    node.name
                );
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}
