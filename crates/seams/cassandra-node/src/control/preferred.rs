//! Controls Cassandra through one adapter, and through a second one for what the first cannot do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::TableRef;
use tokio::sync::OnceCell;
use tracing::{info, warn};

use super::{
    CassandraControl, ClientProtocol, ControlError, Maintenance, Operation, SnapshotScope,
    Unsettled,
};
use crate::cql::Cql;
use crate::ring;

/// A fast adapter with a slow one behind it that always works, as JMX and nodetool are.
pub struct Preferred {
    first: Arc<dyn CassandraControl>,
    second: Arc<dyn CassandraControl>,
    cql: Arc<dyn Cql>,
    /// Whether the first leads to the node that CQL leads to.
    is_same_node: OnceCell<bool>,
    has_warned: AtomicBool,
}

impl Preferred {
    /// The first is not used before it was seen to lead to the same node as CQL: its address may be a likely one only, or
    /// mistyped on a host with several nodes.
    pub fn new(
        first: Arc<dyn CassandraControl>,
        second: Arc<dyn CassandraControl>,
        cql: Arc<dyn Cql>,
    ) -> Self {
        Self {
            first,
            second,
            cql,
            is_same_node: OnceCell::new(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// The first, unless it is not known to lead to the right node.
    async fn first(&self) -> Option<&dyn CassandraControl> {
        let is_same = self.is_same_node.get_or_try_init(|| self.compare()).await;
        is_same
            .is_ok_and(|is_same| *is_same)
            .then_some(&*self.first)
    }

    /// Not known as long as one of the two cannot be asked.
    async fn compare(&self) -> Result<bool, ()> {
        let by_jmx = self.first.host_id().await.map_err(drop)?;
        let by_cql = ring::host_id(&*self.cql).await.map_err(drop)?;
        let is_same = by_jmx.eq_ignore_ascii_case(&by_cql);
        if is_same {
            info!("JMX and CQL lead to the same node; commands go through JMX");
        } else {
            warn!(
                by_jmx,
                by_cql,
                "JMX leads to another node than CQL, so all commands go through nodetool; set jmx_address in [cassandra]"
            );
        }
        Ok(is_same)
    }

    /// Whether the second may do better. It would not with a node that is down, that has refused or that is slow.
    fn falls_back(&self, error: &ControlError) -> bool {
        let falls_back = match error {
            ControlError::Unusable { .. }
            | ControlError::Broken { .. }
            | ControlError::Login { .. }
            | ControlError::Unsupported { .. } => true,
            ControlError::Unreachable { .. }
            | ControlError::Failed { .. }
            | ControlError::SnapshotExists { .. }
            | ControlError::Busy { .. }
            | ControlError::Timeout { .. } => false,
        };
        if falls_back && !self.has_warned.swap(true, Ordering::Relaxed) {
            warn!(%error, "JMX cannot be used for a command; nodetool is used instead, which takes longer");
        }
        falls_back
    }
}

/// Makes a call through the first, or through the second.
macro_rules! call {
    ($self:ident.$call:ident($($argument:expr),*)) => {
        match $self.first().await {
            Some(first) => match first.$call($($argument),*).await {
                Err(error) if $self.falls_back(&error) => $self.second.$call($($argument),*).await,
                ended => ended,
            },
            None => $self.second.$call($($argument),*).await,
        }
    };
}

#[async_trait]
impl CassandraControl for Preferred {
    async fn mode(&self) -> Result<String, ControlError> {
        call!(self.mode())
    }

    async fn host_id(&self) -> Result<String, ControlError> {
        call!(self.host_id())
    }

    async fn gossip_addresses(&self) -> Result<BTreeSet<IpAddr>, ControlError> {
        call!(self.gossip_addresses())
    }

    async fn snapshot(&self, tag: &str, scope: &SnapshotScope) -> Result<(), ControlError> {
        call!(self.snapshot(tag, scope))
    }

    async fn clear_snapshot(&self, tag: &str) -> Result<(), ControlError> {
        call!(self.clear_snapshot(tag))
    }

    async fn import(
        &self,
        table: &TableRef,
        folders: &[PathBuf],
        check_tokens: bool,
    ) -> Result<(), ControlError> {
        call!(self.import(table, folders, check_tokens))
    }

    async fn refresh(&self, table: &TableRef) -> Result<(), ControlError> {
        call!(self.refresh(table))
    }

    async fn not_compacted(&self, tables: &[TableRef]) -> Result<Vec<TableRef>, ControlError> {
        call!(self.not_compacted(tables))
    }

    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError> {
        call!(self.set_autocompaction(tables, on))
    }

    async fn operations(&self) -> Result<Vec<Operation>, ControlError> {
        call!(self.operations())
    }

    async fn sstable_counts(
        &self,
        tables: &[TableRef],
    ) -> Result<BTreeMap<TableRef, u64>, ControlError> {
        call!(self.sstable_counts(tables))
    }

    async fn drain(&self) -> Result<(), ControlError> {
        call!(self.drain())
    }

    async fn serves_clients(&self, protocol: ClientProtocol) -> Result<bool, ControlError> {
        call!(self.serves_clients(protocol))
    }

    async fn set_clients(
        &self,
        protocol: ClientProtocol,
        served: bool,
    ) -> Result<(), ControlError> {
        call!(self.set_clients(protocol, served))
    }

    async fn upgrade_sstables(&self, table: &TableRef, all: bool) -> Result<(), ControlError> {
        call!(self.upgrade_sstables(table, all))
    }

    async fn maintain(&self, operation: &Maintenance) -> Result<(), ControlError> {
        call!(self.maintain(operation))
    }

    async fn unsettled(&self) -> Result<Unsettled, ControlError> {
        call!(self.unsettled())
    }
}

#[cfg(test)]
mod tests;
