//! `lab up`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use lab::{Cluster, Release};

/// Start a cluster and print its description as JSON; starts a stopped one again
#[derive(Debug, Args)]
pub struct Up {
    /// Release line: 3.11, 4.0, 4.1 or 5.0
    #[arg(long, default_value = "5.0")]
    release: Release,
    /// Number of nodes, in one datacenter and up to three racks
    #[arg(long, default_value_t = 1, conflicts_with = "layout")]
    nodes: usize,
    /// Datacenter and rack of each node, such as `dc1:r1,dc1:r2,dc2:r1`
    #[arg(long, value_delimiter = ',')]
    layout: Vec<String>,
    /// Folder of the cluster; new, empty, or that of a stopped cluster
    #[arg(long)]
    dir: PathBuf,
    /// Cassandra's cluster name; the tokens are chosen from it
    #[arg(long, default_value = "lab")]
    name: String,
    /// Tokens of each node
    #[arg(long, default_value_t = 4)]
    num_tokens: usize,
    /// Data folders of each node
    #[arg(long, default_value_t = 1)]
    data_dirs: usize,
    /// Ask for passwords: the superuser is cassandra/cassandra
    #[arg(long)]
    auth: bool,
    /// A line of cassandra.yaml, such as `sstable={selected_format: bti}`; may be repeated
    #[arg(long, value_name = "KEY=YAML")]
    setting: Vec<String>,
    /// Java heap of each node
    #[arg(long, default_value_t = 512)]
    heap_mb: u32,
}

impl Up {
    pub async fn run(self) -> Result<()> {
        if self.dir.join("cluster.json").is_file() {
            let cluster = Cluster::open(&self.dir)?;
            cluster.start_nodes().await?;
            cluster.wait_ready().await?;
            println!("{}", cluster.to_json()?);
            return Ok(());
        }
        let mut cluster = self.start_new().await?;
        cluster.detach();
        println!("{}", cluster.to_json()?);
        Ok(())
    }

    async fn start_new(self) -> Result<Cluster> {
        let mut builder = Cluster::builder(self.release)
            .name(&self.name)
            .nodes(self.nodes)
            .num_tokens(self.num_tokens)
            .data_dirs(self.data_dirs)
            .authenticator(self.auth)
            .heap_mb(self.heap_mb)
            .dir(&self.dir);
        if !self.layout.is_empty() {
            let places = self.layout.iter().map(|place| {
                place.split_once(':').with_context(|| {
                    format!("`{place}` is no place of a node: write DATACENTER:RACK")
                })
            });
            builder = builder.layout(&places.collect::<Result<Vec<_>>>()?);
        }
        for setting in &self.setting {
            let (key, yaml) = setting
                .split_once('=')
                .with_context(|| format!("`{setting}` is no setting: write KEY=YAML"))?;
            builder = builder.setting(key, yaml);
        }
        builder.start().await
    }
}
