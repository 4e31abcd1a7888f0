//! A component that is read while it passes by: what is ahead is waited for, what is behind is read again.

use std::io;
use std::sync::Mutex;

use bytes::Bytes;
use cassandra_formats::source::ReadAt;
use tokio::sync::mpsc::Receiver;

/// Bytes that pass by in order, for a thread that may block. Memory is that of one read and one piece.
pub struct PassingData {
    /// The same bytes at any offset.
    stored: Box<dyn ReadAt>,
    passed: Mutex<Passed>,
}

struct Passed {
    pieces: Receiver<Bytes>,
    /// What was received and may still be read, and its offset.
    held: Vec<u8>,
    start: u64,
}

impl PassingData {
    pub fn new(stored: Box<dyn ReadAt>, pieces: Receiver<Bytes>) -> Self {
        let passed = Mutex::new(Passed {
            pieces,
            held: Vec::new(),
            start: 0,
        });
        Self { stored, passed }
    }
}

impl Passed {
    /// Receives until the bytes are held; those before `offset` are dropped.
    fn receive(&mut self, offset: u64, len: usize) -> io::Result<()> {
        loop {
            let behind = offset - self.start;
            let dropped = behind.min(self.held.len() as u64);
            // It is at most what is held.
            self.held.drain(..dropped as usize);
            self.start += dropped;
            if self.start == offset && self.held.len() >= len {
                return Ok(());
            }
            match self.pieces.blocking_recv() {
                Some(piece) => self.held.extend_from_slice(&piece),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

impl ReadAt for PassingData {
    fn len(&self) -> u64 {
        self.stored.len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut passed = self.passed.lock().expect("no reader panics");
        if offset < passed.start {
            drop(passed);
            return self.stored.read_exact_at(offset, buffer);
        }
        passed.receive(offset, buffer.len())?;
        buffer.copy_from_slice(&passed.held[..buffer.len()]);
        Ok(())
    }
}
