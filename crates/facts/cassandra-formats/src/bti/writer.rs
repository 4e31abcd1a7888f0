//! Writes a trie as its keys come, children before parents, so that no node crosses the end of a page.
//!
//! A branch whose keys are complete is kept until the branch above it outgrows a page; then its branches are written,
//! packed into pages, the largest that still fits first. Memory is bounded by the pages of the branches beside the
//! path of the last key.

use std::io::{self, Write};

use super::branch::{Branch, Kept};
use super::pages::PAGE;
use crate::error::{Error, Result};

/// A payload must fit a page beside the largest node.
const PAYLOAD_MAX: usize = 1024;

/// A node on the path of the last key.
#[derive(Default)]
struct Open {
    label: u8,
    payload_bits: u8,
    payload: Vec<u8>,
    children: Vec<(u8, Kept)>,
}

/// The output, with the position in the file.
struct Pager<W> {
    component: &'static str,
    out: W,
    position: u64,
}

/// Writes one trie. Memory is bounded by the pages beside the path of the last key.
pub struct TrieWriter<W> {
    pager: Pager<W>,
    /// The root first.
    path: Vec<Open>,
    last: Vec<u8>,
    count: u64,
}

impl<W: Write> TrieWriter<W> {
    /// Writes to `out`, which must be at the component's beginning.
    pub fn new(component: &'static str, out: W) -> Self {
        Self {
            pager: Pager {
                component,
                out,
                position: 0,
            },
            path: vec![Open::default()],
            last: Vec::new(),
            count: 0,
        }
    }

    /// For output that is already at `position` of the component.
    pub fn at(mut self, position: u64) -> Self {
        self.pager.position = position;
        self
    }

    /// How many keys were pushed.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a key, which must be above all before it, with a payload: four bits that are not 0, and bytes.
    pub fn push(&mut self, key: &[u8], payload_bits: u8, payload: &[u8]) -> Result<()> {
        if self.count > 0 && key <= self.last.as_slice() {
            return Err(self.pager.refuse("the keys of a trie do not ascend"));
        }
        if payload_bits == 0 || payload_bits > 0xf || payload.len() > PAYLOAD_MAX {
            return Err(self.pager.refuse("a payload does not fit a node"));
        }
        let shared = key
            .iter()
            .zip(&self.last)
            .take_while(|(a, b)| a == b)
            .count();
        while self.path.len() > shared + 1 {
            self.complete_last()?;
        }
        for label in key.get(shared..).unwrap_or(&[]) {
            self.path.push(Open {
                label: *label,
                ..Open::default()
            });
        }
        if let Some(open) = self.path.last_mut() {
            open.payload_bits = payload_bits;
            open.payload = payload.to_vec();
        }
        self.last.truncate(shared);
        self.last
            .extend_from_slice(key.get(shared..).unwrap_or(&[]));
        self.count += 1;
        Ok(())
    }

    fn complete_last(&mut self) -> Result<()> {
        let Some(open) = self.path.pop() else {
            return Ok(());
        };
        let label = open.label;
        let branch = self.complete(open)?;
        if let Some(parent) = self.path.last_mut() {
            parent.children.push((label, Kept::Branch(branch)));
        }
        Ok(())
    }

    fn complete(&mut self, mut open: Open) -> Result<Branch> {
        if Branch::bound_of(&open.children, open.payload.len()) > PAGE as usize {
            self.pager.place(&mut open.children)?;
        }
        Ok(Branch::new(open.children, open.payload_bits, &open.payload))
    }

    /// Writes what was kept. Returns the output, its position and the root's position.
    pub fn finish(mut self) -> Result<(W, u64, u64)> {
        while self.path.len() > 1 {
            self.complete_last()?;
        }
        let open = self.path.pop().unwrap_or_default();
        let mut root = vec![(0, Kept::Branch(self.complete(open)?))];
        self.pager.place(&mut root)?;
        match root.pop() {
            Some((_, Kept::Placed(position))) => {
                Ok((self.pager.out, self.pager.position, position))
            }
            _ => Err(self.pager.refuse("the root of a trie was not placed")),
        }
    }
}

impl<W: Write> Pager<W> {
    fn refuse(&self, what: &str) -> Error {
        Error::Write {
            component: self.component.into(),
            source: io::Error::new(io::ErrorKind::InvalidInput, what),
        }
    }

    fn left_in_page(&self) -> usize {
        (PAGE - self.position % PAGE) as usize
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|source| Error::Write {
            component: self.component.into(),
            source,
        })?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Writes all branches that are not written yet, in an order that leaves little of the pages unused.
    fn place(&mut self, children: &mut [(u8, Kept)]) -> Result<()> {
        // Sizes at the position that the output had; they only grow as it moves on.
        let mut sizes: Vec<(usize, usize)> = children
            .iter()
            .enumerate()
            .filter_map(|(index, (_, kept))| match kept {
                Kept::Branch(branch) => Some((branch.len_at(self.position), index)),
                Kept::Placed(_) => None,
            })
            .collect();
        while !sizes.is_empty() {
            sizes.sort_unstable();
            let left = self.left_in_page();
            let Some(chosen) = sizes
                .partition_point(|(size, _)| *size <= left)
                .checked_sub(1)
            else {
                if self.position.is_multiple_of(PAGE) {
                    return Err(self.refuse("a branch of a trie does not fit a page"));
                }
                self.write(&[0; PAGE as usize][..left])?;
                continue;
            };
            let (_, index) = sizes[chosen];
            let Some((_, Kept::Branch(branch))) = children.get(index) else {
                return Err(self.refuse("a branch of a trie was placed twice"));
            };
            let size = branch.len_at(self.position);
            if size > left {
                sizes[chosen].0 = size;
                continue;
            }
            let (bytes, root) = branch
                .encode(self.position)
                .ok_or_else(|| self.refuse("a trie exceeds a tebibyte"))?;
            self.write(&bytes)?;
            children[index].1 = Kept::Placed(root);
            sizes.remove(chosen);
        }
        Ok(())
    }
}
