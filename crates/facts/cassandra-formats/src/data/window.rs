//! A sliding window over a component that is read from front to back, in memory that does not grow with it.

use std::io::{self, Read};
use std::sync::Arc;

use crate::error::Error;
use crate::source::ReadAt;

/// How many bytes a window holds. Keys and clusterings, each at most 64 KiB, must fit whole.
pub(crate) const WINDOW_LEN: usize = 256 << 10;

/// Reads a range of a source from front to back.
pub(crate) struct Section {
    source: Arc<dyn ReadAt>,
    position: u64,
    end: u64,
}

impl Section {
    /// From `start` to `end`, or to the end of the source if that comes first.
    pub(crate) fn new(source: Arc<dyn ReadAt>, start: u64, end: u64) -> Self {
        let end = end.min(source.len());
        Self {
            source,
            position: start,
            end,
        }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let len = left.min(buffer.len());
        if len == 0 {
            return Ok(0);
        }
        // `len` is at most the buffer's length.
        self.source
            .read_exact_at(self.position, &mut buffer[..len])?;
        self.position += len as u64;
        Ok(len)
    }
}

/// The next bytes of a reader, as many as requested up to the window's length, with their offset in the component.
pub(crate) struct Window<R> {
    component: &'static str,
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the component of the buffer's first byte.
    base: u64,
    at_end: bool,
}

impl<R: Read> Window<R> {
    /// `base` is the offset in the component at which the reader begins.
    pub(crate) fn new(component: &'static str, reader: R, base: u64) -> Self {
        Self::with_len(component, reader, base, WINDOW_LEN)
    }

    pub(crate) fn with_len(component: &'static str, reader: R, base: u64, len: usize) -> Self {
        Self {
            component,
            reader,
            buffer: vec![0; len],
            start: 0,
            end: 0,
            base,
            at_end: false,
        }
    }

    /// Offset in the component of the next byte.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.base.saturating_add(self.start as u64)
    }

    /// The bytes that are in the window.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether the reader has given its last byte; some may still be in the window.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// The next bytes: `len` or more, and fewer only if the component or the window ends.
    #[inline]
    pub(crate) fn fill(&mut self, len: usize) -> Result<&[u8], Box<Error>> {
        if self.end - self.start < len && !self.at_end {
            self.refill(len)?;
        }
        Ok(self.bytes())
    }

    #[cold]
    fn refill(&mut self, len: usize) -> Result<(), Box<Error>> {
        let len = len.min(self.buffer.len());
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base = self.base.saturating_add(self.start as u64);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end < len {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                // A reader may claim more than there was space for.
                Ok(n) => self.end = (self.end + n).min(self.buffer.len()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Box::new(read_error(self.component, e))),
            }
        }
        Ok(())
    }

    /// Skips bytes that are in the window.
    #[inline]
    pub(crate) fn consume(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.end);
    }

    /// Skips any number of bytes; returns how many there were.
    pub(crate) fn skip(&mut self, len: u64) -> Result<u64, Box<Error>> {
        let mut left = len;
        loop {
            let at_hand = self.bytes().len();
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(at_hand);
            self.consume(step);
            left -= step as u64;
            if left == 0 || self.fill(1)?.is_empty() {
                return Ok(len - left);
            }
        }
    }
}

/// Unwraps this crate's error, which a reader that checks what it reads wraps in its own.
fn read_error(component: &'static str, error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(inner) => inner,
        Err(error) => Error::read(component, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Damage;

    #[test]
    fn bytes_come_in_order_whatever_is_requested() {
        let all: Vec<u8> = (0..1000_u32).map(|i| (i % 251) as u8).collect();
        let source: Arc<dyn ReadAt> = Arc::new(all.clone());
        for step in [1, 7, 63, 64] {
            let section = Section::new(source.clone(), 10, 900);
            let mut window = Window::with_len("Data.db", section, 10, 64);
            let mut seen = Vec::new();
            while let Some(part) = window
                .fill(step)
                .map(|b| b[..b.len().min(step)].to_vec())
                .ok()
                && !part.is_empty()
            {
                assert_eq!(window.offset(), 10 + seen.len() as u64);
                window.consume(part.len());
                seen.extend(part);
            }
            assert_eq!(seen, all[10..900]);
        }
    }

    #[test]
    fn skipping_counts_what_there_was() {
        let source: Arc<dyn ReadAt> = Arc::new(vec![7_u8; 500]);
        let mut window = Window::with_len("Data.db", Section::new(source, 0, 500), 0, 64);
        assert_eq!(window.skip(450).ok(), Some(450));
        assert_eq!(window.offset(), 450);
        assert_eq!(window.skip(100).ok(), Some(50));
        assert!(window.at_end());
    }

    #[test]
    fn damage_that_a_reader_found_stays_damage() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                let damage = Damage::at("Data.db", 3, "checksum");
                Err(io::Error::other(Error::from(damage)))
            }
        }
        let mut window = Window::new("Data.db", Broken, 0);
        let error = window.fill(1).expect_err("the reader fails");
        assert!(matches!(*error, Error::Damaged(_)), "{error:?}");
    }
}
