//! A cluster of real nodes: opened, waited for, spoken to, and ended without a trace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;

use anyhow::{Context, Result, bail};
use futures::stream::{self, StreamExt, TryStreamExt};
use scylla::client::session::Session;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep};
use tracing::{debug, info};

use crate::addresses::{Block, STORAGE_PORT};
use crate::builder::ClusterBuilder;
use crate::node::Node;
use crate::process::Process;
use crate::release::Release;
use crate::{disk, session};

const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// Nodes that start at once; each keeps more than one core busy while it does.
const STARTING_MAX: usize = 3;

/// What `cluster.json` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub name: String,
    pub release: Release,
    pub authenticator: bool,
    /// The size of the disk that each data folder is, if it is one.
    #[serde(default)]
    pub disk_mb: Option<u32>,
    pub block: Block,
    pub nodes: Vec<Node>,
}

/// What happens to nodes and folder when the value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtDrop {
    Remove,
    KillAndKeep,
    Leave,
}

/// A cluster of real Cassandra nodes on loopback addresses.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    record: Record,
    at_drop: AtDrop,
}

impl Cluster {
    pub fn builder(release: Release) -> ClusterBuilder {
        ClusterBuilder::new(release)
    }

    /// Opens a cluster that was started before; it outlives the value.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        let file = dir.join("cluster.json");
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "{} holds no cluster: start one with `lab up --dir`",
                dir.display()
            )
        })?;
        let record = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(Self {
            dir: fs::canonicalize(dir)?,
            record,
            at_drop: AtDrop::Leave,
        })
    }

    pub(crate) fn owned(dir: PathBuf, record: Record) -> Self {
        Self {
            dir,
            record,
            at_drop: AtDrop::Remove,
        }
    }

    pub fn name(&self) -> &str {
        &self.record.name
    }

    pub fn release(&self) -> Release {
        self.record.release
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn has_authenticator(&self) -> bool {
        self.record.authenticator
    }

    pub fn nodes(&self) -> &[Node] {
        &self.record.nodes
    }

    /// The node of this index, from 0.
    pub fn node(&self, index: usize) -> &Node {
        &self.record.nodes[index]
    }

    /// Tokens of each node: what another builder needs to make the same ring.
    pub fn tokens(&self) -> Vec<Vec<i64>> {
        self.nodes()
            .iter()
            .map(|node| node.tokens.clone())
            .collect()
    }

    /// Datacenters and how many nodes each has.
    pub fn datacenters(&self) -> BTreeMap<String, usize> {
        let mut datacenters = BTreeMap::new();
        for node in self.nodes() {
            *datacenters.entry(node.datacenter.clone()).or_insert(0) += 1;
        }
        datacenters
    }

    /// A CQL session that knows all nodes.
    pub async fn session(&self) -> Result<Session> {
        session::connect(self, self.nodes()).await
    }

    /// A CQL session that speaks to one node only.
    pub async fn session_to(&self, node: &Node) -> Result<Session> {
        session::connect(self, std::slice::from_ref(node)).await
    }

    /// Runs nodetool on every node at the same time.
    pub async fn nodetool_all(&self, arguments: &[&str]) -> Result<Vec<String>> {
        futures::future::try_join_all(self.nodes().iter().map(|node| node.nodetool(arguments)))
            .await
    }

    /// Starts all nodes that do not run: the first alone until it can be gossiped with, then the others.
    pub async fn start_nodes(&self) -> Result<()> {
        let Some((first, others)) = self.nodes().split_first() else {
            return Ok(());
        };
        info!(
            "starting Cassandra {} on {} nodes in {}",
            self.release(),
            self.nodes().len(),
            self.dir.display()
        );
        let start_others = async {
            if !others.is_empty() {
                wait_for_gossip(first).await;
            }
            stream::iter(others)
                .map(Ok)
                .try_for_each_concurrent(STARTING_MAX, Node::start)
                .await
        };
        tokio::try_join!(first.start(), start_others)?;
        Ok(())
    }

    /// Waits until every node answers CQL and sees every other node up.
    pub async fn wait_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        for node in self.nodes() {
            while let Err(error) = self.check_node(node).await {
                if Instant::now() > deadline {
                    bail!(
                        "node {} is not ready: {error:#}; its log ends:\n{}",
                        node.name,
                        node.log_tail(15)
                    );
                }
                debug!("node {} is not ready yet: {error:#}", node.name);
                sleep(Duration::from_millis(500)).await;
            }
        }
        info!("all {} nodes are up", self.nodes().len());
        Ok(())
    }

    async fn check_node(&self, node: &Node) -> Result<()> {
        if !node.is_running() {
            bail!("its process is gone");
        }
        session::answers(self, node).await?;
        let count = self.nodes().len();
        if count > 1 {
            let status = node.nodetool(&["status"]).await?;
            let up = status.lines().filter(|line| line.starts_with("UN")).count();
            if up != count {
                bail!("it sees {up} of {count} nodes up");
            }
        }
        Ok(())
    }

    /// Ends all nodes in good order and keeps their files; `start_nodes` starts them again.
    pub async fn stop(&self) -> Result<()> {
        futures::future::try_join_all(self.nodes().iter().map(Node::stop))
            .await
            .map(drop)
    }

    /// Lets nodes and folder live on without this value and this process.
    pub fn detach(&mut self) {
        self.at_drop = AtDrop::Leave;
        for node in self.nodes() {
            let _ = fs::remove_file(node.dir.join("run/owner"));
        }
    }

    /// Keeps the folder, to look into it later; the nodes end with the value all the same.
    pub fn keep(&mut self) {
        self.at_drop = AtDrop::KillAndKeep;
    }

    /// Kills all nodes and removes the folder.
    pub fn remove(mut self) {
        self.at_drop = AtDrop::Remove;
    }

    /// Ties the nodes that start from now on to the life of this process.
    pub(crate) fn set_owner(&self) -> Result<()> {
        let owner = Process::of(process::id() as i32).context("this process is not in /proc")?;
        for node in self.nodes() {
            fs::write(node.dir.join("run/owner"), owner.record())?;
        }
        Ok(())
    }

    fn unmount(&self) {
        if self.record.disk_mb.is_some() {
            let folders = self.nodes().iter().flat_map(|node| &node.data_dirs);
            folders.for_each(|folder| disk::unmount(folder));
        }
    }

    pub(crate) fn save(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.record)?;
        fs::write(self.dir.join("cluster.json"), text + "\n")?;
        Ok(())
    }

    /// The description that `cluster.json` holds.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.record)?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.at_drop == AtDrop::Leave {
            return;
        }
        for node in self.nodes() {
            node.kill();
        }
        if self.at_drop == AtDrop::Remove {
            self.unmount();
            remove_folder(&self.dir);
            self.record.block.release();
        }
    }
}

/// The first node listens for its peers long before it listens for clients.
async fn wait_for_gossip(node: &Node) {
    let deadline = Instant::now() + READY_TIMEOUT;
    while Instant::now() < deadline {
        if TcpStream::connect((node.address, STORAGE_PORT))
            .await
            .is_ok()
        {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A helper of the killed JVM may still have written into the folder, so one more look is taken.
fn remove_folder(dir: &Path) {
    for _ in 0..5 {
        if fs::remove_dir_all(dir).is_ok() || !dir.is_dir() {
            return;
        }
        thread::sleep(std::time::Duration::from_millis(100));
    }
}
