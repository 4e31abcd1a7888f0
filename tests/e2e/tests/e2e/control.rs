//! Every call by which the agent controls Cassandra, through JMX and through nodetool, on real nodes of the oldest and the
//! newest release line: both report the same, and what one changes, the other sees.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cassandra_node::control::jmx::{Jmx, JmxAddress};
use cassandra_node::control::nodetool::Nodetool;
use cassandra_node::control::{CassandraControl, ClientProtocol, ControlError, SnapshotScope};
use lab::session::run;
use lab::{Cluster, Node, Release};
use model::TableRef;

const LIMIT: Duration = Duration::from_secs(300);
const TAG: &str = "control_test";

struct Controls {
    jmx: Arc<dyn CassandraControl>,
    nodetool: Arc<dyn CassandraControl>,
}

impl Controls {
    fn of(node: &Node) -> Self {
        let address = JmxAddress {
            host: "127.0.0.1".to_owned(),
            port: node.jmx_port,
        };
        let nodetool = vec![node.script("nodetool").display().to_string()];
        Self {
            jmx: Arc::new(Jmx::new(&address, None, LIMIT)),
            nodetool: Arc::new(Nodetool::new(nodetool, LIMIT)),
        }
    }

    fn both(&self) -> [&dyn CassandraControl; 2] {
        [&*self.jmx, &*self.nodetool]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jmx_does_what_nodetool_does_on_the_oldest_line() -> Result<()> {
    check(Release::C311).await
}

#[tokio::test(flavor = "multi_thread")]
async fn jmx_does_what_nodetool_does_on_the_newest_line() -> Result<()> {
    check(Release::C50).await
}

async fn check(release: Release) -> Result<()> {
    let cluster = Cluster::builder(release).start().await?;
    let node = cluster.node(0);
    let session = cluster.session().await?;
    let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    for statement in [
        format!("CREATE KEYSPACE ks WITH replication = {replication}"),
        "CREATE TABLE ks.\"T\" (id int PRIMARY KEY, v text)".to_owned(),
        "CREATE TABLE ks.u (id int PRIMARY KEY, v text)".to_owned(),
        "CREATE INDEX ON ks.\"T\" (v)".to_owned(),
        "INSERT INTO ks.\"T\" (id, v) VALUES (1, 'a')".to_owned(),
    ] {
        run(&session, &statement).await?;
    }
    node.nodetool(&["flush", "ks"]).await?;
    let tables = [TableRef::new("ks", "T"), TableRef::new("ks", "u")];
    let controls = Controls::of(node);
    reads(&controls, &tables).await?;
    snapshots(&controls, &tables[0]).await?;
    compaction(&controls, &tables, release).await?;
    loads(&controls, node, &tables[1], release).await?;
    clients(&controls, release).await?;
    controls.jmx.drain().await?;
    assert_eq!(controls.nodetool.mode().await?, "DRAINED");
    node.stop().await?;
    for control in controls.both() {
        is_down(control).await;
    }
    Ok(())
}

/// The ports of a process that has ended close a moment later; a connection that breaks says nothing yet.
async fn is_down(control: &dyn CassandraControl) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match control.mode().await {
            Err(ControlError::Unreachable { .. }) => return,
            Err(ControlError::Broken { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn reads(controls: &Controls, tables: &[TableRef]) -> Result<()> {
    let Controls { jmx, nodetool } = controls;
    assert_eq!(jmx.mode().await?, "NORMAL");
    assert_eq!(jmx.mode().await?, nodetool.mode().await?);
    assert_eq!(jmx.host_id().await?, nodetool.host_id().await?);
    let known = jmx.gossip_addresses().await?;
    assert_eq!(known.len(), 1);
    assert_eq!(known, nodetool.gossip_addresses().await?);
    // The index has an SSTable of its own, which is not counted.
    let counts = BTreeMap::from([(tables[0].clone(), 1), (tables[1].clone(), 0)]);
    for control in controls.both() {
        assert_eq!(control.sstable_counts(tables).await?, counts);
        assert_eq!(control.operations().await?, []);
        let missing = [TableRef::new("ks", "missing")];
        let missing = control.sstable_counts(&missing).await.unwrap_err();
        assert!(matches!(missing, ControlError::Failed { .. }), "{missing}");
    }
    Ok(())
}

async fn snapshots(controls: &Controls, table: &TableRef) -> Result<()> {
    let Controls { jmx, nodetool } = controls;
    let scopes = [
        SnapshotScope::Tables(vec![table.clone()]),
        SnapshotScope::Keyspaces(vec!["ks".to_owned()]),
    ];
    for scope in &scopes {
        for (takes, finds) in [(jmx, nodetool), (nodetool, jmx)] {
            takes.snapshot(TAG, scope).await?;
            let exists = finds.snapshot(TAG, scope).await.unwrap_err();
            let is_named =
                matches!(&exists, ControlError::SnapshotExists { tag, .. } if tag == TAG);
            assert!(is_named, "{exists}");
            finds.clear_snapshot(TAG).await?;
            takes.clear_snapshot(TAG).await?;
        }
    }
    let unknown = SnapshotScope::Keyspaces(vec!["missing".to_owned()]);
    for control in controls.both() {
        let unknown = control.snapshot(TAG, &unknown).await.unwrap_err();
        assert!(matches!(unknown, ControlError::Failed { .. }), "{unknown}");
    }
    Ok(())
}

async fn compaction(controls: &Controls, tables: &[TableRef], release: Release) -> Result<()> {
    let Controls { jmx, nodetool } = controls;
    for (turns, sees) in [(jmx, nodetool), (nodetool, jmx)] {
        turns.set_autocompaction(&tables[..1], false).await?;
        for control in [turns, sees] {
            let off = control.not_compacted(tables).await?;
            assert_eq!(off, tables[..reported(control, jmx, release)]);
        }
        sees.set_autocompaction(tables, true).await?;
        assert_eq!(turns.not_compacted(tables).await?, []);
    }
    for control in controls.both() {
        control.upgrade_sstables(&tables[0], false).await?;
        control.upgrade_sstables(&tables[0], true).await?;
    }
    Ok(())
}

/// nodetool of 3.11 does not report it.
fn reported(
    by: &Arc<dyn CassandraControl>,
    jmx: &Arc<dyn CassandraControl>,
    release: Release,
) -> usize {
    usize::from(Arc::ptr_eq(by, jmx) || release != Release::C311)
}

/// Loads the SSTable of one table into another of the same columns.
async fn loads(controls: &Controls, node: &Node, table: &TableRef, release: Release) -> Result<()> {
    let (mut expected, nowhere) = (0, [PathBuf::from("/nowhere")]);
    for control in controls.both() {
        control.refresh(table).await?;
        if release == Release::C311 {
            let import = control.import(table, &nowhere, true).await;
            let unsupported = import.unwrap_err();
            let is_named = matches!(unsupported, ControlError::Unsupported { .. });
            assert!(is_named, "{unsupported}");
            continue;
        }
        let folder = node.dir.join(format!("staged/{expected}/ks/u"));
        copy_sstable(node, &folder)?;
        control
            .import(table, std::slice::from_ref(&folder), true)
            .await?;
        expected += 1;
        let counts = control.sstable_counts(std::slice::from_ref(table)).await?;
        assert_eq!(counts[table], expected);
        ensure!(is_empty(&folder)?, "the SSTable is moved out of its folder");
        let missing = control.import(table, &nowhere, true).await;
        assert!(
            matches!(missing, Err(ControlError::Failed { .. })),
            "{missing:?}"
        );
    }
    Ok(())
}

fn is_empty(folder: &PathBuf) -> Result<bool> {
    Ok(std::fs::read_dir(folder)?.next().is_none())
}

/// Copies the only SSTable of `ks."T"`.
fn copy_sstable(node: &Node, into: &PathBuf) -> Result<()> {
    std::fs::create_dir_all(into)?;
    let keyspace = node
        .data_dirs
        .first()
        .context("a data directory")?
        .join("ks");
    for folder in std::fs::read_dir(keyspace)? {
        let folder = folder?;
        if !folder.file_name().to_string_lossy().starts_with("T-") {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            let file = file?;
            if file.file_type()?.is_file() {
                std::fs::copy(file.path(), into.join(file.file_name()))?;
            }
        }
    }
    ensure!(!is_empty(into)?, "the table has no SSTable");
    Ok(())
}

async fn clients(controls: &Controls, release: Release) -> Result<()> {
    let Controls { jmx, nodetool } = controls;
    let (native, thrift) = (ClientProtocol::Native, ClientProtocol::Thrift);
    for (turns, sees) in [(jmx, nodetool), (nodetool, jmx)] {
        for served in [false, true] {
            turns.set_clients(native, served).await?;
            assert_eq!(sees.serves_clients(native).await?, served);
            if release == Release::C311 {
                turns.set_clients(thrift, served).await?;
                assert_eq!(sees.serves_clients(thrift).await?, served);
            }
        }
    }
    if release != Release::C311 {
        for control in controls.both() {
            assert!(!control.serves_clients(thrift).await?);
            let unsupported = control.set_clients(thrift, true).await;
            assert!(unsupported.is_err());
        }
    }
    Ok(())
}
