//! Commits a backup: checks what the nodes wrote, writes the backup manifest, last of all, and then looks whether
//! another catalog has deleted or given up the backup meanwhile.

mod check;
mod figures;
mod settle;

use std::collections::BTreeSet;

use blob_store::Put;
use bucket::{Read, keys};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::manifest::{BackupManifest, BackupNode, Intent, MissingNode};
use model::plan::KeyspaceCoverage;
use model::{BackupName, BackupRef, HostId, RingMember, Schema, TaskId};

use crate::begin::base_of;
use crate::catalog::{Catalog, NODES_PARALLEL};
use crate::error::CatalogError;
use check::TableSet;

pub struct Request {
    pub backup: BackupRef,
    pub task: TaskId,
    pub host_ids: Vec<HostId>,
    pub ring: Vec<RingMember>,
    pub schema: Schema,
    pub cluster_name: String,
    pub partitioner: String,
    pub snapshot_spread_ms: u64,
    /// The members of the ring that the backup is made without, on demand.
    pub missing: Vec<MissingNode>,
    /// If any are missing: what the backup has of each keyspace.
    pub coverage: Vec<KeyspaceCoverage>,
}

/// What one node's manifest came to.
enum Node {
    Whole(Box<Whole>),
    Missing(Vec<String>),
}

/// A node's part of a backup.
struct Whole {
    node: BackupNode,
    tables: TableSet,
    copied_from: BTreeSet<BackupName>,
}

impl Catalog {
    /// Commits a backup. Repeated with the same task it returns the manifest that is there.
    pub async fn commit(&self, request: Request) -> Result<BackupManifest, CatalogError> {
        let _lock = self.locks.lock(&request.backup).await;
        if let Some(manifest) = self.committed_before(&request).await? {
            return Ok(manifest);
        }
        let intent = self.intent_to_commit(&request).await?;
        check::ring(&request)?;
        // Held from before the manifest is there until it speaks for itself.
        if let Some(base) = base_of(&intent) {
            self.hold_base_for_commit(&base, &intent.task_id).await?;
        }
        let base = self.base_of_commit(&intent).await?;
        let (nodes, copied_from) = self.nodes(&request, &intent).await?;
        let manifest = BackupManifest {
            backup: request.backup.clone(),
            kind: intent.kind,
            base: intent.base.clone(),
            task_id: request.task,
            started_at: intent.started_at,
            finished_at: self.now(),
            cluster_name: request.cluster_name.clone(),
            release: figures::lowest_release(&request.backup, &nodes)?,
            partitioner: request.partitioner.clone(),
            selection: intent.selection.clone(),
            snapshot_spread_ms: request.snapshot_spread_ms,
            ring: request.ring.clone(),
            nodes,
            schema: request.schema.clone(),
            missing: request.missing.clone(),
            coverage: request.coverage.clone(),
            copied_from,
        };
        let key = keys::backup_manifest(&request.backup);
        let created = self.create(&key, manifest).await?;
        let manifest = match created.put {
            Put::Created => {
                self.settle(&intent, &base).await?;
                created.document
            }
            // An earlier try whose reply was lost, or another catalog: what is there counts.
            Put::Exists => match self.committed_before(&request).await? {
                Some(committed) => committed,
                None => {
                    return Err(CatalogError::Deleting {
                        backup: request.backup,
                    });
                }
            },
        };
        self.release_base(&intent).await?;
        // All that the nodes upload is there; what an agent left that was killed is of no use to anyone.
        if let Err(error) = self.discard_unfinished(&request.backup).await {
            tracing::warn!(backup = %request.backup, error = api::error::chain(&error), "unfinished uploads not discarded");
        }
        tracing::info!(backup = %request.backup, task_id = %request.task, "backup committed");
        Ok(manifest)
    }

    async fn committed_before(
        &self,
        request: &Request,
    ) -> Result<Option<BackupManifest>, CatalogError> {
        let Some(manifest) = self.read_manifest(&request.backup).await? else {
            return Ok(None);
        };
        if manifest.task_id != request.task {
            return Err(CatalogError::Exists {
                backup: request.backup.clone(),
                by: format!("task {} made it", manifest.task_id),
            });
        }
        self.settle_earlier(request, &manifest).await?;
        if let Some(name) = &manifest.base {
            let cluster = request.backup.cluster.clone();
            let base = BackupRef {
                cluster,
                name: name.clone(),
            };
            self.unpin(&base, &request.task).await?;
        }
        Ok(Some(manifest))
    }

    async fn intent_to_commit(&self, request: &Request) -> Result<Intent, CatalogError> {
        let backup = request.backup.clone();
        if !self.marks(&backup).await?.is_empty() {
            return Err(CatalogError::Deleting { backup });
        }
        let Some(intent) = self.read_intent(&backup).await? else {
            return Err(CatalogError::NotBegun { backup });
        };
        if intent.task_id != request.task {
            return Err(CatalogError::OtherTask {
                backup,
                owner: intent.task_id,
                task: request.task,
            });
        }
        if self.exists(&keys::failure(&backup)).await? {
            return Err(CatalogError::GivenUp { backup });
        }
        // A catalog of an older release lets a buried name be begun. A request to delete that was held up may still come.
        if self.exists(&keys::tombstone(&backup)).await? {
            return Err(CatalogError::Buried { backup });
        }
        Ok(intent)
    }

    async fn hold_base_for_commit(
        &self,
        base: &BackupRef,
        task: &TaskId,
    ) -> Result<(), CatalogError> {
        match self.pin(base, task).await {
            Ok(()) => Ok(()),
            Err(error @ (CatalogError::Store { .. } | CatalogError::AnotherDeletion { .. })) => {
                Err(error)
            }
            Err(error) => Err(CatalogError::BaseUnsuitable {
                base: base.clone(),
                why: api::error::chain(&error),
            }),
        }
    }

    /// Checks every node; names all that is missing rather than the first.
    async fn nodes(
        &self,
        request: &Request,
        intent: &Intent,
    ) -> Result<(Vec<BackupNode>, BTreeSet<BackupName>), CatalogError> {
        let hosts: BTreeSet<HostId> = request.host_ids.iter().copied().collect();
        let checks: Vec<_> = hosts
            .into_iter()
            .map(|host| self.node(request, intent, host))
            .collect();
        let checked: Vec<Node> = stream::iter(checks)
            .buffered(NODES_PARALLEL)
            .try_collect()
            .await?;
        let mut missing = Vec::new();
        let mut whole: Vec<(BackupNode, TableSet)> = Vec::new();
        let mut copied_from = BTreeSet::new();
        for node in checked {
            match node {
                Node::Whole(part) => {
                    let mut part = *part;
                    whole.push((part.node, part.tables));
                    copied_from.append(&mut part.copied_from);
                }
                Node::Missing(mut what) => missing.append(&mut what),
            }
        }
        if !missing.is_empty() {
            return Err(CatalogError::Incomplete {
                backup: request.backup.clone(),
                missing,
            });
        }
        check::same_tables(&request.backup, &whole)?;
        check::same_ids(request, &whole)?;
        let nodes = whole.into_iter().map(|(node, _)| node).collect();
        Ok((nodes, copied_from))
    }

    async fn node(
        &self,
        request: &Request,
        intent: &Intent,
        host: HostId,
    ) -> Result<Node, CatalogError> {
        let backup = &request.backup;
        let Some(Read {
            document: manifest,
            blake3,
        }) = self.read_node(backup, &host).await?
        else {
            return Ok(Node::Missing(vec![format!(
                "node {host} has no node manifest"
            )]));
        };
        check::node(request, intent, &manifest)?;
        let wrong = self.bucket.wrong_files(&manifest).await;
        let wrong = wrong.map_err(CatalogError::store("list the bucket"))?;
        if !wrong.is_empty() {
            let missing = wrong.iter();
            let missing = missing.map(|(object, wrong)| format!("`{object}`: {wrong}"));
            return Ok(Node::Missing(missing.collect()));
        }
        let key = keys::node_manifest(backup, &host);
        Ok(Node::Whole(Box::new(Whole {
            tables: check::table_set(&manifest),
            copied_from: manifest.copied_from(),
            node: figures::node(&manifest, key, blake3),
        })))
    }
}
