//! The memory that files are read into.

use blob_store::{Budget, Buffer};
use chassis::work::{Stopped, Work};

use crate::agent::Agent;

/// With fewer parts of a file in flight, the connections would be idle while the next part is read.
const HELD_PARTS: u64 = 4;

/// A file that is read twice takes an eighth of the budget, so that several are uploaded at once.
const SHARES: usize = 8;
/// It takes no more pieces than this, which is enough for the parts that are sent at once.
const PIECES_MAX: usize = 8;

/// How files are read: in pieces of this size, in memory of the agent's budget.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    pub budget: Budget,
    pub bytes: usize,
}

/// How a file goes to the store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In pieces of this size, each of which the store sends as it is.
    Once(usize),
    /// In parts that are never held as a whole.
    Twice,
}

impl Pieces {
    pub fn of(agent: &Agent) -> Self {
        let budget = agent.budget.clone();
        let bytes = agent.config.read_buffer_bytes;
        Self {
            bytes: bytes.clamp(1, budget.total_bytes()),
            budget,
        }
    }

    /// Waits for a buffer for the next of these bytes; it has room for all of them or for one piece.
    pub async fn buffer(&self, bytes: u64, work: &Work) -> Result<Buffer, Stopped> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        work.or_stop(self.budget.buffer(bytes.min(self.bytes)))
            .await
    }

    /// How to upload a file of so many bytes to a store with parts of this size. Parts are held if there is room for
    /// several: for all of a file that has few, and at least for two.
    pub fn way(&self, bytes: u64, part_bytes: Option<u64>) -> Way {
        let Some(part_bytes) = part_bytes else {
            return Way::Once(self.bytes);
        };
        let held = bytes.div_ceil(part_bytes.max(1)).clamp(2, HELD_PARTS);
        match usize::try_from(part_bytes.min(bytes)) {
            Ok(part) if self.budget.buffers(part) as u64 >= held => Way::Once(part.max(1)),
            _ => Way::Twice,
        }
    }

    /// The same with memory for one file alone: a second reading is part of a request, whose time is limited, so that it
    /// must not wait for other files.
    pub async fn set_aside(&self, work: &Work) -> Result<Self, Stopped> {
        let share = self.budget.total_bytes() / SHARES;
        let bytes = share.clamp(self.bytes, self.bytes.saturating_mul(PIECES_MAX));
        let reservation = work.or_stop(self.budget.reserve(bytes)).await?;
        let budget = Budget::within(reservation);
        Ok(Self {
            bytes: self.bytes.min(budget.total_bytes()),
            budget,
        })
    }

    pub fn with_size(&self, bytes: usize) -> Self {
        Self {
            budget: self.budget.clone(),
            bytes,
        }
    }
}
