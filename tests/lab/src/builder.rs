//! Describes a cluster that is wanted, and starts it.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::task;

use crate::addresses::{Block, NATIVE_PORT};
use crate::cache::Cache;
use crate::cluster::{Cluster, Record};
use crate::config::{self, ClusterConfig};
use crate::node::Node;
use crate::release::Release;
use crate::scripts::Scripts;
use crate::{disk, fetch, java, session, tokens};

/// A cluster that is wanted. `Cluster::builder` makes one, `start` brings it up.
#[derive(Clone, Debug)]
pub struct ClusterBuilder {
    release: Release,
    version: Option<String>,
    name: String,
    layout: Vec<(String, String)>,
    num_tokens: usize,
    tokens: Option<Vec<Vec<i64>>>,
    data_dirs: usize,
    authenticator: bool,
    settings: BTreeMap<String, String>,
    dir: Option<PathBuf>,
    heap_mb: u32,
    disk_mb: Option<u32>,
}

impl ClusterBuilder {
    pub(crate) fn new(release: Release) -> Self {
        let builder = Self {
            release,
            version: None,
            name: "lab".to_owned(),
            layout: Vec::new(),
            num_tokens: 4,
            tokens: None,
            data_dirs: 1,
            authenticator: false,
            settings: BTreeMap::new(),
            dir: None,
            heap_mb: 512,
            disk_mb: None,
        };
        builder.nodes(1)
    }

    /// Cassandra's own `cluster_name`; the default tokens are chosen from it.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// So many nodes in `dc1`, over the racks `r1` to `r3`.
    pub fn nodes(mut self, count: usize) -> Self {
        self.layout = (0..count)
            .map(|node| ("dc1".to_owned(), format!("r{}", 1 + node % 3)))
            .collect();
        self
    }

    /// One node for each datacenter and rack named.
    pub fn layout(mut self, layout: &[(&str, &str)]) -> Self {
        self.layout = layout
            .iter()
            .map(|(dc, rack)| ((*dc).to_owned(), (*rack).to_owned()))
            .collect();
        self
    }

    /// How many nodes it will have.
    pub fn node_count(&self) -> u32 {
        self.layout.len() as u32
    }

    pub fn num_tokens(mut self, num_tokens: usize) -> Self {
        self.num_tokens = num_tokens;
        self
    }

    /// The very tokens of each node, so that a second ring can be made the same.
    pub fn tokens(mut self, tokens: Vec<Vec<i64>>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Data folders of each node.
    pub fn data_dirs(mut self, data_dirs: usize) -> Self {
        self.data_dirs = data_dirs;
        self
    }

    /// Passwords and roles; the superuser is `cassandra` with the password `cassandra`.
    pub fn authenticator(mut self, authenticator: bool) -> Self {
        self.authenticator = authenticator;
        self
    }

    /// Another exact version of the line, for what only an older one does.
    pub fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    /// A line of `cassandra.yaml`, which wins over the lab's own; an empty one takes the lab's own away.
    pub fn setting(mut self, key: &str, yaml: &str) -> Self {
        self.settings.insert(key.to_owned(), yaml.to_owned());
        self
    }

    /// Where the cluster lives: a folder that does not exist yet or is empty. A temporary one by default.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    pub fn heap_mb(mut self, heap_mb: u32) -> Self {
        self.heap_mb = heap_mb;
        self
    }

    /// Gives each data folder a small disk of its own, which `disk::fill` fills; only where `disk::can_mount`.
    pub fn disk_mb(mut self, disk_mb: u32) -> Self {
        self.disk_mb = Some(disk_mb);
        self
    }

    /// Fetches what is missing, writes all files, starts all nodes and waits until they see each other.
    ///
    /// What is returned ends with its value, also in a panic, and soon after its process is killed;
    /// `Cluster::detach` lets it live on.
    pub async fn start(self) -> Result<Cluster> {
        let cluster = task::spawn_blocking(move || self.prepare()).await??;
        cluster.set_owner()?;
        cluster.start_nodes().await?;
        cluster.wait_ready().await?;
        session::spread_roles(&cluster).await?;
        Ok(cluster)
    }

    /// Writes all files of the cluster without a start.
    pub(crate) fn prepare(self) -> Result<Cluster> {
        let cache = Cache::open()?;
        let jars = match &self.version {
            Some(version) => fetch::jars_of_version(&cache, self.release, version)?,
            None => fetch::cassandra_jars(&cache, self.release)?,
        };
        let java = java::ensure(&cache, self.release.java())?;
        let dir = self.make_dir()?;
        let block = Block::take(&dir, self.layout.len())?;
        let record = Record {
            name: self.name.clone(),
            release: self.release,
            authenticator: self.authenticator,
            disk_mb: self.disk_mb,
            block,
            nodes: self.make_nodes(&dir, block)?,
        };
        // From here on a failure removes what was made.
        let cluster = Cluster::owned(dir, record);
        let shared = self.shared_config(cluster.nodes());
        for node in cluster.nodes() {
            write_files(&shared, node)?;
            if let Some(disk_mb) = self.disk_mb {
                for folder in &node.data_dirs {
                    disk::mount(folder, disk_mb)?;
                }
            }
            let scripts = Scripts {
                release: self.release,
                node,
                java: java.clone(),
                jars: jars.clone(),
                heap_mb: self.heap_mb,
            };
            scripts.write()?;
        }
        cluster.save()?;
        Ok(cluster)
    }

    fn make_dir(&self) -> Result<PathBuf> {
        let dir = match &self.dir {
            Some(dir) => {
                fs::create_dir_all(dir)
                    .with_context(|| format!("could not create {}", dir.display()))?;
                let is_empty = fs::read_dir(dir)?.next().is_none();
                ensure!(
                    is_empty,
                    "{} is not empty: name a new folder for the cluster",
                    dir.display()
                );
                dir.clone()
            }
            None => {
                let prefix = format!("ringkeep-lab-{}-", self.release);
                tempfile::Builder::new().prefix(&prefix).tempdir()?.keep()
            }
        };
        Ok(fs::canonicalize(dir)?)
    }

    fn make_nodes(&self, dir: &Path, block: Block) -> Result<Vec<Node>> {
        let count = self.layout.len();
        let ring = match &self.tokens {
            Some(tokens) => tokens.clone(),
            None => tokens::choose(&self.name, count, self.num_tokens),
        };
        ensure!(
            ring.len() == count && ring.iter().all(|tokens| !tokens.is_empty()),
            "tokens for {} nodes were given, but the cluster has {count}: give each node its tokens",
            ring.len()
        );
        let places = self.layout.iter().zip(ring).enumerate();
        Ok(places
            .map(|(index, (place, tokens))| self.make_node(dir, block, index, place, tokens))
            .collect())
    }

    fn make_node(
        &self,
        dir: &Path,
        block: Block,
        index: usize,
        (datacenter, rack): &(String, String),
        tokens: Vec<i64>,
    ) -> Node {
        let name = format!("n{}", index + 1);
        let dir = dir.join(&name);
        let data_dirs = (1..=self.data_dirs).map(|number| match self.data_dirs {
            1 => dir.join("data"),
            _ => dir.join(format!("data{number}")),
        });
        Node {
            address: block.address(index),
            native_port: NATIVE_PORT,
            jmx_port: block.jmx_port(index),
            datacenter: datacenter.clone(),
            rack: rack.clone(),
            tokens,
            data_dirs: data_dirs.collect(),
            config: dir.join("conf/cassandra.yaml"),
            log_file: dir.join("logs/system.log"),
            name,
            dir,
        }
    }

    fn shared_config(&self, nodes: &[Node]) -> ClusterConfig {
        ClusterConfig {
            cluster_name: self.name.clone(),
            release: self.release,
            seeds: choose_seeds(nodes),
            authenticator: self.authenticator,
            overrides: self.settings.clone(),
        }
    }
}

/// The first two nodes: the cluster still has a seed when one of them is down.
fn choose_seeds(nodes: &[Node]) -> Vec<IpAddr> {
    nodes.iter().take(2).map(|node| node.address).collect()
}

fn write_files(shared: &ClusterConfig, node: &Node) -> Result<()> {
    for folder in ["conf", "logs", "run", "tmp"] {
        fs::create_dir_all(node.dir.join(folder))?;
    }
    for folder in &node.data_dirs {
        fs::create_dir_all(folder)?;
    }
    let conf = node.dir.join("conf");
    for (file, text) in [
        (node.config.clone(), config::cassandra_yaml(shared, node)),
        (
            conf.join("cassandra-rackdc.properties"),
            config::rackdc_properties(node),
        ),
        (conf.join("logback.xml"), config::logback_xml(node, false)),
        (
            conf.join("logback-tools.xml"),
            config::logback_xml(node, true),
        ),
    ] {
        fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    }
    Ok(())
}
