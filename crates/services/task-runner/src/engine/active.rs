//! The tasks that are driven here now: the newest view of each for all who watch, and the way to reach its driver.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::TaskId;
use model::task::Task;
use tokio::sync::{mpsc, oneshot, watch};

use super::task::{AskedLimits, LiveTask};
use crate::error::RunnerError;

/// Requests that may wait for a driver, which handles each at once.
const COMMANDS_MAX: usize = 16;

/// A task as it is this moment.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub task: Task,
    pub eta_seconds: Option<u64>,
}

impl View {
    pub fn of(task: &LiveTask) -> Arc<Self> {
        Arc::new(Self {
            task: task.view(),
            eta_seconds: None,
        })
    }
}

/// Something that a driver is asked to do.
pub(super) enum Command {
    /// To stop at a safe point and undo what can be undone.
    Cancel { reply: Reply },
    /// To end as it is, with nothing undone.
    EndByForce { reply: Reply },
    /// To stop at a safe point and stay as it is.
    Pause { why: String, reply: Reply },
    /// To change what it may take on each node.
    SetLimits { asked: AskedLimits, reply: Reply },
}

/// Sent once what was asked for is on disk.
pub(super) type Reply = oneshot::Sender<Result<Arc<View>, RunnerError>>;

struct Slot {
    number: u64,
    view: watch::Receiver<Arc<View>>,
    commands: mpsc::Sender<Command>,
}

/// A driver's own ends of its slot.
pub(super) struct DriverSlot {
    number: u64,
    pub view: watch::Sender<Arc<View>>,
    pub commands: mpsc::Receiver<Command>,
}

/// The tasks that are driven here now.
#[derive(Default)]
pub(crate) struct ActiveTasks {
    slots: Mutex<HashMap<TaskId, Slot>>,
    registered: AtomicU64,
}

impl ActiveTasks {
    fn slots(&self) -> MutexGuard<'_, HashMap<TaskId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, task: &LiveTask) -> DriverSlot {
        let (sender, view) = watch::channel(View::of(task));
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let number = self.registered.fetch_add(1, Ordering::Relaxed);
        let slot = Slot {
            number,
            view,
            commands,
        };
        self.slots().insert(task.record.id, slot);
        DriverSlot {
            number,
            view: sender,
            commands: receiver,
        }
    }

    /// Takes a driver off, unless the next driver of its task is registered already.
    pub(super) fn deregister(&self, id: TaskId, left: &DriverSlot) {
        let mut slots = self.slots();
        if slots
            .get(&id)
            .is_some_and(|slot| slot.number == left.number)
        {
            slots.remove(&id);
        }
    }

    pub fn is_driven(&self, id: TaskId) -> bool {
        self.slots().contains_key(&id)
    }

    pub fn view(&self, id: TaskId) -> Option<Arc<View>> {
        self.slots().get(&id).map(|slot| slot.view.borrow().clone())
    }

    pub fn subscribe(&self, id: TaskId) -> Option<watch::Receiver<Arc<View>>> {
        self.slots().get(&id).map(|slot| slot.view.clone())
    }

    /// Asks the task's driver to do something. None if there is no driver, or if it left before it could reply.
    pub(super) async fn ask(
        &self,
        id: TaskId,
        command: impl FnOnce(Reply) -> Command,
    ) -> Option<Result<Arc<View>, RunnerError>> {
        let commands = self.slots().get(&id)?.commands.clone();
        let (reply, replied) = oneshot::channel();
        commands.send(command(reply)).await.ok()?;
        replied.await.ok()
    }
}
