//! A window that slides over a component which is too large for memory.

use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;

/// The length of the window: many thousand offsets or checksums, and still little beside a chunk.
const WINDOW: u64 = 64 * 1024;

pub(crate) struct ReadAhead {
    component: &'static str,
    source: Box<dyn ReadAt>,
    start: u64,
    bytes: Vec<u8>,
}

impl ReadAhead {
    pub(crate) fn new(component: &'static str, source: Box<dyn ReadAt>) -> Self {
        Self {
            component,
            source,
            start: 0,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.source.len()
    }

    /// `len` bytes at `offset`. The bytes behind them are read too, so that going forward is cheap.
    pub(crate) fn get(&mut self, offset: u64, len: usize) -> Result<&[u8]> {
        if self.held(offset, len).is_none() {
            self.load(offset, len)?;
        }
        Ok(self.held(offset, len).expect("it was loaded"))
    }

    fn held(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(len)?)
    }

    fn load(&mut self, offset: u64, len: usize) -> Result<()> {
        let left = self.len().saturating_sub(offset);
        if (len as u64) > left {
            let what = format!("{len} bytes are needed, {left} are left");
            return Err(Damage::at(self.component, offset, what).into());
        }
        let wanted = left.min(WINDOW.max(len as u64));
        // The window counts as empty while its bytes may be partly replaced.
        self.bytes.clear();
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.resize(wanted as usize, 0);
        self.source
            .read_exact_at(offset, &mut bytes)
            .map_err(|source| Error::read(self.component, source))?;
        (self.start, self.bytes) = (offset, bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_gives_the_bytes_of_any_place_in_any_order() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let mut window = ReadAhead::new("CRC.db", Box::new(bytes.clone()));
        for offset in [0, 8, 65_530, 131_072, 4, 199_992, 65_536, 3] {
            let found = window.get(offset as u64, 8).expect("inside");
            assert_eq!(found, &bytes[offset..offset + 8], "{offset}");
        }
    }

    #[test]
    fn what_lies_behind_the_end_is_damage() {
        let mut window = ReadAhead::new("CRC.db", Box::new(vec![0; 10]));
        for (offset, len) in [(3, 8), (10, 1), (u64::MAX, 1), (0, usize::MAX)] {
            let error = window.get(offset, len).expect_err("outside");
            assert!(matches!(error, Error::Damaged(_)), "{offset} {len}");
        }
    }
}
