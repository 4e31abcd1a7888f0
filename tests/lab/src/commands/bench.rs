//! `lab bench`

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use lab::workload::{self, large};
use lab::{Cluster, Node, Release};

/// Time a program on a large SSTable of a real node, beside Cassandra's own tools
#[derive(Debug, Args)]
pub struct Bench {
    /// The program that measures; it is given the SSTable's folder and the tools to compare with
    #[arg(long)]
    program: PathBuf,
    /// How large the table is, in MiB of rows
    #[arg(long, default_value_t = 512)]
    mebibytes: u64,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

impl Bench {
    pub async fn run(self) -> Result<()> {
        let cluster = Cluster::builder(Release::C50)
            .num_tokens(1)
            .heap_mb(1024)
            .start()
            .await?;
        workload::fill_large(&cluster, self.mebibytes).await?;
        let node = cluster.node(0);
        let folder = table_folder(node)?;
        let (keyspace, table) = (large::KEYSPACE, large::TABLE);
        let nodetool = node.script("nodetool").display().to_string();
        let tool = node.script("sstable-tool").display().to_string();
        let versus = [
            format!("nodetool verify={nodetool} verify -f {keyspace} {table}"),
            format!("nodetool verify -e={nodetool} verify -f -e {keyspace} {table}"),
            format!("sstableverify={tool} StandaloneVerifier -f {keyspace} {table}"),
            format!("sstableverify -e={tool} StandaloneVerifier -f -e {keyspace} {table}"),
        ];
        let mut command = Command::new(&self.program);
        command
            .arg(&folder)
            .args(["--rounds", &self.rounds.to_string()]);
        for versus in &versus {
            command.args(["--versus", versus]);
        }
        let program = self.program.display().to_string();
        let status = tokio::task::spawn_blocking(move || command.status())
            .await?
            .with_context(|| format!("{program} does not start"))?;
        ensure!(status.success(), "{program} failed");
        Ok(())
    }
}

/// The folder of the large table, whose name ends with its id.
fn table_folder(node: &Node) -> Result<PathBuf> {
    let keyspace = node
        .data_dirs
        .first()
        .context("no data folder")?
        .join(large::KEYSPACE);
    for entry in keyspace.read_dir()? {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(large::TABLE)
        {
            return Ok(entry.path());
        }
    }
    anyhow::bail!("{} has no table", keyspace.display())
}
