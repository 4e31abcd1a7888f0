//! The memory of all transfers of a process: whatever holds bytes on their way takes it from one budget.
//!
//! Memory is granted in the order of requests, so that a large part is not starved by small files. A transfer never
//! waits for more memory while it holds some that only its own progress would give back: then any budget, however
//! small, comes to an end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is granted is a multiple of this.
const UNIT_BYTES: usize = 4 << 10;
/// Larger buffers are a multiple of this, so that those of about one size can be used again for each other.
const COARSE_UNIT_BYTES: usize = 1 << 20;
/// Smaller buffers are not kept, because they cost little to make.
const KEPT_BYTES_MIN: usize = 256 << 10;

/// A limit for the bytes that all transfers hold together. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    total_bytes: usize,
    units: Arc<Semaphore>,
    pool: Mutex<Pool>,
    /// Of which this is a share.
    _within: Option<Reservation>,
}

/// What is granted, and buffers that are kept for the next who needs one of their size. Together they are at most the
/// budget.
#[derive(Debug, Default)]
struct Pool {
    total_bytes: usize,
    granted_bytes: usize,
    free: Vec<Box<[u8]>>,
    free_bytes: usize,
    peak_bytes: usize,
}

impl Budget {
    /// A budget of at least 4 KiB, rounded down to a multiple of that.
    pub fn new(bytes: u64) -> Self {
        Self::over(bytes, None)
    }

    /// A budget of what is reserved of another one, to which it is given back when the last buffer is.
    pub fn within(reservation: Reservation) -> Self {
        Self::over(reservation.bytes as u64, Some(reservation))
    }

    fn over(bytes: u64, within: Option<Reservation>) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let units = (bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let shared = Shared {
            total_bytes: units * UNIT_BYTES,
            units: Arc::new(Semaphore::new(units)),
            pool: Mutex::new(Pool {
                total_bytes: units * UNIT_BYTES,
                ..Pool::default()
            }),
            _within: within,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The whole budget.
    pub fn total_bytes(&self) -> usize {
        self.shared.total_bytes
    }

    /// How many buffers of so many bytes there is room for.
    pub fn buffers(&self, bytes: usize) -> usize {
        self.shared.total_bytes / (buffer_units(bytes) * UNIT_BYTES)
    }

    /// The most that was held at once so far, buffers that are kept for later included.
    pub fn peak_bytes(&self) -> usize {
        self.shared.pool().peak_bytes
    }

    /// What is granted at present.
    pub fn granted_bytes(&self) -> usize {
        self.shared.pool().granted_bytes
    }

    /// Waits for memory of which something else than a [`Buffer`] is made. More than the whole budget is taken as the
    /// whole.
    pub async fn reserve(&self, bytes: usize) -> Reservation {
        let (bytes, permit) = self.grant(bytes.div_ceil(UNIT_BYTES)).await;
        self.shared.pool().admit(bytes);
        Reservation {
            bytes,
            of: self.shared.clone(),
            _permit: permit,
        }
    }

    /// Waits for a buffer of at least so many bytes, or of the whole budget if that is smaller.
    pub async fn buffer(&self, bytes: usize) -> Buffer {
        let (bytes, permit) = self.grant(buffer_units(bytes)).await;
        let block = self.shared.pool().admit_block(bytes);
        Buffer {
            // What comes fresh from the system is zero already.
            block: block.unwrap_or_else(|| vec![0; bytes].into_boxed_slice()),
            reservation: Reservation {
                bytes,
                of: self.shared.clone(),
                _permit: permit,
            },
        }
    }

    /// The right to so many units, and its size in bytes.
    async fn grant(&self, units: usize) -> (usize, OwnedSemaphorePermit) {
        let units = units.clamp(1, self.shared.total_bytes / UNIT_BYTES);
        let wanted = u32::try_from(units).expect("it is at most the budget, which fits");
        let permit = self.shared.units.clone().acquire_many_owned(wanted).await;
        let permit = permit.expect("the semaphore is never closed");
        (units * UNIT_BYTES, permit)
    }
}

fn buffer_units(bytes: usize) -> usize {
    let unit = if bytes > COARSE_UNIT_BYTES {
        COARSE_UNIT_BYTES
    } else {
        UNIT_BYTES
    };
    bytes.max(1).div_ceil(unit) * (unit / UNIT_BYTES)
}

impl Shared {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Counts bytes as granted, and drops free buffers until there is room for them. Grants alone never exceed the
    /// budget, because each has a permit.
    fn admit(&mut self, bytes: usize) {
        while self.granted_bytes + self.free_bytes + bytes > self.total_bytes {
            let Some(block) = self.free.pop() else {
                break;
            };
            self.free_bytes -= block.len();
        }
        self.granted_bytes += bytes;
        self.peak_bytes = self.peak_bytes.max(self.granted_bytes + self.free_bytes);
    }

    /// The same for a buffer, of which there may be a free one.
    fn admit_block(&mut self, bytes: usize) -> Option<Box<[u8]>> {
        let at = self.free.iter().position(|block| block.len() == bytes);
        let block = at.map(|at| self.free.swap_remove(at));
        if block.is_some() {
            self.free_bytes -= bytes;
        }
        self.admit(bytes);
        block
    }

    /// Counts bytes as given back. Buffers are kept only while there are transfers.
    fn give_back(&mut self, bytes: usize, block: Option<Box<[u8]>>) {
        self.granted_bytes -= bytes;
        if let Some(block) = block.filter(|block| block.len() >= KEPT_BYTES_MIN) {
            self.free_bytes += block.len();
            self.free.push(block);
        }
        if self.granted_bytes == 0 {
            (self.free, self.free_bytes) = (Vec::new(), 0);
        }
    }
}

/// Memory that is held; it is given back when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    bytes: usize,
    of: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.of.pool().give_back(self.bytes, None);
    }
}

/// A buffer, which holds anything: what an earlier transfer has left in it.
#[derive(Debug)]
pub struct Buffer {
    block: Box<[u8]>,
    reservation: Reservation,
}

impl Buffer {
    /// The whole buffer.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.block
    }

    /// The first bytes of the buffer, which is given back when the last clone of them is dropped.
    pub fn into_bytes(self, len: usize) -> Bytes {
        Bytes::from_owner(Filled {
            len: len.min(self.block.len()),
            buffer: self,
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.block);
        let bytes = std::mem::take(&mut self.reservation.bytes);
        self.reservation.of.pool().give_back(bytes, Some(block));
    }
}

struct Filled {
    buffer: Buffer,
    len: usize,
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer.block[..self.len]
    }
}

#[cfg(test)]
mod tests;
