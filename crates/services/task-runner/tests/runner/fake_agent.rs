//! An agent that has no Cassandra, but knows what one would have.

use std::time::Duration;

use api::fence::Fences;
use api::pb::node_agent::node_agent_server::NodeAgent;
use api::pb::node_agent::{self as pb, SourceManifest};
use api::pb::types::{
    ClearedLeftover, KeyFingerprint, Leftover, LeftoverKind, NodeDescription, Product, Progress,
    Release, Schema, Selection, TableDescription, TableRef,
};
use futures::stream::{self, BoxStream, StreamExt};
use tonic::{Request, Response, Status};

use crate::fleet::{Fault, Fleet, Work, lost, manifest_hash};

/// A node at which maintenance is at work, until this is dropped.
struct AtWork(Fleet, String);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.facts().maintained.remove(&self.1);
    }
}

pub struct FakeAgent {
    pub fleet: Fleet,
    pub at: usize,
}

type Answer<T> = Result<Response<T>, Status>;
type Streaming<T> = BoxStream<'static, Result<T, Status>>;

/// How often a stuck stream says the same.
const REPEATED_EVERY: Duration = Duration::from_millis(20);
/// What agents allow of files at a time by themselves.
pub const OWN_FILES: u32 = 8;
/// Bytes that every stream says it has.
const TOTAL: u64 = 1000;

fn progress(bytes_done: u64) -> Option<Progress> {
    Some(Progress {
        bytes_done,
        bytes_total: TOTAL,
        note: format!("{bytes_done} bytes"),
        ..Progress::default()
    })
}

/// The keyspaces of a selection; none: all.
fn selected(selection: Option<&Selection>) -> Vec<String> {
    let Some(selection) = selection else {
        return Vec::new();
    };
    let of_tables = selection.tables.iter().map(|table| &table.keyspace);
    let named = selection.keyspaces.iter().chain(of_tables);
    named.cloned().collect()
}

/// The keyspaces of the tables that a restore brings.
fn keyspaces(tables: &[pb::TableTarget]) -> Vec<String> {
    let named = tables.iter().filter_map(|target| target.table.as_ref());
    named.map(|table| table.keyspace.clone()).collect()
}

impl FakeAgent {
    fn node(&self) -> &str {
        &self.fleet.nodes[self.at]
    }

    /// The real one refuses what is meant for another node.
    fn require_meant(&self, host_id: &str) {
        let own = crate::fleet::host_id(self.at);
        let rule = "a call of a restore names the node that it is for";
        self.fleet.require(host_id == own, rule);
    }

    /// The keyspaces that a call works on are among those that its task has claimed.
    fn require_claimed<T>(&self, request: &Request<T>, method: &str, work: &Work<'_>) {
        let fences = Fences::of_call(request.metadata()).expect("fences");
        self.fleet.require_claim(method, &fences, work);
    }

    fn require_agreement(&self) {
        let agreed = self.fleet.facts().behind == 0;
        let rule = "a change of the schema has reached every node first";
        self.fleet.require(agreed, rule);
    }

    fn seen_version(&self) -> String {
        let mut facts = self.fleet.facts();
        let is_last = self.at + 1 == self.fleet.nodes.len();
        if is_last && facts.behind > 0 {
            facts.behind -= 1;
            return "schema-0".into();
        }
        facts.schema_version.clone()
    }

    /// Makes or drops scratch keyspaces.
    async fn scratch_cql(&self, statements: &[String]) -> Answer<pb::ExecuteCqlResponse> {
        let makes = statements.iter().any(|cql| cql.starts_with("CREATE"));
        let call = if makes { "makescratch" } else { "dropscratch" };
        let fault = self.enter(call).await?;
        self.fleet.facts().scratch = makes;
        lost(fault)?;
        Ok(Response::new(pb::ExecuteCqlResponse::default()))
    }

    async fn enter(&self, call: &str) -> Result<Option<Fault>, Status> {
        self.fleet.enter(&format!("{call} {}", self.node())).await
    }

    /// Reports half, then does the work and reports the rest; or breaks off in between.
    fn stream<T: Send + 'static>(
        &self,
        fault: Option<Fault>,
        message: impl Fn(Option<Progress>, bool) -> T + Send + 'static,
        work: impl FnOnce(&Fleet, &str) + Send + 'static,
    ) -> Answer<Streaming<T>> {
        let (fleet, node) = (self.fleet.clone(), self.node().to_owned());
        if fault == Some(Fault::Stuck) {
            let messages = stream::unfold(message, |message| async move {
                tokio::time::sleep(REPEATED_EVERY).await;
                Some((Ok(message(progress(TOTAL / 2), false)), message))
            });
            return Ok(Response::new(messages.boxed()));
        }
        let half = message(progress(TOTAL / 2), false);
        let rest = async move {
            if fault == Some(Fault::Break) {
                return Err(Status::unavailable("broken off"));
            }
            work(&fleet, &node);
            lost(fault)?;
            Ok(message(progress(TOTAL), true))
        };
        let messages = stream::iter([Ok(half)]).chain(stream::once(rest));
        Ok(Response::new(messages.boxed()))
    }
}

#[tonic::async_trait]
impl NodeAgent for FakeAgent {
    async fn describe(&self, _: Request<pb::DescribeRequest>) -> Answer<pb::DescribeResponse> {
        self.enter("describe").await?;
        if self.fleet.facts().stopped.contains(self.node()) {
            return Err(Status::unavailable("Cassandra is down"));
        }
        let version = self.seen_version();
        let at = match self.fleet.facts().swapped_addresses {
            true => self.at ^ 1,
            false => self.at,
        };
        let table_ids = self.fleet.facts().table_ids.clone();
        let tables = table_ids.into_iter().map(|(table, id)| TableDescription {
            table: Some(TableRef {
                keyspace: "ks".into(),
                table,
            }),
            id,
            ..TableDescription::default()
        });
        let (member, ring) = (self.fleet.member(at), self.fleet.ring());
        let can_restart = self.fleet.facts().can_restart;
        Ok(Response::new(pb::DescribeResponse {
            node: Some(NodeDescription {
                cluster_name: "Test Cluster".into(),
                release: Some(Release {
                    product: Product::Cassandra as i32,
                    version: format!("4.1.{}", 9_usize.saturating_sub(self.at)),
                }),
                member: Some(member),
                ring,
                partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
                schema_versions: vec![version.clone()],
                schema_version: version,
                tables: tables.collect(),
                can_restart,
                ..NodeDescription::default()
            }),
            api_level: self.fleet.facts().api_level,
        }))
    }

    async fn get_schema(&self, _: Request<pb::GetSchemaRequest>) -> Answer<pb::GetSchemaResponse> {
        self.enter("schema?").await?;
        Ok(Response::new(pb::GetSchemaResponse {
            schema: Some(Schema {
                version: self.fleet.facts().schema_version.clone(),
                entries: Vec::new(),
            }),
        }))
    }

    async fn fingerprint_keys(
        &self,
        request: Request<pb::FingerprintKeysRequest>,
    ) -> Answer<pb::FingerprintKeysResponse> {
        self.enter("keys").await?;
        let names = request.into_inner().names;
        let keys = names.into_iter().map(|name| KeyFingerprint {
            name,
            fingerprint: self.node().to_owned(),
        });
        Ok(Response::new(pb::FingerprintKeysResponse {
            keys: keys.collect(),
        }))
    }

    async fn take_snapshot(
        &self,
        request: Request<pb::TakeSnapshotRequest>,
    ) -> Answer<pb::TakeSnapshotResponse> {
        let selected = selected(request.get_ref().selection.as_ref());
        self.require_claimed(&request, "TakeSnapshot", &Work::Backup(&selected));
        let fault = self.enter("snapshot").await?;
        let tag = request.into_inner().tag;
        let node = self.node().to_owned();
        let taken_ms = {
            let mut facts = self.fleet.facts();
            facts.snapshots.insert((node.clone(), tag));
            facts.taken_ms.get(&node).copied().unwrap_or(1_000)
        };
        lost(fault)?;
        let at = jiff::Timestamp::from_millisecond(taken_ms).expect("a time");
        Ok(Response::new(pb::TakeSnapshotResponse {
            taken_at: api::convert::time(at),
            ..pb::TakeSnapshotResponse::default()
        }))
    }

    type UploadSnapshotStream = Streaming<pb::UploadSnapshotResponse>;

    async fn upload_snapshot(
        &self,
        request: Request<pb::UploadSnapshotRequest>,
    ) -> Answer<Self::UploadSnapshotStream> {
        let selected = selected(request.get_ref().selection.as_ref());
        self.require_claimed(&request, "UploadSnapshot", &Work::Backup(&selected));
        let fault = self.enter("upload").await?;
        let request = request.into_inner();
        let key = (self.node().to_owned(), request.tag);
        let (there, nodes) = {
            let mut facts = self.fleet.facts();
            facts.base = Some(request.base);
            facts.copy_from = Some(request.copy_from);
            facts.keep_damaged = Some(request.keep_damaged);
            (facts.snapshots.contains(&key), facts.snapshots.len())
        };
        let there_are = self.fleet.nodes.len() - self.fleet.facts().stopped.len();
        self.fleet.require(there, "an upload has its snapshot");
        self.fleet.require(
            nodes >= there_are,
            "every node has its snapshot before any uploads",
        );
        let backup = request.backup.map(|backup| backup.name).unwrap_or_default();
        let message = |progress, last: bool| pb::UploadSnapshotResponse {
            progress,
            manifest: last.then(pb::NodeManifestSummary::default),
        };
        self.stream(fault, message, move |fleet, node| {
            fleet.facts().uploaded.insert((node.to_owned(), backup));
        })
    }

    async fn clear_snapshot(
        &self,
        request: Request<pb::ClearSnapshotRequest>,
    ) -> Answer<pb::ClearSnapshotResponse> {
        let fault = self.enter("clear").await?;
        let key = (self.node().to_owned(), request.into_inner().tag);
        self.fleet.facts().snapshots.remove(&key);
        lost(fault)?;
        Ok(Response::new(pb::ClearSnapshotResponse {}))
    }

    type StageRestoreStream = Streaming<pb::StageRestoreResponse>;

    async fn stage_restore(
        &self,
        request: Request<pb::StageRestoreRequest>,
    ) -> Answer<Self::StageRestoreStream> {
        let keyspaces = keyspaces(&request.get_ref().tables);
        self.require_claimed(&request, "StageRestore", &Work::Restore(&keyspaces));
        let fault = self.enter("stage").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        self.fleet.require(
            request.everything == request.shares.is_empty(),
            "staging says that everything is taken, or what",
        );
        let swaps = request.go_live() == pb::GoLive::Swap;
        let in_place = self.fleet.facts().in_place;
        self.fleet
            .require(swaps == in_place, "staging says how its files go live");
        for share in &request.shares {
            for range in &share.ranges {
                let told = format!(
                    "{} of {} ({}, {}]",
                    self.node(),
                    share.source,
                    range.left,
                    range.right
                );
                self.fleet.facts().shares.push(told);
            }
        }
        let manifests = request.source_host_ids.iter().map(|id| SourceManifest {
            host_id: id.clone(),
            blake3: manifest_hash(id),
        });
        let manifests: Vec<SourceManifest> = manifests.collect();
        self.fleet.require(
            !manifests.is_empty() && request.manifests == manifests,
            "every source comes with the hash of its manifest",
        );
        let pinned = self.fleet.facts().pins.contains(&request.restore);
        self.fleet
            .require(pinned, "a backup is pinned while it is read");
        let message = |progress, last: bool| pb::StageRestoreResponse {
            progress,
            sstables: u64::from(last),
        };
        self.stream(fault, message, |fleet, node| {
            fleet.facts().staged.insert(node.to_owned());
        })
    }

    type TryLoadStream = Streaming<pb::TryLoadResponse>;

    async fn try_load(&self, request: Request<pb::TryLoadRequest>) -> Answer<Self::TryLoadStream> {
        let fault = self.enter("try").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let ready = {
            let facts = self.fleet.facts();
            facts.scratch && !facts.emptied && facts.staged.len() == self.fleet.nodes.len()
        };
        self.fleet.require(
            ready && request.tables.len() == 1,
            "what is staged is tried in scratch keyspaces before anything is emptied",
        );
        let message = |progress, last: bool| pb::TryLoadResponse {
            progress,
            sstables: u64::from(last),
        };
        self.stream(fault, message, |_, _| {})
    }

    async fn clear_trial(
        &self,
        request: Request<pb::ClearTrialRequest>,
    ) -> Answer<pb::ClearTrialResponse> {
        let fault = self.enter("cleartrial").await?;
        self.require_meant(&request.into_inner().host_id);
        let dropped = !self.fleet.facts().scratch;
        self.fleet
            .require(dropped, "folders go after the keyspaces");
        lost(fault)?;
        Ok(Response::new(pb::ClearTrialResponse {}))
    }

    async fn execute_cql(
        &self,
        request: Request<pb::ExecuteCqlRequest>,
    ) -> Answer<pb::ExecuteCqlResponse> {
        // All statements of the fake planner are on it.
        let keyspaces = ["ks".to_owned()];
        self.require_claimed(&request, "ExecuteCql", &Work::Restore(&keyspaces));
        let pb::ExecuteCqlRequest {
            statements,
            host_id,
        } = request.into_inner();
        self.require_meant(&host_id);
        if statements.iter().any(|cql| cql.contains("ringkeep_trial_")) {
            return self.scratch_cql(&statements).await;
        }
        let replaces = statements.iter().any(|cql| cql.starts_with("TRUNCATE"));
        let call = if replaces { "replace" } else { "cql" };
        let fault = self.enter(call).await?;
        let executed = statements.len() as u64;
        let staged = self.fleet.facts().staged.len();
        self.fleet.require(
            staged == self.fleet.nodes.len(),
            "everything is staged before the schema changes",
        );
        {
            let mut facts = self.fleet.facts();
            facts.emptied |= replaces;
            facts.schema_applied = true;
            facts.schema_version = "schema-2".into();
            let has = |text: &str| statements.iter().any(|cql| cql.contains(text));
            if let Some((_, behind)) = facts.behind_after.take_if(|(text, _)| has(text)) {
                facts.behind = behind;
            }
        }
        lost(fault)?;
        Ok(Response::new(pb::ExecuteCqlResponse {
            executed,
            schema_version: "schema-2".into(),
        }))
    }

    type LoadStagedStream = Streaming<pb::LoadStagedResponse>;

    async fn load_staged(
        &self,
        request: Request<pb::LoadStagedRequest>,
    ) -> Answer<Self::LoadStagedStream> {
        let keyspaces = keyspaces(&request.get_ref().tables);
        self.require_claimed(&request, "LoadStaged", &Work::Restore(&keyspaces));
        let fault = self.enter("load").await?;
        self.require_meant(&request.into_inner().host_id);
        let ready = {
            let facts = self.fleet.facts();
            facts.staged.len() == self.fleet.nodes.len() && facts.schema_applied
        };
        self.fleet
            .require(ready, "staging and schema come before loading");
        self.require_agreement();
        let message = |progress, last: bool| pb::LoadStagedResponse {
            progress,
            sstables: u64::from(last),
        };
        self.stream(fault, message, |fleet, node| {
            let mut facts = fleet.facts();
            if let Some(rack) = facts.rack_after_load.take() {
                facts.rack = rack;
            }
            facts.loaded.insert(node.to_owned());
        })
    }

    async fn mark_truncated(
        &self,
        request: Request<pb::MarkTruncatedRequest>,
    ) -> Answer<pb::MarkTruncatedResponse> {
        let fault = self.enter("mark").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let node = self.node().to_owned();
        {
            let mut facts = self.fleet.facts();
            // The real one starts it and lets clients in, to be able to write.
            facts.stopped.remove(&node);
            facts.cut_off.remove(&node);
            if !facts.cutoffs.contains(&request.cutoff) {
                facts.cutoffs.push(request.cutoff.clone());
            }
            facts.marked.insert(node, request.cutoff);
        }
        lost(fault)?;
        Ok(Response::new(pb::MarkTruncatedResponse {}))
    }

    async fn cut_clients_off(
        &self,
        request: Request<pb::CutClientsOffRequest>,
    ) -> Answer<pb::CutClientsOffResponse> {
        let fault = self.enter("cut-off").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let marked = {
            let facts = self.fleet.facts();
            facts.marked.len() == self.fleet.nodes.len()
                && facts
                    .marked
                    .values()
                    .all(|cutoff| *cutoff == request.cutoff)
        };
        self.fleet
            .require(marked, "one cutoff is marked on all nodes");
        let node = self.node().to_owned();
        self.fleet.facts().cut_off.insert(node);
        lost(fault)?;
        Ok(Response::new(pb::CutClientsOffResponse {}))
    }

    async fn let_clients_in(
        &self,
        request: Request<pb::LetClientsInRequest>,
    ) -> Answer<pb::LetClientsInResponse> {
        let fault = self.enter("let-in").await?;
        self.require_meant(&request.into_inner().host_id);
        let node = self.node().to_owned();
        {
            let mut facts = self.fleet.facts();
            facts.cut_off.remove(&node);
            facts.marked.remove(&node);
            facts.stopped.remove(&node);
        }
        lost(fault)?;
        Ok(Response::new(pb::LetClientsInResponse {}))
    }

    async fn stop_cassandra(
        &self,
        request: Request<pb::StopCassandraRequest>,
    ) -> Answer<pb::StopCassandraResponse> {
        let fault = self.enter("stop").await?;
        self.require_meant(&request.into_inner().host_id);
        let staged = self.fleet.facts().staged.len();
        self.fleet.require(
            staged == self.fleet.nodes.len(),
            "everything is staged before a node stops",
        );
        let quiet = self.fleet.facts().cut_off.len();
        self.fleet.require(
            quiet == self.fleet.nodes.len(),
            "clients are cut off everywhere before a node stops",
        );
        let node = self.node().to_owned();
        self.fleet.facts().stopped.insert(node);
        lost(fault)?;
        Ok(Response::new(pb::StopCassandraResponse {}))
    }

    async fn swap_staged(
        &self,
        request: Request<pb::SwapStagedRequest>,
    ) -> Answer<pb::SwapStagedResponse> {
        let fault = self.enter("swap").await?;
        self.require_meant(&request.into_inner().host_id);
        let stopped = self.fleet.facts().stopped.len();
        self.fleet.require(
            stopped == self.fleet.nodes.len(),
            "all stop before one swaps",
        );
        let node = self.node().to_owned();
        self.fleet.facts().loaded.insert(node);
        lost(fault)?;
        Ok(Response::new(pb::SwapStagedResponse { sstables: 1 }))
    }

    async fn swap_back(
        &self,
        request: Request<pb::SwapBackRequest>,
    ) -> Answer<pb::SwapBackResponse> {
        let fault = self.enter("swap-back").await?;
        self.require_meant(&request.into_inner().host_id);
        let stopped = self.fleet.facts().stopped.len();
        self.fleet.require(
            stopped == self.fleet.nodes.len(),
            "all stop before one swaps back",
        );
        let node = self.node().to_owned();
        self.fleet.facts().loaded.remove(&node);
        lost(fault)?;
        Ok(Response::new(pb::SwapBackResponse {}))
    }

    async fn start_cassandra(
        &self,
        request: Request<pb::StartCassandraRequest>,
    ) -> Answer<pb::StartCassandraResponse> {
        let fault = self.enter("start").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let named = !request.restore.is_empty() && request.tables.len() == 1;
        self.fleet
            .require(named, "a start names the tables that are counted after it");
        let node = self.node().to_owned();
        {
            let mut facts = self.fleet.facts();
            facts.stopped.remove(&node);
            facts.cut_off.remove(&node);
        }
        lost(fault)?;
        Ok(Response::new(pb::StartCassandraResponse {}))
    }

    type UpgradeSstablesStream = Streaming<pb::UpgradeSstablesResponse>;

    async fn upgrade_sstables(
        &self,
        request: Request<pb::UpgradeSstablesRequest>,
    ) -> Answer<Self::UpgradeSstablesStream> {
        let tables = request.get_ref().tables.iter();
        let keyspaces: Vec<String> = tables.map(|table| table.keyspace.clone()).collect();
        self.require_claimed(&request, "UpgradeSstables", &Work::Restore(&keyspaces));
        self.require_meant(&request.into_inner().host_id);
        let fault = self.enter("upgradesstables").await?;
        let message = |progress, _| pb::UpgradeSstablesResponse { progress };
        self.stream(fault, message, |_, _| {})
    }

    type RunMaintenanceStream = Streaming<pb::RunMaintenanceResponse>;

    async fn run_maintenance(
        &self,
        request: Request<pb::RunMaintenanceRequest>,
    ) -> Answer<Self::RunMaintenanceStream> {
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let command = request.job.as_ref().map(|job| job.command());
        let word = command.map_or("", |command| command.as_str_name());
        let word = word
            .trim_start_matches("MAINTENANCE_COMMAND_")
            .to_lowercase();
        let is_alone = self.fleet.begin_maintenance(self.node());
        let rule = "two racks, or more nodes than allowed, are at work at once";
        self.fleet.require(is_alone, rule);
        let node = self.node().to_owned();
        let at_work = AtWork(self.fleet.clone(), node.clone());
        let fault = self.enter(&word).await?;
        let step = request.step.clone();
        let message = |progress, _| pb::RunMaintenanceResponse { progress };
        let jobs = request
            .job
            .into_iter()
            .map(move |job| (node.clone(), step.clone(), job));
        self.fleet.facts().maintenance.extend(jobs);
        self.stream(fault, message, |_, _| drop(at_work))
    }

    async fn set_limits(
        &self,
        request: Request<pb::SetLimitsRequest>,
    ) -> Answer<pb::SetLimitsResponse> {
        self.enter("limits").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let asked = (request.bandwidth_bytes_per_second, request.parallel_files);
        self.fleet
            .facts()
            .limits
            .insert((self.node().to_owned(), request.task_id), asked);
        Ok(Response::new(pb::SetLimitsResponse {
            upload_bandwidth_bytes_per_second: asked.0,
            download_bandwidth_bytes_per_second: asked.0,
            parallel_files: OWN_FILES.min(asked.1),
        }))
    }

    type AwaitViewsStream = Streaming<pb::AwaitViewsResponse>;

    async fn await_views(
        &self,
        request: Request<pb::AwaitViewsRequest>,
    ) -> Answer<Self::AwaitViewsStream> {
        let fault = self.enter("views").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let views = request.views.len();
        self.fleet
            .require(views == 1, "the view of the plan is waited for");
        self.require_agreement();
        let forgotten = self.fleet.facts().forgotten.contains(self.node());
        let rule = "a view that was forgotten is waited for only once its build has begun again";
        self.fleet.require(!forgotten, rule);
        let message = |progress, _| pb::AwaitViewsResponse { progress };
        self.stream(fault, message, |fleet, node| {
            fleet.facts().built.insert(node.to_owned());
        })
    }

    async fn forget_built_views(
        &self,
        request: Request<pb::ForgetBuiltViewsRequest>,
    ) -> Answer<pb::ForgetBuiltViewsResponse> {
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let node = self.node().to_owned();
        let built = {
            let mut facts = self.fleet.facts();
            facts.asked_to_forget.insert(node.clone());
            facts.built.len()
        };
        let fault = self.enter("forget").await?;
        let rule = "all nodes have built the view before one of them forgets it";
        self.fleet.require(built == self.fleet.nodes.len(), rule);
        let forgotten = {
            let mut facts = self.fleet.facts();
            let forgets = !facts.forget_nothing.contains(&node);
            if forgets {
                facts.forgotten.insert(node);
            }
            forgets
        };
        lost(fault)?;
        Ok(Response::new(pb::ForgetBuiltViewsResponse { forgotten }))
    }

    async fn rebuild_views(
        &self,
        request: Request<pb::RebuildViewsRequest>,
    ) -> Answer<pb::RebuildViewsResponse> {
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let fault = self.enter("rebuild").await?;
        let asked = self.fleet.facts().asked_to_forget.len();
        let rule = "all nodes are asked to forget the view before it is built again";
        self.fleet.require(asked == self.fleet.nodes.len(), rule);
        self.fleet.facts().forgotten.clear();
        lost(fault)?;
        Ok(Response::new(pb::RebuildViewsResponse {}))
    }

    async fn finish_restore(
        &self,
        request: Request<pb::FinishRestoreRequest>,
    ) -> Answer<pb::FinishRestoreResponse> {
        let fault = self.enter("finish").await?;
        self.require_meant(&request.into_inner().host_id);
        let node = self.node().to_owned();
        self.fleet.facts().staged.remove(&node);
        lost(fault)?;
        Ok(Response::new(pb::FinishRestoreResponse { freed_bytes: 1 }))
    }

    /// Snapshots by their tag, and staged files if the world says whose they are.
    async fn list_leftovers(
        &self,
        _: Request<pb::ListLeftoversRequest>,
    ) -> Answer<pb::ListLeftoversResponse> {
        self.enter("leftovers").await?;
        let facts = self.fleet.facts();
        let on_node = facts
            .snapshots
            .iter()
            .filter(|(node, _)| node == self.node());
        let tasks = on_node.filter_map(|(_, tag)| tag.strip_prefix("ringkeep-"));
        let snapshots = tasks.map(|task| (LeftoverKind::Snapshot, task.to_owned()));
        let others = facts.left.iter().filter(|(node, ..)| node == self.node());
        let others = others.map(|(_, kind, task)| (*kind, task.clone()));
        let leftovers = snapshots.chain(others).map(|(kind, task_id)| Leftover {
            kind: kind as i32,
            task_id,
            bytes: 7,
            half_swapped: false,
        });
        Ok(Response::new(pb::ListLeftoversResponse {
            host_id: crate::fleet::host_id(self.at),
            leftovers: leftovers.collect(),
        }))
    }

    async fn clear_leftovers(
        &self,
        request: Request<pb::ClearLeftoversRequest>,
    ) -> Answer<pb::ClearLeftoversResponse> {
        self.enter("clear-leftovers").await?;
        let request = request.into_inner();
        self.require_meant(&request.host_id);
        let node = self.node().to_owned();
        let mut facts = self.fleet.facts();
        let cleared = request.leftovers.iter().map(|name| {
            facts
                .snapshots
                .remove(&(node.clone(), format!("ringkeep-{}", name.task_id)));
            facts
                .left
                .remove(&(node.clone(), name.kind(), name.task_id.clone()));
            ClearedLeftover {
                kind: name.kind,
                task_id: name.task_id.clone(),
                freed_bytes: 7,
                kept_because: String::new(),
            }
        });
        let cleared = cleared.collect();
        Ok(Response::new(pb::ClearLeftoversResponse { cleared }))
    }
}
