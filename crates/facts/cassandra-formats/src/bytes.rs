//! Reading and writing Cassandra's primitive encodings in memory. All integers are big-endian.

use std::borrow::Cow;

use crate::error::Damage;

/// Reads one component's bytes from front to back; each failure names the component and the offset in it.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    component: &'static str,
    bytes: &'a [u8],
    /// Where `bytes` begins in the component.
    base: u64,
    position: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(component: &'static str, bytes: &'a [u8]) -> Self {
        Self::at(component, bytes, 0)
    }

    /// For bytes that were read from a component at offset `base`.
    pub fn at(component: &'static str, bytes: &'a [u8], base: u64) -> Self {
        Self {
            component,
            bytes,
            base,
            position: 0,
        }
    }

    /// Offset in the component of the next byte.
    pub fn offset(&self) -> u64 {
        self.base + self.position as u64
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.position
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The bytes that were not read yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// Damage at the next byte.
    pub fn damage(&self, what: impl Into<String>) -> Damage {
        Damage::at(Cow::Borrowed(self.component), self.offset(), what)
    }

    pub fn take(&mut self, len: usize, of: &str) -> Result<&'a [u8], Damage> {
        if len > self.remaining() {
            return Err(self.damage(format!(
                "{of} needs {len} bytes, {} are left",
                self.remaining()
            )));
        }
        let taken = &self.bytes[self.position..self.position + len];
        self.position += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, of: &str) -> Result<[u8; N], Damage> {
        let taken = self.take(N, of)?;
        let mut array = [0; N];
        array.copy_from_slice(taken);
        Ok(array)
    }

    pub fn u8(&mut self, of: &str) -> Result<u8, Damage> {
        Ok(self.array::<1>(of)?[0])
    }

    pub fn u16(&mut self, of: &str) -> Result<u16, Damage> {
        Ok(u16::from_be_bytes(self.array(of)?))
    }

    pub fn u32(&mut self, of: &str) -> Result<u32, Damage> {
        Ok(u32::from_be_bytes(self.array(of)?))
    }

    pub fn i32(&mut self, of: &str) -> Result<i32, Damage> {
        Ok(i32::from_be_bytes(self.array(of)?))
    }

    pub fn i64(&mut self, of: &str) -> Result<i64, Damage> {
        Ok(i64::from_be_bytes(self.array(of)?))
    }

    pub fn f64(&mut self, of: &str) -> Result<f64, Damage> {
        Ok(f64::from_be_bytes(self.array(of)?))
    }

    /// A byte that Java wrote as a boolean.
    pub fn bool(&mut self, of: &str) -> Result<bool, Damage> {
        let start = self.clone();
        match self.u8(of)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(start.damage(format!("{of} is {other}, expected 0 or 1"))),
        }
    }

    /// A count that Java wrote as an int: not negative, and each of its items needs at least `item_min` bytes.
    pub fn count(&mut self, item_min: usize, of: &str) -> Result<usize, Damage> {
        let start = self.clone();
        let count = self.i32(of)?;
        match usize::try_from(count) {
            Ok(n) if n.saturating_mul(item_min.max(1)) <= self.remaining() => Ok(n),
            _ => Err(start.damage(format!(
                "{count} {of} cannot be in the {} bytes that are left",
                self.remaining()
            ))),
        }
    }

    /// An unsigned variable-length integer: the leading one-bits of the first byte count the bytes that follow it.
    pub fn uvint(&mut self, of: &str) -> Result<u64, Damage> {
        let start = self.clone();
        match uvint(self.rest()) {
            Some((value, len)) => {
                self.position += len;
                Ok(value)
            }
            None => Err(start.damage(format!("{of} ends within a variable-length integer"))),
        }
    }

    /// A signed variable-length integer, zigzag.
    pub fn vint(&mut self, of: &str) -> Result<i64, Damage> {
        Ok(zigzag_decode(self.uvint(of)?))
    }

    /// A variable-length integer that is a length or a count of items of at least `item_min` bytes.
    pub fn uvint_count(&mut self, item_min: usize, of: &str) -> Result<usize, Damage> {
        let start = self.clone();
        let count = self.uvint(of)?;
        match usize::try_from(count) {
            Ok(n) if n.saturating_mul(item_min.max(1)) <= self.remaining() => Ok(n),
            _ => Err(start.damage(format!(
                "{count} {of} cannot be in the {} bytes that are left",
                self.remaining()
            ))),
        }
    }

    /// Bytes behind a variable-length length.
    pub fn vint_bytes(&mut self, of: &str) -> Result<&'a [u8], Damage> {
        let len = self.uvint_count(1, of)?;
        self.take(len, of)
    }

    /// Bytes behind a two-byte length.
    pub fn u16_bytes(&mut self, of: &str) -> Result<&'a [u8], Damage> {
        let len = self.u16(of)?;
        self.take(len.into(), of)
    }

    /// Bytes behind a four-byte length.
    pub fn i32_bytes(&mut self, of: &str) -> Result<&'a [u8], Damage> {
        let len = self.count(1, of)?;
        self.take(len, of)
    }

    /// Java's `writeUTF`. Names that Cassandra writes with it are ASCII, for which the modified encoding is the plain
    /// one.
    pub fn utf(&mut self, of: &str) -> Result<String, Damage> {
        let start = self.clone();
        let bytes = self.u16_bytes(of)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| start.damage(format!("{of} is not text")))
    }

    /// Fails unless all bytes have been read.
    pub fn finish(&self, of: &str) -> Result<(), Damage> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.damage(format!(
            "{} bytes are left behind the end of {of}",
            self.remaining()
        )))
    }
}

/// An unsigned variable-length integer at the front of `bytes`, and its length; `None` if the bytes end within it.
pub fn uvint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((first.into(), 1));
    }
    let extra = first.leading_ones() as usize;
    let tail = bytes.get(1..=extra)?;
    // Eight extra bytes leave no bits of the first one.
    let head = u64::from(first) & (0xff_u64 >> extra.min(8)) & 0x7f;
    let value = tail
        .iter()
        .fold(head, |value, byte| (value << 8) | u64::from(*byte));
    Some((value, extra + 1))
}

pub fn zigzag_decode(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
pub fn zigzag_encode(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// How many bytes [`put_uvint`] writes.
pub fn uvint_len(value: u64) -> usize {
    match value.leading_zeros() {
        zeros @ 1.. => ((64 - zeros.min(63)) as usize).div_ceil(7),
        0 => 9,
    }
    .clamp(1, 9)
}

pub fn put_uvint(out: &mut Vec<u8>, value: u64) {
    put_uvint_padded(out, value, uvint_len(value));
}

/// Writes in exactly `len` bytes (1 to 9), more than needed if asked to: readers take the length from the first byte.
pub fn put_uvint_padded(out: &mut Vec<u8>, value: u64, len: usize) {
    let extra = len - 1;
    let bytes = value.to_be_bytes();
    if extra == 8 {
        out.push(0xff);
        out.extend_from_slice(&bytes);
        return;
    }
    let prefix = !(0xff_u8 >> extra);
    out.push(prefix | bytes[7 - extra]);
    out.extend_from_slice(&bytes[8 - extra..]);
}

pub fn put_vint_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uvint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_integers_come_back_in_the_shortest_form() {
        let edges = (0..64).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1]
        });
        for value in edges.chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put_uvint(&mut bytes, value);
            assert_eq!(uvint(&bytes), Some((value, bytes.len())), "{value:#x}");
            // One byte fewer holds seven bits fewer.
            if bytes.len() < 9 {
                assert!(value < 1 << (7 * bytes.len()), "{value:#x}");
            }
            if bytes.len() > 1 {
                assert!(value >= 1 << (7 * (bytes.len() - 1)), "{value:#x}");
            }
            for len in bytes.len()..=9 {
                let mut padded = Vec::new();
                put_uvint_padded(&mut padded, value, len);
                assert_eq!(uvint(&padded), Some((value, len)), "{value:#x} in {len}");
            }
            assert_eq!(uvint(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn signed_integers_zigzag_around_zero() {
        let decoded: Vec<i64> = (0..5).map(zigzag_decode).collect();
        assert_eq!(decoded, [0, -1, 1, -2, 2]);
        assert_eq!(zigzag_decode(u64::MAX), i64::MIN);
    }

    #[test]
    fn a_count_that_cannot_fit_is_damage_and_not_an_allocation() {
        let bytes = [0x7f, 0xff, 0xff, 0xff, 0];
        let damage = Cursor::at("Statistics.db", &bytes, 100)
            .count(8, "entries")
            .expect_err("one byte is left");
        assert_eq!(damage.offset, Some(100));
        assert_eq!(damage.component, "Statistics.db");
    }
}
