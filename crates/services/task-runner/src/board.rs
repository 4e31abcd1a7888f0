//! Who is driven here right now: the newest view of each task for all who look, and the way to say something to its
//! driver.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::TaskId;
use model::task::Task;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::RunnerError;
use crate::record::Work;

/// Requests that may wait for a driver; it answers each at once.
const COMMANDS_MAX: usize = 16;

/// A task as it is this moment.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub task: Task<Work>,
    pub eta_seconds: Option<u64>,
}

impl View {
    pub fn of(task: &Task<Work>) -> Arc<Self> {
        Arc::new(Self {
            task: task.clone(),
            eta_seconds: None,
        })
    }
}

/// Something that a driver is asked to do.
pub(crate) enum Command {
    /// Answered when the wish is on disk.
    Cancel {
        answer: oneshot::Sender<Result<Arc<View>, RunnerError>>,
    },
}

struct Seat {
    number: u64,
    view: watch::Receiver<Arc<View>>,
    commands: mpsc::Sender<Command>,
}

/// A driver's own ends.
pub(crate) struct DriverSeat {
    number: u64,
    pub view: watch::Sender<Arc<View>>,
    pub commands: mpsc::Receiver<Command>,
}

#[derive(Default)]
pub(crate) struct Board {
    seats: Mutex<HashMap<TaskId, Seat>>,
    entered: AtomicU64,
}

impl Board {
    fn seats(&self) -> MutexGuard<'_, HashMap<TaskId, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn enter(&self, task: &Task<Work>) -> DriverSeat {
        let (sender, view) = watch::channel(View::of(task));
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let number = self.entered.fetch_add(1, Ordering::Relaxed);
        let seat = Seat {
            number,
            view,
            commands,
        };
        self.seats().insert(task.id, seat);
        DriverSeat {
            number,
            view: sender,
            commands: receiver,
        }
    }

    /// Takes a driver off, unless the next one has its seat already.
    pub fn leave(&self, id: TaskId, left: &DriverSeat) {
        let mut seats = self.seats();
        if seats
            .get(&id)
            .is_some_and(|seat| seat.number == left.number)
        {
            seats.remove(&id);
        }
    }

    pub fn is_driven(&self, id: TaskId) -> bool {
        self.seats().contains_key(&id)
    }

    pub fn view(&self, id: TaskId) -> Option<Arc<View>> {
        self.seats().get(&id).map(|seat| seat.view.borrow().clone())
    }

    pub fn subscribe(&self, id: TaskId) -> Option<watch::Receiver<Arc<View>>> {
        self.seats().get(&id).map(|seat| seat.view.clone())
    }

    /// Asks the task's driver to cancel. Nothing where there is no driver, or where it left before it could answer.
    pub async fn cancel(&self, id: TaskId) -> Option<Result<Arc<View>, RunnerError>> {
        let commands = self.seats().get(&id)?.commands.clone();
        let (answer, answered) = oneshot::channel();
        commands.send(Command::Cancel { answer }).await.ok()?;
        answered.await.ok()
    }
}
