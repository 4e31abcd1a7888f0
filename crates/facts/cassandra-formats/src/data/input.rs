//! Bytes that rows are decoded from: a slice in memory, or a stream if a row is too long to be held.

use std::io::Read;

use crate::bytes;
use crate::data::window::Window;
use crate::error::{Damage, Error};

/// Why decoding stopped. As small as a pointer, because reading any integer may return it.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The bytes ended first. Only the caller knows what that means.
    Short,
    Failed(Box<Error>),
}

impl From<Box<Error>> for Stop {
    fn from(error: Box<Error>) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    #[cold]
    pub(crate) fn damage(component: &'static str, offset: u64, what: String) -> Self {
        Self::Failed(Box::new(damage(component, offset, what).into()))
    }
}

/// Damage at an offset of the uncompressed data. The message says so, because no byte of a compressed component has
/// that offset.
#[cold]
pub(crate) fn damage(component: &'static str, offset: u64, what: String) -> Damage {
    let what = match component {
        super::COMPONENT => format!("{what} (offset in the uncompressed data)"),
        _ => what,
    };
    Damage::at(component, offset, what)
}

/// Bytes from front to back.
pub(crate) trait Input {
    fn component(&self) -> &'static str;

    /// Offset of the next byte in the uncompressed component.
    fn offset(&self) -> u64;

    fn u8(&mut self) -> Result<u8, Stop>;

    fn uvint(&mut self) -> Result<u64, Stop>;

    fn skip(&mut self, len: u64) -> Result<(), Stop>;

    /// Appends the next bytes to `out`, which must have space in memory for them.
    fn copy(&mut self, len: u64, out: &mut Vec<u8>) -> Result<(), Stop>;

    /// Damage at `offset`.
    #[cold]
    fn damage_at(&self, offset: u64, what: String) -> Stop {
        Stop::damage(self.component(), offset, what)
    }
}

/// An input of bytes in memory.
#[derive(Debug, Clone)]
pub(crate) struct Bytes<'a> {
    component: &'static str,
    bytes: &'a [u8],
    position: usize,
    base: u64,
}

impl<'a> Bytes<'a> {
    /// `base` is the first byte's offset in the component.
    #[inline]
    pub(crate) fn new(component: &'static str, bytes: &'a [u8], base: u64) -> Self {
        Self {
            component,
            bytes,
            position: 0,
            base,
        }
    }

    /// How many bytes were read.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The bytes that were not read yet.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Stop> {
        let taken = self
            .position
            .checked_add(len)
            .and_then(|end| self.bytes.get(self.position..end))
            .ok_or(Stop::Short)?;
        self.position += len;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("as many bytes as were requested"))
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Stop> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    #[cold]
    fn uvint_at_the_end(&mut self) -> Result<u64, Stop> {
        let (value, len) = bytes::uvint(self.rest()).ok_or(Stop::Short)?;
        self.position += len;
        Ok(value)
    }
}

/// The value of a variable-length integer with `first` before `tail`, and how many bytes of the tail it takes.
#[inline]
fn uvint_of(first: u8, tail: [u8; 8]) -> (u64, usize) {
    let extra = first.leading_ones();
    if extra == 0 {
        return (first.into(), 0);
    }
    let low = u64::from_be_bytes(tail) >> (64 - 8 * extra);
    let high = u64::from(first) & (0xff_u64 >> extra);
    // Eight extra bytes leave no bits of the first one.
    let high = high.checked_shl(8 * extra).unwrap_or(0);
    (high | low, extra as usize)
}

impl Input for Bytes<'_> {
    fn component(&self) -> &'static str {
        self.component
    }

    #[inline]
    fn offset(&self) -> u64 {
        self.base.saturating_add(self.position as u64)
    }

    #[inline]
    fn u8(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.position).ok_or(Stop::Short)?;
        self.position += 1;
        Ok(byte)
    }

    #[inline]
    fn uvint(&mut self) -> Result<u64, Stop> {
        let first = *self.bytes.get(self.position).ok_or(Stop::Short)?;
        if first < 0x80 {
            self.position += 1;
            return Ok(first.into());
        }
        let tail = self
            .bytes
            .get(self.position + 1..)
            .and_then(|rest| rest.first_chunk());
        match tail {
            Some(tail) => {
                let (value, extra) = uvint_of(first, *tail);
                self.position += 1 + extra;
                Ok(value)
            }
            None => self.uvint_at_the_end(),
        }
    }

    #[inline]
    fn skip(&mut self, len: u64) -> Result<(), Stop> {
        if len > self.remaining() as u64 {
            return Err(Stop::Short);
        }
        // It is at most what remains in memory.
        self.position += len as usize;
        Ok(())
    }

    #[inline]
    fn copy(&mut self, len: u64, out: &mut Vec<u8>) -> Result<(), Stop> {
        let taken = self.take(usize::try_from(len).map_err(|_| Stop::Short)?)?;
        out.extend_from_slice(taken);
        Ok(())
    }
}

/// An input of the next `left` bytes of a window, of any number.
pub(crate) struct Stream<'w, R> {
    component: &'static str,
    window: &'w mut Window<R>,
    left: u64,
}

impl<'w, R: Read> Stream<'w, R> {
    pub(crate) fn new(component: &'static str, window: &'w mut Window<R>, left: u64) -> Self {
        Self {
            component,
            window,
            left,
        }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Input for Stream<'_, R> {
    fn component(&self) -> &'static str {
        self.component
    }

    fn offset(&self) -> u64 {
        self.window.offset()
    }

    fn u8(&mut self) -> Result<u8, Stop> {
        let byte = *self.window.fill(1)?.first().ok_or(Stop::Short)?;
        self.skip(1)?;
        Ok(byte)
    }

    fn uvint(&mut self) -> Result<u64, Stop> {
        let (value, len) = bytes::uvint(self.window.fill(9)?).ok_or(Stop::Short)?;
        self.skip(len as u64)?;
        Ok(value)
    }

    fn skip(&mut self, len: u64) -> Result<(), Stop> {
        let left = self.left.checked_sub(len).ok_or(Stop::Short)?;
        let skipped = self.window.skip(len)?;
        self.left -= skipped;
        if self.left != left {
            return Err(Stop::Short);
        }
        Ok(())
    }

    fn copy(&mut self, len: u64, out: &mut Vec<u8>) -> Result<(), Stop> {
        let mut missing = len;
        while missing > 0 {
            let bytes = self.window.fill(1)?;
            let step = missing.min(bytes.len() as u64);
            out.extend_from_slice(&bytes[..step as usize]);
            if step == 0 {
                return Err(Stop::Short);
            }
            self.skip(step)?;
            missing -= step;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::put_uvint_padded;

    #[test]
    fn integers_in_memory_and_streamed_are_those_that_were_written() {
        let mut written = Vec::new();
        let mut values = Vec::new();
        for bit in 0..64 {
            for len in 1..=9 {
                let value = 1_u64 << bit;
                if len < 9 && value >= 1 << (7 * len) {
                    continue;
                }
                put_uvint_padded(&mut written, value, len);
                values.push(value);
            }
        }
        let mut at_hand = Bytes::new("Data.db", &written, 0);
        let mut window = Window::with_len("Data.db", written.as_slice(), 0, 16);
        let mut stream = Stream::new("Data.db", &mut window, written.len() as u64);
        for value in values {
            assert_eq!(at_hand.uvint().ok(), Some(value));
            assert_eq!(stream.uvint().ok(), Some(value));
        }
        assert!(matches!(at_hand.uvint(), Err(Stop::Short)));
        assert!(matches!(stream.uvint(), Err(Stop::Short)));
    }
}
