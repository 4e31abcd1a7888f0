//! What every call that changes something goes through: the check of its node, room for its work, its locks, its reply.

use std::sync::Arc;

use api::convert::parsed;
use api::pb::node_agent as pb;
use api::{ErrorKind, ServiceError, status};
use chassis::Locks;
use chassis::work::{Progress, Work, stream};
use futures::stream::BoxStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use crate::agent::Agent;
use crate::meant;

pub(super) type Reply<T> = Result<Response<T>, Status>;
pub(super) type Messages<T> = BoxStream<'static, Result<T, Status>>;

/// Work at a time. The runner has a few pieces on each node; more are a flood.
const WORK_MAX: usize = 128;

/// Room for work: a permit for each piece that runs or waits for a lock, also if its caller has gone away.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WORK_MAX)))
    }
}

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

/// A request that names the node that it is meant for.
pub(super) trait NamesNode {
    fn host_id(&self) -> &str;
}

macro_rules! name_their_node {
    ($($request:ident)*) => {
        $(impl NamesNode for pb::$request {
            fn host_id(&self) -> &str {
                &self.host_id
            }
        })*
    };
}

name_their_node! {
    AwaitViewsRequest
    ClearLeftoversRequest
    ClearTrialRequest
    CutClientsOffRequest
    ExecuteCqlRequest
    LetClientsInRequest
    LoadStagedRequest
    MarkTruncatedRequest
    StageRestoreRequest
    StartCassandraRequest
    StopCassandraRequest
    SwapBackRequest
    SwapStagedRequest
    TryLoadRequest
    UpgradeSstablesRequest
}

/// A call that may change the node, once it is known to be meant for it. Nothing else has the agent to change it with.
pub(super) struct Call {
    agent: Arc<Agent>,
    room: Room,
}

impl Call {
    /// A call that may go to any node.
    pub(super) fn of_any_node<R>(
        agent: &Arc<Agent>,
        room: &Room,
        request: Request<R>,
    ) -> (Self, R) {
        let (agent, room) = (agent.clone(), room.clone());
        (Self { agent, room }, request.into_inner())
    }

    /// A call that is refused if it names another node, or none.
    pub(super) async fn of_its_node<R: NamesNode>(
        agent: &Arc<Agent>,
        room: &Room,
        request: Request<R>,
    ) -> Result<(Self, R), Status> {
        let (call, request) = Self::of_any_node(agent, room, request);
        let wanted = parsed("host_id", request.host_id()).map_err(status)?;
        meant::check(agent, wanted).await.map_err(status)?;
        Ok((call, request))
    }

    /// The same for the end of a restore, which any node may confirm that has nothing of it.
    pub(super) async fn of_finish(
        agent: &Arc<Agent>,
        room: &Room,
        request: Request<pb::FinishRestoreRequest>,
    ) -> Result<(Self, pb::FinishRestoreRequest), Status> {
        let (call, request) = Self::of_any_node(agent, room, request);
        let wanted = parsed("host_id", &request.host_id).map_err(status)?;
        let checked = meant::check_finish(agent, wanted, &request.restore).await;
        checked.map_err(status)?;
        Ok((call, request))
    }

    /// Runs short work to its end under locks, which are taken in this order, also when the caller goes away: half of it
    /// would be worse.
    pub(super) async fn locked<T, E, M, W>(
        self,
        locks: impl IntoIterator<Item = String>,
        work: impl FnOnce(Arc<Agent>) -> W,
        message: impl FnOnce(T) -> M,
    ) -> Reply<M>
    where
        W: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: ServiceError + Send + 'static,
    {
        let admitted = self.admit()?;
        let names = locks.into_iter().collect();
        let held = self.agent.locks.clone();
        match tokio::spawn(under(held, names, admitted, work(self.agent))).await {
            Ok(result) => result.map(message).map(Response::new).map_err(status),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Runs long work under a lock and reports its progress; it stops at a safe point when the caller goes away.
    pub(super) fn streamed<T, E, M, W>(
        self,
        lock: String,
        work: impl FnOnce(Arc<Agent>, Work) -> W,
        message: impl Fn(Progress, Option<T>) -> M + Send + 'static,
    ) -> Reply<Messages<M>>
    where
        W: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: ServiceError + Send + 'static,
        M: Send + 'static,
    {
        let admitted = self.admit()?;
        let held = self.agent.locks.clone();
        let work = |handle| under(held, vec![lock], admitted, work(self.agent, handle));
        Ok(Response::new(stream(work, message)))
    }

    fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let permit = self.room.0.clone().try_acquire_owned();
        permit.map_err(|_| status(TooMuchWork))
    }
}

/// Does the work once it has its locks.
async fn under<T>(
    held: Locks<String>,
    names: Vec<String>,
    admitted: OwnedSemaphorePermit,
    work: impl Future<Output = T>,
) -> T {
    let _admitted = admitted;
    let mut guards = Vec::with_capacity(names.len());
    for name in names {
        guards.push(held.lock(name.as_str()).await);
    }
    work.await
}

/// The lock of work on the running node.
pub(super) fn on_node() -> String {
    "node".to_owned()
}
