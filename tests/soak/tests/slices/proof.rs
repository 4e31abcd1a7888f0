//! The proof on one node: all its tables cut up, loaded again, and put through all that a node does to SSTables.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use cassandra_formats::index::IndexReader;
use cassandra_formats::source::Components;
use lab::workload::{self, KEYSPACES, Scale};
use lab::{Cluster, Node, Release, session};
use scylla::client::session::Session;
use scylla::value::CqlValue;
use sstable_files::{Place, SstableFiles};

use crate::content::Content;
use crate::cut::{self, Cutting, Tables};
use crate::load::Slices;
use crate::log::Log;

const SNAPSHOT: &str = "whole";
/// The table that is cut by many ranges at once.
const STRIPED: &str = "baskets";
/// Tables with range tombstones. Scrub of 5.0.5 takes them for rows, fails, and drops their partitions; out of SSTables
/// that the node wrote itself too.
const RANGE_DELETED: [&str; 2] = ["orders", "Samples"];
/// The table that has indexes.
const INDEXED: &str = "products";
/// Tables and not views: these are truncated with their tables.
const TABLES: &str =
    "SELECT table_name, compaction FROM system_schema.tables WHERE keyspace_name = ";
const VIEWS: &str = "SELECT view_name, compaction FROM system_schema.views WHERE keyspace_name = ";

/// How much is proven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rounds {
    /// Loading, verify, compaction.
    First,
    /// Also what a node does to slices on its start, scrub and upgradesstables.
    All,
}

pub async fn prove(
    release: Release,
    settings: &[(&str, &str)],
    version: &str,
    rounds: Rounds,
) -> Result<()> {
    let mut builder = Cluster::builder(release).name("slices");
    builder = builder.setting("auto_snapshot", "false");
    for (key, yaml) in settings {
        builder = builder.setting(key, yaml);
    }
    let cluster = builder.start().await?;
    Proof::prepare(&cluster, version).await?.run(rounds).await
}

struct Proof<'a> {
    cluster: &'a Cluster,
    node: &'a Node,
    before: Content,
    slices: Slices,
    log: Log<'a>,
}

impl<'a> Proof<'a> {
    /// Fills the node, remembers what it holds, and cuts all of it into slices.
    async fn prepare(cluster: &'a Cluster, version: &str) -> Result<Self> {
        let node = cluster.node(0);
        workload::fill(cluster, Scale::Medium).await?;
        stop_background_compaction(&cluster.session().await?).await?;
        node.nodetool(&["flush"]).await?;
        let before = Content::read(cluster).await?;
        let mut arguments = vec!["snapshot", "-t", SNAPSHOT, "--"];
        arguments.extend(KEYSPACES);
        node.nodetool(&arguments).await?;
        let tables = cut::snapshot(node, SNAPSHOT)?;
        check_kinds(&tables, version)?;
        let slices = cut_all(&tables, cluster.dir())?;
        Ok(Self {
            cluster,
            node,
            before,
            slices,
            log: Log::from_here(node)?,
        })
    }

    async fn run(&self, rounds: Rounds) -> Result<()> {
        self.load().await?;
        self.slices.check_untouched(self.node)?;
        self.tool(verify(self.cluster.release())).await?;
        self.log.check_quiet().context("after verify")?;
        self.tool(&["compact"]).await?;
        self.check("compact").await?;
        if rounds == Rounds::First {
            return Ok(());
        }
        self.start_with_slices().await?;
        self.check("a start").await?;
        self.slices.check_untouched(self.node)?;
        self.scrub().await?;
        self.check("scrub").await?;

        self.start_with_slices().await?;
        self.tool(&["upgradesstables", "-a"]).await?;
        self.check("upgradesstables").await?;
        self.tool(&["compact"]).await?;
        self.check("compact after upgradesstables").await
    }

    /// Empties the tables and loads all slices.
    async fn load(&self) -> Result<()> {
        self.empty().await?;
        let release = self.cluster.release();
        self.slices.load(self.node, release, |_| true).await?;
        self.check("loading").await
    }

    /// Empties the tables and starts the node over slices that lie in their folders. It opens them as it opens its own,
    /// and that takes less time than a nodetool for each table. Indexes are built by nothing but a load.
    async fn start_with_slices(&self) -> Result<()> {
        self.empty().await?;
        self.node.stop().await?;
        self.slices.lay(self.node, |table| table != INDEXED)?;
        self.node.start().await?;
        self.cluster.wait_ready().await?;
        let release = self.cluster.release();
        self.slices
            .load(self.node, release, |table| table == INDEXED)
            .await
    }

    async fn empty(&self) -> Result<()> {
        let session = self.cluster.session().await?;
        for keyspace in KEYSPACES {
            for (table, _) in named(&session, TABLES, keyspace).await? {
                let truncate = format!("TRUNCATE \"{keyspace}\".\"{table}\"");
                session::run(&session, &truncate).await?;
            }
        }
        let left = self.cluster.digest(&KEYSPACES).await?;
        ensure!(left.rows() == 0, "rows are left after TRUNCATE");
        Ok(())
    }

    /// All tables, around what 5.0.5 does wrong with any SSTable.
    async fn scrub(&self) -> Result<()> {
        let is_5_0 = self.cluster.release() == Release::C50;
        let places: Option<Vec<Place>> = self
            .slices
            .folders
            .iter()
            .map(|folder| Place::of(folder))
            .collect();
        let places = places.context("folders of tables")?;
        for keyspace in KEYSPACES {
            let mut arguments = vec!["scrub", "-ns"];
            if is_5_0 {
                // Without it all that expires is taken for overflowed in SSTables of 4.0, and its partitions are dropped.
                arguments.push("-r");
            }
            arguments.extend(["--", keyspace]);
            let tables = places.iter().filter(|place| place.keyspace == keyspace);
            let tables = tables.map(|place| place.table.as_str());
            arguments.extend(tables.filter(|table| !is_5_0 || !RANGE_DELETED.contains(table)));
            self.node.nodetool(&arguments).await?;
        }
        Ok(())
    }

    /// Runs a command of nodetool on each keyspace.
    async fn tool(&self, command: &[&str]) -> Result<()> {
        for keyspace in KEYSPACES {
            let mut arguments = command.to_vec();
            arguments.extend(["--", keyspace]);
            self.node.nodetool(&arguments).await?;
        }
        Ok(())
    }

    async fn check(&self, what: &str) -> Result<()> {
        self.log
            .check_quiet()
            .with_context(|| format!("after {what}"))?;
        let after = Content::read(self.cluster).await?;
        self.before
            .check_same(&after)
            .with_context(|| format!("after {what}"))
    }
}

/// Every cell is looked at, and from 4.0 on that tokens are the node's own; from 4.1 on the command wants to be forced.
fn verify(release: Release) -> &'static [&'static str] {
    match release {
        Release::C311 => &["verify", "-e"],
        Release::C40 => &["verify", "-e", "-t"],
        _ => &["verify", "-f", "-e", "-t"],
    }
}

/// Compaction would replace the slices before they are looked at. The schema keeps it off over a restart.
async fn stop_background_compaction(session: &Session) -> Result<()> {
    for keyspace in KEYSPACES {
        for (kind, query) in [("TABLE", TABLES), ("MATERIALIZED VIEW", VIEWS)] {
            for (name, mut options) in named(session, query, keyspace).await? {
                options.push(("enabled".to_owned(), "false".to_owned()));
                let options: Vec<String> = options
                    .iter()
                    .map(|(key, value)| format!("'{key}': '{value}'"))
                    .collect();
                let alter = format!(
                    "ALTER {kind} \"{keyspace}\".\"{name}\" WITH compaction = {{{}}}",
                    options.join(", ")
                );
                session::run(session, &alter).await?;
            }
        }
    }
    Ok(())
}

/// Tables or views with their options of compaction.
async fn named(
    session: &Session,
    query: &str,
    keyspace: &str,
) -> Result<Vec<(String, Vec<(String, String)>)>> {
    let rows = session::rows(session, &format!("{query}'{keyspace}'")).await?;
    let text = |value: &CqlValue| value.as_text().cloned().context("a text");
    rows.into_iter()
        .map(|row| {
            let [Some(name), Some(CqlValue::Map(options))] = &row[..] else {
                anyhow::bail!("the schema has an unknown form");
            };
            let options = options
                .iter()
                .map(|(key, value)| Ok((text(key)?, text(value)?)));
            Ok((text(name)?, options.collect::<Result<_>>()?))
        })
        .collect()
}

/// Fails unless the SSTables are of all the kinds that are to be proven.
fn check_kinds(tables: &Tables, version: &str) -> Result<()> {
    let all = || tables.values().flatten();
    for sstable in all() {
        let found = sstable.descriptor().format.to_string();
        ensure!(found == version, "the node writes {found}, not {version}");
    }
    let with = |component: &str| {
        all()
            .filter(|sstable| sstable.components().contains_key(component))
            .count()
    };
    let (compressed, plain) = (with("CompressionInfo.db"), with("CRC.db"));
    ensure!(
        compressed > 0 && plain > 0,
        "{compressed} compressed, {plain} plain"
    );
    let has_row_index = all()
        .map(has_row_index)
        .collect::<Result<Vec<bool>>>()?
        .contains(&true);
    ensure!(has_row_index, "no partition is wide enough for a row index");
    Ok(())
}

fn has_row_index(sstable: &SstableFiles) -> Result<bool> {
    let Some(index) = sstable.open("Index.db")? else {
        return Ok(sstable.components().get("Rows.db") > Some(&0));
    };
    let mut index = IndexReader::new(index);
    while let Some(entry) = index.next_entry()? {
        if !entry.promoted.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn cut_all(tables: &Tables, dir: &Path) -> Result<Slices> {
    let mut folders = Vec::new();
    for (table, sstables) in tables {
        let mut cutting = Cutting::new(&dir.join("slices"), table)?;
        for sstable in sstables {
            let ranges = match table.1.starts_with(STRIPED) {
                true => cut::stripes(),
                false => cut::quarters(sstable)?,
            };
            for ranges in &ranges {
                cutting.cut(sstable, ranges)?;
            }
        }
        folders.push(cutting.folder().to_owned());
    }
    Ok(Slices {
        folders,
        staging: dir.join("staging"),
    })
}
