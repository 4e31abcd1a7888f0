//! What every call that changes something goes through: its fences, its node, room for its work, its locks, its reply.

use std::sync::Arc;

use api::access::Role;
use api::convert::parsed;
use api::fence::Fences;
use api::pb::node_agent as pb;
use api::{ErrorKind, ServiceError, status};
use chassis::CallerRoles;
use chassis::work::{Progress, Work, stream};
use futures::stream::BoxStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use crate::agent::Agent;
use crate::fences::FenceError;
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

/// Why the work of a call was not done.
#[derive(Debug, thiserror::Error)]
enum CallError<E> {
    #[error(transparent)]
    Fence(FenceError),
    #[error(transparent)]
    Work(E),
}

impl<E: ServiceError> CallError<E> {
    fn part(&self) -> &dyn ServiceError {
        match self {
            Self::Fence(error) => error,
            Self::Work(error) => error,
        }
    }
}

impl<E: ServiceError> ServiceError for CallError<E> {
    fn kind(&self) -> ErrorKind {
        self.part().kind()
    }

    fn reason(&self) -> &'static str {
        self.part().reason()
    }

    fn hint(&self) -> Option<String> {
        self.part().hint()
    }

    fn field(&self) -> Option<&str> {
        self.part().field()
    }
}

/// A request of a call that changes something.
pub(super) trait Changes {
    /// Whether it only deletes or goes back, so that it must be carried out on a full disk.
    const FREES_SPACE: bool;

    /// The node that it is meant for; none if any node will do.
    fn host_id(&self) -> Option<&str>;
}

macro_rules! change {
    ($(($request:ident $(of $host:ident)?, $frees:literal))*) => {
        $(impl Changes for pb::$request {
            const FREES_SPACE: bool = $frees;

            fn host_id(&self) -> Option<&str> {
                None$(.or(Some(self.$host.as_str())))?
            }
        })*
    };
}

change! {
    (TakeSnapshotRequest, false)
    (UploadSnapshotRequest, false)
    (ClearSnapshotRequest, true)
    (StageRestoreRequest of host_id, false)
    (TryLoadRequest of host_id, false)
    (ClearTrialRequest of host_id, true)
    (ExecuteCqlRequest of host_id, false)
    (LoadStagedRequest of host_id, false)
    (MarkTruncatedRequest of host_id, false)
    (CutClientsOffRequest of host_id, false)
    (LetClientsInRequest of host_id, true)
    (StopCassandraRequest of host_id, false)
    (SwapStagedRequest of host_id, false)
    (SwapBackRequest of host_id, false)
    (StartCassandraRequest of host_id, false)
    (UpgradeSstablesRequest of host_id, false)
    (AwaitViewsRequest of host_id, false)
    (ForgetBuiltViewsRequest of host_id, false)
    (RebuildViewsRequest of host_id, false)
    (RunMaintenanceRequest of host_id, false)
    (SetLimitsRequest of host_id, false)
    (FinishRestoreRequest of host_id, true)
    (ClearLeftoversRequest of host_id, true)
}

/// A call that may change the node, once it is known that its caller still has its lease and means this node. Nothing else
/// has the agent to change it with.
pub(super) struct Call {
    agent: Arc<Agent>,
    room: Room,
    fences: Fences,
}

impl Call {
    /// Refuses the call if its caller has lost its lease, or if it names another node or none.
    pub(super) async fn begin<R: Changes>(
        agent: &Arc<Agent>,
        room: &Room,
        request: Request<R>,
    ) -> Result<(Self, R), Status> {
        let (call, request) = Self::opened(agent, room, request).await?;
        if let Some(host_id) = request.host_id() {
            let wanted = parsed("host_id", host_id).map_err(status)?;
            meant::check(agent, wanted).await.map_err(status)?;
        }
        call.raise_fences::<R>().await?;
        Ok((call, request))
    }

    /// The same for the end of a restore, which any node may confirm that has nothing of it.
    pub(super) async fn begin_finish(
        agent: &Arc<Agent>,
        room: &Room,
        request: Request<pb::FinishRestoreRequest>,
    ) -> Result<(Self, pb::FinishRestoreRequest), Status> {
        let (call, request) = Self::opened(agent, room, request).await?;
        let wanted = parsed("host_id", &request.host_id).map_err(status)?;
        let checked = meant::check_finish(agent, wanted, &request.restore).await;
        checked.map_err(status)?;
        call.raise_fences::<pb::FinishRestoreRequest>().await?;
        Ok((call, request))
    }

    /// A call whose fences are not too low. Those of a call that is meant for another node count for nothing here, so they
    /// are not kept yet.
    async fn opened<R>(
        agent: &Arc<Agent>,
        room: &Room,
        request: Request<R>,
    ) -> Result<(Self, R), Status> {
        let fences = fences_of(&request).map_err(status)?;
        agent.fences.check(&fences).await.map_err(status)?;
        let (agent, room) = (agent.clone(), room.clone());
        let call = Self {
            agent,
            room,
            fences,
        };
        Ok((call, request.into_inner()))
    }

    async fn raise_fences<R: Changes>(&self) -> Result<(), Status> {
        let fences = &self.agent.fences;
        let raised = match R::FREES_SPACE {
            true => fences.raise_if_possible(&self.fences).await,
            false => fences.raise(&self.fences).await,
        };
        raised.map_err(status)
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
        let (agent, fences) = (self.agent.clone(), self.fences);
        match tokio::spawn(under(agent, names, fences, admitted, work(self.agent))).await {
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
        self.streamed_under(vec![lock], work, message)
    }

    /// The same under several locks, which are taken in this order.
    pub(super) fn streamed_under<T, E, M, W>(
        self,
        locks: Vec<String>,
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
        let (agent, fences) = (self.agent.clone(), self.fences);
        let work = |handle| {
            let work = work(self.agent, handle);
            under(agent, locks, fences, admitted, work)
        };
        Ok(Response::new(stream(work, message)))
    }

    fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let permit = self.room.0.clone().try_acquire_owned();
        permit.map_err(|_| status(TooMuchWork))
    }
}

/// Does the work once it has its locks, unless the caller has lost its lease while it waited for them.
async fn under<T, E>(
    agent: Arc<Agent>,
    names: Vec<String>,
    fences: Fences,
    admitted: OwnedSemaphorePermit,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, CallError<E>> {
    let _admitted = admitted;
    let mut held = Vec::with_capacity(names.len());
    for name in names {
        held.push(agent.locks.lock(name.as_str()).await);
    }
    agent
        .fences
        .check(&fences)
        .await
        .map_err(CallError::Fence)?;
    work.await.map_err(CallError::Work)
}

/// The fences of a call. A caller that is known to be a task-runner must send some; any other one has no lease.
fn fences_of<R>(request: &Request<R>) -> Result<Fences, FenceError> {
    let fences = Fences::of_call(request.metadata())?;
    let caller = request.extensions().get::<CallerRoles>();
    let is_runner = caller.is_some_and(|CallerRoles(roles)| roles.contains(&Role::Runner));
    if fences.is_empty() && is_runner {
        return Err(FenceError::Absent);
    }
    Ok(fences)
}

/// The lock of work on the running node.
pub(super) fn on_node() -> String {
    "node".to_owned()
}
