//! Controls Cassandra through JMX, without a Java process for each command.

mod address;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ::jmx::{Argument, JmxError, Reply, Server, Session};
use async_trait::async_trait;
use model::TableRef;
use secret::Secret;
use tokio::time::timeout;

use super::gossip_text::gossip_addresses;
use super::{
    CassandraControl, ClientProtocol, ControlError, Maintenance, Operation, SnapshotScope,
    Unsettled, tables_by_keyspace,
};
pub use address::JmxAddress;

const STORAGE_SERVICE: &str = "org.apache.cassandra.db:type=StorageService";
const COMPACTION_MANAGER: &str = "org.apache.cassandra.db:type=CompactionManager";
const FAILURE_DETECTOR: &str = "org.apache.cassandra.net:type=FailureDetector";

/// How long the login may take. A Cassandra that is up and does not reply is not one that is down.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// How many SSTables nodetool has Cassandra rewrite at a time.
const UPGRADE_JOBS: i32 = 2;

/// The JMX of one node.
pub struct Jmx {
    server: Server,
    timeout: Duration,
}

impl Jmx {
    /// `timeout` limits every call but those that rewrite SSTables.
    pub fn new(address: &JmxAddress, login: Option<(String, Secret)>, timeout: Duration) -> Self {
        Self {
            server: Server::new(&address.host, address.port).with_login(login),
            timeout,
        }
    }

    async fn attribute(&self, mbean: &str, attribute: &str) -> Result<Reply, ControlError> {
        let mut replies = self.attributes(&[mbean.to_owned()], attribute).await?;
        Ok(replies.remove(0))
    }

    /// The same attribute of many MBeans.
    async fn attributes(
        &self,
        mbeans: &[String],
        attribute: &str,
    ) -> Result<Vec<Reply>, ControlError> {
        let operation = format!("{attribute} of JMX");
        let session = self.login(&operation).await?;
        let read = async {
            let mut replies = Vec::with_capacity(mbeans.len());
            for mbean in mbeans {
                replies.push(session.attribute(mbean, attribute).await?);
            }
            Ok(replies)
        };
        let ended = self.limited(&operation, read).await;
        close(session).await;
        ended
    }

    async fn invoke(
        &self,
        mbean: &str,
        operation: &str,
        arguments: &[Argument],
    ) -> Result<Reply, ControlError> {
        let shown = outcome::shown(operation, arguments);
        let session = self.login(&shown).await?;
        let ended = self.limited(&shown, session.invoke(mbean, operation, arguments));
        let ended = ended.await;
        close(session).await;
        ended
    }

    async fn invoke_without_limit(
        &self,
        mbean: &str,
        operation: &str,
        arguments: &[Argument],
    ) -> Result<Reply, ControlError> {
        let shown = outcome::shown(operation, arguments);
        let session = self.login(&shown).await?;
        let ended = session.invoke(mbean, operation, arguments).await;
        close(session).await;
        ended.map_err(|error| outcome::judge(&shown, &error))
    }

    async fn login(&self, operation: &str) -> Result<Session, ControlError> {
        match timeout(LOGIN_TIMEOUT, self.server.connect()).await {
            Ok(session) => session.map_err(|error| outcome::judge(operation, &error)),
            Err(_) => Err(outcome::timeout(operation, LOGIN_TIMEOUT)),
        }
    }

    async fn limited<T>(
        &self,
        operation: &str,
        call: impl Future<Output = Result<T, JmxError>>,
    ) -> Result<T, ControlError> {
        match timeout(self.timeout, call).await {
            Ok(ended) => ended.map_err(|error| outcome::judge(operation, &error)),
            Err(_) => Err(outcome::timeout(operation, self.timeout)),
        }
    }
}

/// One that is not closed is dropped by Cassandra after minutes.
async fn close(session: Session) {
    let _ = timeout(LOGIN_TIMEOUT, session.close()).await;
}

fn text(attribute: &str, reply: &Reply) -> Result<String, ControlError> {
    let text = reply.text().map(str::to_owned);
    text.ok_or_else(|| outcome::no_such_value(attribute))
}

fn bool(attribute: &str, reply: &Reply) -> Result<bool, ControlError> {
    reply
        .bool()
        .ok_or_else(|| outcome::no_such_value(attribute))
}

fn table_mbean(table: &TableRef) -> String {
    let TableRef { keyspace, table } = table;
    format!("org.apache.cassandra.db:type=Tables,keyspace={keyspace},table={table}")
}

fn count_mbean(table: &TableRef) -> String {
    let TableRef { keyspace, table } = table;
    format!(
        "org.apache.cassandra.metrics:type=Table,keyspace={keyspace},scope={table},name=LiveSSTableCount"
    )
}

/// The arguments of operations on tables of one keyspace.
fn keyspace_and_tables(keyspace: &str, tables: &[&TableRef]) -> [Argument; 2] {
    let names = tables.iter().map(|table| table.table.clone()).collect();
    [keyspace.into(), Argument::Texts(names)]
}

#[async_trait]
impl CassandraControl for Jmx {
    async fn mode(&self) -> Result<String, ControlError> {
        let reply = self.attribute(STORAGE_SERVICE, "OperationMode").await?;
        text("OperationMode", &reply)
    }

    async fn host_id(&self) -> Result<String, ControlError> {
        let reply = self.attribute(STORAGE_SERVICE, "LocalHostId").await?;
        text("LocalHostId", &reply)
    }

    async fn gossip_addresses(&self) -> Result<BTreeSet<IpAddr>, ControlError> {
        let reply = self
            .attribute(FAILURE_DETECTOR, "AllEndpointStates")
            .await?;
        Ok(gossip_addresses(&text("AllEndpointStates", &reply)?))
    }

    async fn snapshot(&self, tag: &str, scope: &SnapshotScope) -> Result<(), ControlError> {
        let entities = match scope {
            SnapshotScope::Keyspaces(keyspaces) => keyspaces.clone(),
            SnapshotScope::Tables(tables) => tables.iter().map(ToString::to_string).collect(),
        };
        let arguments = [tag.into(), Argument::EmptyMap, Argument::Texts(entities)];
        let ended = self
            .invoke(STORAGE_SERVICE, "takeSnapshot", &arguments)
            .await;
        ended
            .map(drop)
            .map_err(|error| outcome::of_snapshot(tag, error))
    }

    async fn clear_snapshot(&self, tag: &str) -> Result<(), ControlError> {
        let arguments = [tag.into(), Argument::Texts(Vec::new())];
        self.invoke(STORAGE_SERVICE, "clearSnapshot", &arguments)
            .await
            .map(drop)
    }

    async fn import(
        &self,
        table: &TableRef,
        folders: &[PathBuf],
        check_tokens: bool,
    ) -> Result<(), ControlError> {
        let paths = folders.iter().map(|folder| folder.display().to_string());
        // As nodetool does by default: levels and the repaired state are reset, SSTables are verified, caches forgotten,
        // and values are not read.
        let arguments = [
            Argument::TextSet(paths.collect()),
            true.into(),
            true.into(),
            true.into(),
            check_tokens.into(),
            true.into(),
            false.into(),
        ];
        let operation = "importNewSSTables";
        let reply = self
            .invoke(&table_mbean(table), operation, &arguments)
            .await?;
        let failed = reply
            .texts()
            .ok_or_else(|| outcome::no_such_value(operation))?;
        if failed.is_empty() {
            return Ok(());
        }
        let why = format!("folders that were not imported: {}", failed.join(", "));
        Err(outcome::failed(operation, why))
    }

    async fn refresh(&self, table: &TableRef) -> Result<(), ControlError> {
        let arguments = [table.keyspace.as_str().into(), table.table.as_str().into()];
        self.invoke(STORAGE_SERVICE, "loadNewSSTables", &arguments)
            .await
            .map(drop)
    }

    async fn not_compacted(&self, tables: &[TableRef]) -> Result<Vec<TableRef>, ControlError> {
        let attribute = "AutoCompactionDisabled";
        let mbeans: Vec<String> = tables.iter().map(table_mbean).collect();
        let replies = self.attributes(&mbeans, attribute).await?;
        let mut off = Vec::new();
        for (table, reply) in tables.iter().zip(&replies) {
            if bool(attribute, reply)? {
                off.push(table.clone());
            }
        }
        Ok(off)
    }

    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError> {
        let operation = if on {
            "enableAutoCompaction"
        } else {
            "disableAutoCompaction"
        };
        for (keyspace, tables) in tables_by_keyspace(tables) {
            let arguments = keyspace_and_tables(keyspace, &tables);
            self.invoke(STORAGE_SERVICE, operation, &arguments).await?;
        }
        Ok(())
    }

    async fn operations(&self) -> Result<Vec<Operation>, ControlError> {
        let reply = self.attribute(COMPACTION_MANAGER, "Compactions").await?;
        let compactions = reply.maps();
        let compactions = compactions.ok_or_else(|| outcome::no_such_value("Compactions"))?;
        let of_tables = compactions.iter().filter(|it| is_of_table(it));
        let operations = of_tables.map(operation);
        operations
            .collect::<Option<_>>()
            .ok_or_else(|| outcome::no_such_value("Compactions"))
    }

    async fn sstable_counts(
        &self,
        tables: &[TableRef],
    ) -> Result<BTreeMap<TableRef, u64>, ControlError> {
        let mbeans: Vec<String> = tables.iter().map(count_mbean).collect();
        let replies = self.attributes(&mbeans, "Value").await?;
        let mut counts = BTreeMap::new();
        for (table, reply) in tables.iter().zip(&replies) {
            let count = reply.int().and_then(|count| u64::try_from(count).ok());
            let count = count.ok_or_else(|| outcome::no_such_value("LiveSSTableCount"))?;
            counts.insert(table.clone(), count);
        }
        Ok(counts)
    }

    async fn drain(&self) -> Result<(), ControlError> {
        self.invoke(STORAGE_SERVICE, "drain", &[]).await.map(drop)
    }

    async fn serves_clients(&self, protocol: ClientProtocol) -> Result<bool, ControlError> {
        let attribute = match protocol {
            ClientProtocol::Native => "NativeTransportRunning",
            ClientProtocol::Thrift => "RPCServerRunning",
        };
        match self.attribute(STORAGE_SERVICE, attribute).await {
            Ok(reply) => bool(attribute, &reply),
            // From 4.0 on there is none.
            Err(ControlError::Unsupported { .. }) if protocol == ClientProtocol::Thrift => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn set_clients(
        &self,
        protocol: ClientProtocol,
        served: bool,
    ) -> Result<(), ControlError> {
        let operation = match (protocol, served) {
            (ClientProtocol::Native, true) => "startNativeTransport",
            (ClientProtocol::Native, false) => "stopNativeTransport",
            (ClientProtocol::Thrift, true) => "startRPCServer",
            (ClientProtocol::Thrift, false) => "stopRPCServer",
        };
        self.invoke(STORAGE_SERVICE, operation, &[]).await.map(drop)
    }

    async fn upgrade_sstables(&self, table: &TableRef, all: bool) -> Result<(), ControlError> {
        let operation = "upgradeSSTables";
        let arguments = [
            table.keyspace.as_str().into(),
            (!all).into(),
            Argument::Int(UPGRADE_JOBS),
            Argument::Texts(vec![table.table.clone()]),
        ];
        let reply = self.invoke_without_limit(STORAGE_SERVICE, operation, &arguments);
        match reply.await?.int() {
            Some(0) => Ok(()),
            Some(status) => Err(outcome::failed(operation, outcome::aborted(status))),
            None => Err(outcome::no_such_value(operation)),
        }
    }

    async fn maintain(&self, operation: &Maintenance) -> Result<(), ControlError> {
        Err(outcome::by_nodetool(operation.to_string()))
    }

    async fn unsettled(&self) -> Result<Unsettled, ControlError> {
        Err(outcome::by_nodetool(
            "the state of the other nodes".to_owned(),
        ))
    }
}

/// Some are of the whole node, such as a look at the sizes of index summaries.
fn is_of_table(compaction: &BTreeMap<String, String>) -> bool {
    compaction.contains_key("keyspace") && compaction.contains_key("columnfamily")
}

/// A compaction as Cassandra describes it; HCD calls the kind `operationType`.
fn operation(compaction: &BTreeMap<String, String>) -> Option<Operation> {
    let text = |key: &str| compaction.get(key).cloned();
    let number = |key: &str| compaction.get(key)?.parse().ok();
    Some(Operation {
        kind: text("taskType").or_else(|| text("operationType"))?,
        table: TableRef::new(text("keyspace")?, text("columnfamily")?),
        done: number("completed")?,
        total: number("total")?,
        unit: text("unit")?,
    })
}
