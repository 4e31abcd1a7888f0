//! What a plan needs to know of a backup's SSTables, from its node manifests.

use std::sync::Arc;

use bucket::keys;
use futures::stream::{self, Stream, StreamExt};
use model::manifest::{BackupNode, NodeManifest, NodeSstables, TableSstables};
use model::{BackupRef, Selection};

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// Node manifests that are read at a time: each may be some hundred megabytes.
const PARALLEL_READS: usize = 4;

impl Catalog {
    /// One message for each node of the backup, in the manifest's order.
    pub async fn list_sstables(
        self: Arc<Self>,
        backup: BackupRef,
        selection: Selection,
    ) -> Result<impl Stream<Item = Result<NodeSstables, CatalogError>> + Send + use<>, CatalogError>
    {
        let manifest = self.get(&backup).await?;
        let selection = Arc::new(selection);
        Ok(stream::iter(manifest.nodes)
            .map(move |node| {
                let (catalog, backup, selection) =
                    (self.clone(), backup.clone(), selection.clone());
                async move { catalog.sstables_of(&backup, &node, &selection).await }
            })
            .buffered(PARALLEL_READS))
    }

    async fn sstables_of(
        &self,
        backup: &BackupRef,
        node: &BackupNode,
        selection: &Selection,
    ) -> Result<NodeSstables, CatalogError> {
        let read = self.read_node(backup, &node.host_id).await?;
        let manifest = match read {
            Some(read) if read.blake3 == node.blake3 => read.document,
            found => {
                let key = keys::node_manifest(backup, &node.host_id);
                return Err(CatalogError::Incomplete {
                    backup: backup.clone(),
                    missing: vec![match found {
                        Some(_) => {
                            format!("the node manifest `{key}` is not the one that was committed")
                        }
                        None => format!("the node manifest `{key}` is not in the bucket"),
                    }],
                });
            }
        };
        Ok(facts(manifest, selection))
    }
}

fn facts(manifest: NodeManifest, selection: &Selection) -> NodeSstables {
    let chosen = |table: &model::manifest::TableFiles| {
        selection.contains(&table.keyspace, &table.table)
            || table
                .view_of
                .as_ref()
                .is_some_and(|base| selection.contains(&table.keyspace, base))
    };
    NodeSstables {
        host_id: manifest.member.host_id,
        tables: manifest
            .tables
            .into_iter()
            .filter(chosen)
            .map(|table| TableSstables {
                table: table.table_ref(),
                id: table.id,
                sstables: table.sstables,
            })
            .collect(),
        keys: manifest.keys,
    }
}
