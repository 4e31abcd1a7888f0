//! Translates between the wire and [`Agent`]. Decides nothing.

mod convert;
mod level;

use std::sync::Arc;

use api::convert::parsed;
use api::level::AGENT_API_LEVEL;
use api::pb::node_agent as pb;
use api::pb::types as pb_types;
use api::{ErrorKind, ServiceError, status};
use cassandra_node::{keys, schema, statements};
use chassis::work::{Progress, Work, stream};
use futures::stream::BoxStream;
use model::TableRef;
use model::plan::TrialTable;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use crate::agent::{Agent, on_restore, on_snapshot};
use crate::error::AgentError;
use crate::{
    describe, leftovers, load, meant, opened, quiesce, restart, restore, snapshot, stage, swap,
    trial, upgrade, upload, views,
};

pub use level::SameLevel;

/// The gRPC service of an agent.
pub struct NodeAgentGrpc {
    agent: Arc<Agent>,
    /// One for each piece of work that runs or waits for a lock, also if its caller has gone away.
    work: Arc<Semaphore>,
}

/// Work at a time. The runner has a few pieces on each node; more are a flood.
const WORK_MAX: usize = 128;

/// More work was asked for than the agent queues.
#[derive(Debug, thiserror::Error)]
#[error("the agent has {WORK_MAX} pieces of work in hand or waiting")]
struct TooMuchWork;

impl ServiceError for TooMuchWork {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn reason(&self) -> &'static str {
        "TOO_MUCH_WORK"
    }

    fn hint(&self) -> Option<String> {
        Some("try again when some of it has ended; the audit log shows who has asked for it".into())
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Messages<T> = BoxStream<'static, Result<T, Status>>;

impl NodeAgentGrpc {
    pub fn new(agent: Arc<Agent>) -> Self {
        let work = Arc::new(Semaphore::new(WORK_MAX));
        Self { agent, work }
    }

    fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let permit = self.work.clone().try_acquire_owned();
        permit.map_err(|_| status(TooMuchWork))
    }

    /// Refuses a call that names another node, or none.
    async fn check_node(&self, host_id: &str) -> Result<(), Status> {
        let wanted = parsed("host_id", host_id).map_err(status)?;
        meant::check(&self.agent, wanted).await.map_err(status)
    }

    /// Runs short work to its end under a lock, also when the caller goes away: half of it would be worse.
    async fn locked<T, E, W>(
        &self,
        lock: String,
        work: impl FnOnce(Arc<Agent>) -> W,
    ) -> Result<T, Status>
    where
        W: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: ServiceError + Send + 'static,
    {
        let locks = self.agent.locks.clone();
        let work = work(self.agent.clone());
        let admitted = self.admit()?;
        let running = tokio::spawn(async move {
            let _admitted = admitted;
            let _held = locks.lock(lock.as_str()).await;
            work.await
        });
        match running.await {
            Ok(result) => result.map_err(status),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Runs long work under a lock and reports its progress; it stops at a safe point when the caller goes away.
    fn streamed<T, E, M, W>(
        &self,
        lock: String,
        work: impl FnOnce(Arc<Agent>, Work) -> W,
        message: impl Fn(Progress, Option<T>) -> M + Send + 'static,
    ) -> Answer<Messages<M>>
    where
        W: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: ServiceError + Send + 'static,
        M: Send + 'static,
    {
        let locks = self.agent.locks.clone();
        let agent = self.agent.clone();
        let admitted = self.admit()?;
        let messages = stream(
            move |handle| {
                let work = work(agent, handle);
                async move {
                    let _admitted = admitted;
                    let _held = locks.lock(lock.as_str()).await;
                    work.await
                }
            },
            message,
        );
        Ok(Response::new(messages))
    }
}

fn agent_status(error: impl Into<AgentError>) -> Status {
    status(error.into())
}

/// The lock of work on the running node.
fn on_node() -> String {
    "node".to_owned()
}

#[tonic::async_trait]
impl pb::node_agent_server::NodeAgent for NodeAgentGrpc {
    async fn describe(
        &self,
        request: Request<pb::DescribeRequest>,
    ) -> Answer<pb::DescribeResponse> {
        let address = request.local_addr();
        let mut node = describe::describe(&self.agent).await.map_err(status)?;
        node.agent = address
            .map(|address| address.to_string())
            .unwrap_or_default();
        Ok(Response::new(pb::DescribeResponse {
            node: Some(node.into()),
            api_level: AGENT_API_LEVEL,
        }))
    }

    async fn get_schema(
        &self,
        request: Request<pb::GetSchemaRequest>,
    ) -> Answer<pb::GetSchemaResponse> {
        let keyspaces = request.into_inner().keyspaces;
        let schema = schema::read(&self.agent.node, &keyspaces)
            .await
            .map_err(agent_status)?;
        Ok(Response::new(pb::GetSchemaResponse {
            schema: Some(schema.into()),
        }))
    }

    async fn take_snapshot(
        &self,
        request: Request<pb::TakeSnapshotRequest>,
    ) -> Answer<pb::TakeSnapshotResponse> {
        let (tag, selection) = convert::take_snapshot(request.into_inner()).map_err(status)?;
        let taken = self
            .locked(on_snapshot(&tag), |agent| async move {
                snapshot::take(&agent, &tag, &selection).await
            })
            .await?;
        Ok(Response::new(taken.into()))
    }

    type UploadSnapshotStream = Messages<pb::UploadSnapshotResponse>;

    async fn upload_snapshot(
        &self,
        request: Request<pb::UploadSnapshotRequest>,
    ) -> Answer<Self::UploadSnapshotStream> {
        let request = upload::Upload::try_from(request.into_inner()).map_err(status)?;
        self.streamed(
            on_snapshot(&request.tag),
            |agent, work| async move { upload::upload(&agent, &request, &work).await },
            |progress, manifest: Option<upload::Summary>| pb::UploadSnapshotResponse {
                progress: Some(progress.into()),
                manifest: manifest.map(Into::into),
            },
        )
    }

    async fn clear_snapshot(
        &self,
        request: Request<pb::ClearSnapshotRequest>,
    ) -> Answer<pb::ClearSnapshotResponse> {
        let tag = request.into_inner().tag;
        self.locked(on_snapshot(&tag), |agent| async move {
            snapshot::clear(&agent, &tag).await
        })
        .await?;
        Ok(Response::new(pb::ClearSnapshotResponse {}))
    }

    async fn fingerprint_keys(
        &self,
        request: Request<pb::FingerprintKeysRequest>,
    ) -> Answer<pb::FingerprintKeysResponse> {
        let pb::FingerprintKeysRequest { backup, names } = request.into_inner();
        let backup = api::convert::required("backup", backup)
            .and_then(TryInto::try_into)
            .map_err(status)?;
        let keys = keys::fingerprints(&self.agent.node, &backup, names)
            .await
            .map_err(agent_status)?;
        Ok(Response::new(pb::FingerprintKeysResponse {
            keys: keys.into_iter().map(Into::into).collect(),
        }))
    }

    type StageRestoreStream = Messages<pb::StageRestoreResponse>;

    async fn stage_restore(
        &self,
        request: Request<pb::StageRestoreRequest>,
    ) -> Answer<Self::StageRestoreStream> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let request = stage::Stage::try_from(request).map_err(status)?;
        self.streamed(
            on_restore(&request.restore),
            |agent, work| async move { stage::stage(&agent, &request, &work).await },
            |progress, sstables: Option<u64>| pb::StageRestoreResponse {
                progress: Some(progress.into()),
                sstables: sstables.unwrap_or_default(),
            },
        )
    }

    type TryLoadStream = Messages<pb::TryLoadResponse>;

    async fn try_load(&self, request: Request<pb::TryLoadRequest>) -> Answer<Self::TryLoadStream> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let restore = request.restore;
        let tables: Vec<TrialTable> = api::convert::all(request.tables).map_err(status)?;
        self.streamed(
            on_restore(&restore),
            |agent, work| async move { trial::try_load(&agent, &restore, &tables, &work).await },
            |progress, sstables: Option<u64>| pb::TryLoadResponse {
                progress: Some(progress.into()),
                sstables: sstables.unwrap_or_default(),
            },
        )
    }

    async fn clear_trial(
        &self,
        request: Request<pb::ClearTrialRequest>,
    ) -> Answer<pb::ClearTrialResponse> {
        self.check_node(&request.into_inner().host_id).await?;
        self.locked("trial".to_owned(), |agent| async move {
            trial::clear(&agent).await
        })
        .await?;
        Ok(Response::new(pb::ClearTrialResponse {}))
    }

    async fn execute_cql(
        &self,
        request: Request<pb::ExecuteCqlRequest>,
    ) -> Answer<pb::ExecuteCqlResponse> {
        let pb::ExecuteCqlRequest {
            statements,
            host_id,
        } = request.into_inner();
        self.check_node(&host_id).await?;
        let executed = statements.len() as u64;
        let schema_version = self
            .locked("cql".to_owned(), |agent| async move {
                let executed = statements::execute(&agent.node, &statements).await;
                executed.map_err(AgentError::from)
            })
            .await?;
        Ok(Response::new(pb::ExecuteCqlResponse {
            executed,
            schema_version,
        }))
    }

    type LoadStagedStream = Messages<pb::LoadStagedResponse>;

    async fn load_staged(
        &self,
        request: Request<pb::LoadStagedRequest>,
    ) -> Answer<Self::LoadStagedStream> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let pb::LoadStagedRequest {
            restore, tables, ..
        } = request;
        let tables = convert::targets(tables).map_err(status)?;
        self.streamed(
            on_restore(&restore),
            |agent, work| async move { load::load(&agent, &restore, &tables, &work).await },
            |progress, sstables: Option<u64>| pb::LoadStagedResponse {
                progress: Some(progress.into()),
                sstables: sstables.unwrap_or_default(),
            },
        )
    }

    async fn mark_truncated(
        &self,
        request: Request<pb::MarkTruncatedRequest>,
    ) -> Answer<pb::MarkTruncatedResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let tables = convert::targets(request.tables).map_err(status)?;
        let cutoff = parsed("cutoff", &request.cutoff).map_err(status)?;
        self.locked(on_node(), |agent| async move {
            let _restore = agent
                .locks
                .lock(on_restore(&request.restore).as_str())
                .await;
            quiesce::mark_truncated(&agent, &request.restore, &tables, cutoff).await
        })
        .await?;
        Ok(Response::new(pb::MarkTruncatedResponse {}))
    }

    async fn cut_clients_off(
        &self,
        request: Request<pb::CutClientsOffRequest>,
    ) -> Answer<pb::CutClientsOffResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let cutoff = parsed("cutoff", &request.cutoff).map_err(status)?;
        self.locked(on_node(), |agent| async move {
            quiesce::cut_clients_off(&agent, cutoff).await
        })
        .await?;
        Ok(Response::new(pb::CutClientsOffResponse {}))
    }

    async fn let_clients_in(
        &self,
        request: Request<pb::LetClientsInRequest>,
    ) -> Answer<pb::LetClientsInResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        self.locked(on_node(), |agent| async move {
            let _restore = agent
                .locks
                .lock(on_restore(&request.restore).as_str())
                .await;
            quiesce::let_clients_in(&agent, &request.restore).await
        })
        .await?;
        Ok(Response::new(pb::LetClientsInResponse {}))
    }

    async fn stop_cassandra(
        &self,
        request: Request<pb::StopCassandraRequest>,
    ) -> Answer<pb::StopCassandraResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        self.locked(on_node(), |agent| async move {
            restart::stop(&agent, &request.restore).await
        })
        .await?;
        Ok(Response::new(pb::StopCassandraResponse {}))
    }

    async fn swap_staged(
        &self,
        request: Request<pb::SwapStagedRequest>,
    ) -> Answer<pb::SwapStagedResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let pb::SwapStagedRequest {
            restore, tables, ..
        } = request;
        let tables = convert::targets(tables).map_err(status)?;
        // The node's lock, so that no other call starts Cassandra meanwhile.
        let sstables = self
            .locked(on_node(), |agent| async move {
                let _restore = agent.locks.lock(on_restore(&restore).as_str()).await;
                swap::swap(&agent, &restore, &tables).await
            })
            .await?;
        Ok(Response::new(pb::SwapStagedResponse { sstables }))
    }

    async fn swap_back(
        &self,
        request: Request<pb::SwapBackRequest>,
    ) -> Answer<pb::SwapBackResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        self.locked(on_node(), |agent| async move {
            let _restore = agent
                .locks
                .lock(on_restore(&request.restore).as_str())
                .await;
            swap::swap_back(&agent, &request.restore).await
        })
        .await?;
        Ok(Response::new(pb::SwapBackResponse {}))
    }

    async fn start_cassandra(
        &self,
        request: Request<pb::StartCassandraRequest>,
    ) -> Answer<pb::StartCassandraResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let tables = convert::targets(request.tables).map_err(status)?;
        self.locked(on_node(), |agent| async move {
            opened::start(&agent, &request.restore, &tables).await
        })
        .await?;
        Ok(Response::new(pb::StartCassandraResponse {}))
    }

    type UpgradeSstablesStream = Messages<pb::UpgradeSstablesResponse>;

    async fn upgrade_sstables(
        &self,
        request: Request<pb::UpgradeSstablesRequest>,
    ) -> Answer<Self::UpgradeSstablesStream> {
        let pb::UpgradeSstablesRequest { tables, host_id } = request.into_inner();
        self.check_node(&host_id).await?;
        let tables = table_refs(tables)?;
        self.streamed(
            "upgradesstables".to_owned(),
            |agent, work| async move { upgrade::upgrade_sstables(&agent, &tables, &work).await },
            |progress, _: Option<()>| pb::UpgradeSstablesResponse {
                progress: Some(progress.into()),
            },
        )
    }

    type AwaitViewsStream = Messages<pb::AwaitViewsResponse>;

    async fn await_views(
        &self,
        request: Request<pb::AwaitViewsRequest>,
    ) -> Answer<Self::AwaitViewsStream> {
        let pb::AwaitViewsRequest { views, host_id } = request.into_inner();
        self.check_node(&host_id).await?;
        let names = table_refs(views)?;
        self.streamed(
            "views".to_owned(),
            |agent, work| async move { views::await_views(&agent, &names, &work).await },
            |progress, _: Option<()>| pb::AwaitViewsResponse {
                progress: Some(progress.into()),
            },
        )
    }

    async fn finish_restore(
        &self,
        request: Request<pb::FinishRestoreRequest>,
    ) -> Answer<pb::FinishRestoreResponse> {
        let pb::FinishRestoreRequest {
            restore,
            host_id,
            delete_old_files,
        } = request.into_inner();
        let wanted = parsed("host_id", &host_id).map_err(status)?;
        meant::check_finish(&self.agent, wanted, &restore)
            .await
            .map_err(status)?;
        let freed_bytes = self
            .locked(on_restore(&restore), |agent| async move {
                restore::finish(&agent, &restore, delete_old_files).await
            })
            .await?;
        Ok(Response::new(pb::FinishRestoreResponse { freed_bytes }))
    }

    async fn list_leftovers(
        &self,
        _: Request<pb::ListLeftoversRequest>,
    ) -> Answer<pb::ListLeftoversResponse> {
        let host_id = meant::own(&self.agent).await.map_err(status)?;
        let found = leftovers::list(&self.agent).await.map_err(agent_status)?;
        Ok(Response::new(pb::ListLeftoversResponse {
            host_id: host_id.to_string(),
            leftovers: api::convert::all_into(found),
        }))
    }

    async fn clear_leftovers(
        &self,
        request: Request<pb::ClearLeftoversRequest>,
    ) -> Answer<pb::ClearLeftoversResponse> {
        let request = request.into_inner();
        self.check_node(&request.host_id).await?;
        let clear = leftovers::Clear::try_from(request).map_err(status)?;
        let agent = self.agent.clone();
        // To its end, also if the caller goes away: half of it would be no better.
        let clearing = tokio::spawn(async move { leftovers::clear(&agent, clear).await });
        let cleared = clearing
            .await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Ok(Response::new(pb::ClearLeftoversResponse {
            cleared: api::convert::all_into(cleared),
        }))
    }
}

fn table_refs(tables: Vec<pb_types::TableRef>) -> Result<Vec<TableRef>, Status> {
    api::convert::all(tables).map_err(status)
}

#[cfg(test)]
mod tests;
