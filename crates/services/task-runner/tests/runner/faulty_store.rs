//! A store that a test cuts off from its runner, or whose replies get lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use state_store::{Change, Direction, Entry, Fence, Page, StateError, StateStore, Write};
use tokio::sync::{Mutex, watch};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It passes.
    Healed,
    /// It fails at once, and nothing has happened.
    Refusing,
    /// There is never a reply: a partition, or a process that was stopped.
    Silent,
    /// Renewals of leases pass once it is healed, everything else passes.
    SlowRenewals,
    /// Watched changes come once it is healed, everything else passes.
    SlowWatches,
}

/// What goes wrong with one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// It happens, and its caller is told that it may not have.
    ReplyLost,
    /// It does not happen.
    Failed,
    /// It happens only after the write that follows it.
    Late,
    /// There is no space for it; here the number is of writes that are as large as may be, and it is the one after.
    Full,
}

pub struct FaultyStore {
    inner: Arc<dyn StateStore>,
    cut: watch::Sender<Cut>,
    /// Calls that were refused or left without a reply.
    pub missed: AtomicUsize,
    fault: Option<WriteFault>,
    writes_left: AtomicI64,
    was_large: AtomicBool,
    late: Mutex<Option<(Vec<Write>, Option<Fence>)>>,
}

impl FaultyStore {
    pub fn new(inner: Arc<dyn StateStore>) -> Self {
        Self {
            inner,
            cut: watch::Sender::new(Cut::Healed),
            missed: AtomicUsize::new(0),
            fault: None,
            writes_left: AtomicI64::new(0),
            was_large: AtomicBool::new(false),
            late: Mutex::new(None),
        }
    }

    /// One whose write of that number meets the fault.
    pub fn with_fault(inner: Arc<dyn StateStore>, fault: WriteFault, writes: i64) -> Self {
        Self {
            fault: Some(fault),
            writes_left: AtomicI64::new(writes),
            ..Self::new(inner)
        }
    }

    pub fn set(&self, cut: Cut) {
        self.cut.send_replace(cut);
    }

    /// Whether there was such a write.
    pub fn has_struck(&self) -> bool {
        self.writes_left.load(Ordering::SeqCst) < 0
    }

    async fn pass(&self) -> Result<(), StateError> {
        let cut = *self.cut.borrow();
        match cut {
            Cut::Healed | Cut::SlowRenewals | Cut::SlowWatches => Ok(()),
            Cut::Refusing => {
                self.missed.fetch_add(1, Ordering::SeqCst);
                Err(unknown("the store cannot be reached"))
            }
            Cut::Silent => {
                self.missed.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            }
        }
    }

    fn is_after_large(&self, writes: &[Write]) -> bool {
        let is_large = writes.len() == state_store::TRANSACTION_OPERATIONS_MAX;
        self.was_large.swap(is_large, Ordering::SeqCst)
    }

    async fn wait_while(&self, cut: Cut) {
        let mut cuts = self.cut.subscribe();
        // The sender lives as long as this store.
        let _ = cuts.wait_for(|now| *now != cut).await;
    }

    async fn faulty_write(
        &self,
        fault: WriteFault,
        writes: &[Write],
        fence: Option<&Fence>,
    ) -> Result<u64, StateError> {
        match fault {
            WriteFault::ReplyLost => drop(self.inner.write(writes, fence).await),
            WriteFault::Failed => {}
            WriteFault::Full => {
                return Err(StateError::Full {
                    action: "reach the state",
                    source: "no space".into(),
                });
            }
            WriteFault::Late => {
                *self.late.lock().await = Some((writes.to_vec(), fence.cloned()));
            }
        }
        Err(unknown("the reply was lost"))
    }
}

fn unknown(why: &'static str) -> StateError {
    StateError::Backend {
        action: "reach the state",
        source: why.into(),
    }
}

#[async_trait]
impl StateStore for FaultyStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        self.pass().await?;
        self.inner.get(key).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        self.pass().await?;
        self.inner.page(prefix, after, limit, direction).await
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        self.pass().await?;
        let counts = match self.fault {
            Some(WriteFault::Full) => self.is_after_large(writes),
            fault => fault.is_some(),
        };
        if let Some(fault) = self.fault
            && counts
            && self.writes_left.fetch_sub(1, Ordering::SeqCst) == 0
        {
            return self.faulty_write(fault, writes, fence).await;
        }
        let written = self.inner.write(writes, fence).await;
        if let Some((late, fence)) = self.late.lock().await.take() {
            // What comes of it nothing ever learns.
            let _ = self.inner.write(&late, fence.as_ref()).await;
        }
        written
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        self.pass().await?;
        let changes = self.inner.watch(prefix).await?;
        let cuts = self.cut.subscribe();
        let late = changes.then(move |change| {
            let mut cuts = cuts.clone();
            async move {
                // If the store is gone, so is its test.
                let _ = cuts.wait_for(|cut| *cut != Cut::SlowWatches).await;
                change
            }
        });
        Ok(late.boxed())
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        self.pass().await?;
        self.inner.acquire(lease, holder, ttl).await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.pass().await?;
        self.wait_while(Cut::SlowRenewals).await;
        self.inner.renew(fence, ttl).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.pass().await?;
        self.inner.release(fence).await
    }
}
