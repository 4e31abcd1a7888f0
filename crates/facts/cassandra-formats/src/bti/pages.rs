//! A cache of a few pages of a component: a trie's nodes lie together in pages, and no node crosses a page.

use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;

/// The size of the pages that Cassandra packs nodes into, independent of the disk.
pub(super) const PAGE: u64 = 4096;

/// A walk returns to the pages of the nodes above it, which are few.
const CACHED: usize = 16;

struct Page {
    start: u64,
    bytes: Vec<u8>,
}

pub(super) struct Pages<'a> {
    component: &'static str,
    source: &'a dyn ReadAt,
    /// The end of the trie.
    end: u64,
    /// The most recently used one first.
    cached: Vec<Page>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(component: &'static str, source: &'a dyn ReadAt, end: u64) -> Self {
        Self {
            component,
            end: end.min(source.len()),
            source,
            cached: Vec::new(),
        }
    }

    pub(super) fn component(&self) -> &'static str {
        self.component
    }

    /// The bytes from `position` to the end of its page, or of the trie.
    pub(super) fn from(&mut self, position: u64) -> Result<&[u8]> {
        let start = position - position % PAGE;
        match self.cached.iter().position(|page| page.start == start) {
            Some(0) => {}
            Some(found) => {
                if let Some(used) = self.cached.get_mut(..=found) {
                    used.rotate_right(1);
                }
            }
            None => self.load(position, start)?,
        }
        let page = self.cached.first().map_or(&[][..], |page| &page.bytes);
        let within = usize::try_from(position - start).unwrap_or(usize::MAX);
        match page.get(within..) {
            Some(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(self.behind_the_end(position)),
        }
    }

    fn load(&mut self, position: u64, start: u64) -> Result<()> {
        if position >= self.end {
            return Err(self.behind_the_end(position));
        }
        let mut bytes = match self.cached.len() {
            CACHED => self.cached.pop().map_or_else(Vec::new, |page| page.bytes),
            _ => Vec::new(),
        };
        // At most a page, which fits any usize.
        bytes.resize((self.end - start).min(PAGE) as usize, 0);
        self.source
            .read_exact_at(start, &mut bytes)
            .map_err(|error| Error::read(self.component, error))?;
        self.cached.insert(0, Page { start, bytes });
        Ok(())
    }

    fn behind_the_end(&self, position: u64) -> Error {
        Damage::at(
            self.component,
            position,
            format!("a node is expected here, and the trie ends at {}", self.end),
        )
        .into()
    }
}
