//! Large tasks fit into what the state store can hold, and cost little to carry on.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use model::plan::{PlanStep, PlannedNode, StepKind};
use model::task::{StepState, TaskKind};
use model::{HostId, RangeText, RingMember, SourceShare};
use state_store::testing::ManualClock;
use state_store::{Change, Entry, Expected, Page, RedbStore, VALUE_BYTES_MAX, Write};
use uuid::Uuid;

use super::*;
use crate::engine::graph::steps_of;
use crate::engine::need::Need;
use crate::events::Outbox;

const LEASE_TTL: std::time::Duration = std::time::Duration::from_secs(60);
/// What settling one step may cost.
const SETTLE_BYTES_MAX: usize = 4 << 10;

/// Measures the values that are written.
struct MeasuringStore {
    inner: RedbStore,
    largest: AtomicUsize,
    written: AtomicUsize,
}

#[async_trait]
impl StateStore for MeasuringStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        self.inner.get(key).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        self.inner.page(prefix, after, limit, direction).await
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        for write in writes {
            if let Write::Put { value, .. } = write {
                let size = value.to_string().len();
                self.largest.fetch_max(size, Ordering::Relaxed);
                self.written.fetch_add(size, Ordering::Relaxed);
            }
        }
        self.inner.write(writes, fence).await
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        self.inner.watch(prefix).await
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        self.inner.acquire(lease, holder, ttl).await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.inner.renew(fence, ttl).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.inner.release(fence).await
    }
}

fn host(at: usize) -> HostId {
    HostId(Uuid::from_u128(at as u128))
}

fn address(at: usize) -> String {
    format!("10.{}.{}.{}", at >> 16, (at >> 8) & 255, at & 255)
}

fn nodes(number: usize) -> Vec<PlannedNode> {
    let node = |at| PlannedNode {
        host_id: host(at),
        address: address(at),
        agent: format!("{}:7401", address(at)),
    };
    (0..number).map(node).collect()
}

/// A restore in place, with barriers as the planner makes them.
fn in_place(nodes: &[PlannedNode]) -> Vec<PlanStep> {
    let step = |id: String, kind, node: &str, after: Vec<String>| PlanStep {
        id,
        kind,
        node: node.to_owned(),
        after,
        cql: Vec::new(),
    };
    let mut steps = vec![step("pin".into(), StepKind::Pin, "", Vec::new())];
    let mut last = "pin".to_owned();
    for (kind, then) in [
        (StepKind::Stage, StepKind::Check),
        (StepKind::Stop, StepKind::Barrier),
        (StepKind::Swap, StepKind::Barrier),
        (StepKind::Start, StepKind::Barrier),
        (StepKind::Finish, StepKind::Unpin),
    ] {
        let mut each = Vec::with_capacity(nodes.len());
        for node in nodes {
            let id = format!("{kind}-{}", node.address);
            steps.push(step(id.clone(), kind, &node.address, vec![last.clone()]));
            each.push(id);
        }
        last = match then {
            StepKind::Barrier => format!("barrier-{kind}"),
            then => then.to_string(),
        };
        steps.push(step(last.clone(), then, "", each));
    }
    steps
}

/// What 200 nodes take of 200 others, each with 256 vnodes: some ranges of each.
fn shares() -> Vec<(HostId, Vec<SourceShare>)> {
    const NODES: usize = 200;
    /// Of 256 vnodes with three replicas, in pieces of two ring positions each.
    const RANGES_PER_SOURCE: usize = 256 * 3 * 2 / NODES + 1;
    let share = |target: usize, source: usize| SourceShare {
        source: host(NODES + source),
        keyspaces: vec!["shop".into(), "audit".into()],
        ranges: (0..RANGES_PER_SOURCE)
            .map(|at| RangeText {
                left: format!("-{}", 9_000_000_000_000_000_000_u64 - (target + at) as u64),
                right: format!("-{}", 8_999_999_999_999_999_999_u64 - (source + at) as u64),
            })
            .collect(),
        trims: false,
    };
    (0..NODES)
        .map(|target| {
            (
                host(target),
                (0..NODES).map(|source| share(target, source)).collect(),
            )
        })
        .collect()
}

fn ring(number: usize) -> Vec<RingMember> {
    let member = |at: usize| RingMember {
        host_id: host(at),
        address: address(at),
        datacenter: "dc1".into(),
        rack: format!("r{}", at % 3),
        tokens: (0..256)
            .map(|token| (i64::MAX - (at * 256 + token) as i64).to_string())
            .collect(),
    };
    (0..number).map(member).collect()
}

/// Creates a task of these steps with a document, lets one step after the other succeed as a driver does, and reads it back.
async fn check<D>(planned: &[PlanStep], document: &D)
where
    D: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    // A clock that stands still: on a busy machine this takes longer than a lease lasts.
    let inner = RedbStore::in_memory(ManualClock::default().clock()).await;
    let measured = Arc::new(MeasuringStore {
        inner: inner.expect("a store"),
        largest: AtomicUsize::new(0),
        written: AtomicUsize::new(0),
    });
    let tasks = TaskStore::new(measured.clone(), LEASE_TTL, Outbox::default());
    let id = TaskId(Uuid::from_u128(1));
    let cluster = "shop".parse().expect("a name");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let record = TaskRecord::new(id, TaskKind::Restore, cluster, now);
    let fence = tasks.acquire(id, "test").await.expect("a lease");
    let steps = steps_of(planned).expect("steps");
    let announced = tasks.announce(id, &fence).await.expect("announced");
    tasks
        .put_document(id, "plan", document, &fence)
        .await
        .expect("written");
    tasks.put_steps(id, &steps, &fence).await.expect("written");
    tasks
        .create(&record, announced, &fence)
        .await
        .expect("created");

    let mut task = tasks.load(record).await.expect("loaded");
    assert_eq!(*task.steps, steps);
    // All start at once, which is many transactions.
    for status in &mut task.statuses {
        status.state = StepState::Running;
        status.attempted = true;
    }
    let all = 0..steps.len();
    tasks
        .save(&task, Expected::Anything, all.clone(), &fence)
        .await
        .expect("saved");
    for at in [0, steps.len() / 2, steps.len() - 1] {
        task.statuses[at].state = StepState::Succeeded;
        let before = measured.written.load(Ordering::Relaxed);
        let saved = tasks.save(&task, Expected::Anything, [at], &fence).await;
        saved.expect("saved");
        let cost = measured.written.load(Ordering::Relaxed) - before;
        assert!(
            cost <= SETTLE_BYTES_MAX,
            "settling a step writes {cost} bytes"
        );
    }
    let read = tasks.load(task.record.clone()).await.expect("loaded");
    assert_eq!(read, task);
    let kept: Option<D> = tasks.document(id, "plan").await.expect("read");
    assert!(
        kept.as_ref() == Some(document),
        "the document is read as it was written"
    );
    assert_eq!(tasks.unfinished().await.expect("listed"), [id]);
    let largest = measured.largest.load(Ordering::Relaxed);
    assert!(largest <= VALUE_BYTES_MAX, "a value of {largest} bytes");

    tasks.remove(id, &fence).await.expect("removed");
    let left = measured.inner.list("").await.expect("listed");
    assert_eq!(left, []);
}

#[tokio::test]
async fn a_backup_of_1500_nodes_fits() {
    let nodes = nodes(1_500);
    check(&plan::backup_steps(&nodes), &ring(1_500)).await;
}

#[tokio::test]
async fn a_restore_in_place_of_1500_nodes_fits() {
    let nodes = nodes(1_500);
    let steps = in_place(&nodes);
    let waits: usize = steps.iter().map(|step| step.after.len()).sum();
    assert!(
        waits < 3 * steps.len(),
        "{waits} waits of {} steps",
        steps.len()
    );
    check(&steps, &nodes).await;
}

#[tokio::test]
async fn a_restore_into_another_ring_of_many_vnodes_fits() {
    let nodes = nodes(200);
    check(&in_place(&nodes), &shares()).await;
}

#[tokio::test]
async fn a_document_of_an_earlier_writing_that_was_longer_is_not_mixed_in() {
    let store = RedbStore::in_memory(Arc::new(jiff::Timestamp::now)).await;
    let tasks = TaskStore::new(
        Arc::new(store.expect("a store")),
        LEASE_TTL,
        Outbox::default(),
    );
    let id = TaskId(Uuid::from_u128(1));
    let fence = tasks.acquire(id, "test").await.expect("a lease");
    let long = vec!["x".repeat(100); 20_000];
    for document in [&long[..], &long[..10], &[]] {
        tasks
            .put_document(id, "d", document, &fence)
            .await
            .expect("written");
        let read: Option<Vec<String>> = tasks.document(id, "d").await.expect("read");
        assert_eq!(read.as_deref(), Some(document));
    }
    let none: Option<Vec<String>> = tasks.document(id, "other").await.expect("read");
    assert_eq!(none, None);
}

#[tokio::test]
async fn a_driver_without_its_lease_neither_claims_nor_releases_the_cluster_of_its_task() {
    let store = RedbStore::in_memory(Arc::new(jiff::Timestamp::now)).await;
    let tasks = TaskStore::new(
        Arc::new(store.expect("a store")),
        LEASE_TTL,
        Outbox::default(),
    );
    let id = TaskId(Uuid::from_u128(1));
    let cluster = "shop".parse().expect("a name");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let record = TaskRecord::new(id, TaskKind::Restore, cluster, now);
    let cluster = &record.cluster;
    let stopped = tasks.acquire(id, "one").await.expect("a lease");
    let announced = tasks.announce(id, &stopped).await.expect("announced");
    let created = tasks.create(&record, announced, &stopped).await;
    created.expect("created");
    tasks.release(&stopped).await;
    let lease = tasks.acquire(id, "two").await.expect("a lease");
    let is_fenced = |result: &Result<(), RunnerError>| {
        matches!(result, Err(RunnerError::State(StateError::Fenced { .. })))
    };

    let late = tasks.claim(cluster, id, &Need::Whole, &stopped).await;
    let late = late.map(drop);
    assert!(is_fenced(&late), "{late:?}");
    tasks
        .claim(cluster, id, &Need::Whole, &lease)
        .await
        .expect("claimed");
    let late = tasks.unclaim(cluster, id, &stopped).await;
    assert!(is_fenced(&late), "{late:?}");
    let busy = tasks.check_free(cluster, &Need::Whole).await;
    assert!(
        matches!(busy, Err(RunnerError::ClusterBusy { .. })),
        "{busy:?}"
    );
    tasks.unclaim(cluster, id, &lease).await.expect("released");
    tasks.check_free(cluster, &Need::Whole).await.expect("free");
}
