//! Walks a stored trie in the order of its keys, with memory for the path only.

use super::node::Node;
use super::pages::Pages;
use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;

/// No key is as long: partition keys have up to 65,535 bytes, at most twice as many when encoded.
const MAX_DEPTH: usize = 1 << 20;

struct Frame {
    node: Node,
    next: u16,
}

/// A node with a payload.
#[derive(Debug)]
pub struct Leaf<'w> {
    /// The labels from the root to it: the bytes of the key, or a prefix that distinguishes it from all others.
    pub path: &'w [u8],
    /// The offset of the node in the component.
    pub position: u64,
    /// The four bits beside the node's type; not 0.
    pub payload_bits: u8,
    /// The bytes from the payload to the end of the page: only the payload itself shows its length.
    pub payload: &'w [u8],
    /// Offset of `payload` in the component.
    pub payload_position: u64,
}

/// What the walk has to do before it goes on.
enum Start {
    All,
    From(Vec<u8>),
    /// The path is this many bytes of the bound, and its leaf was returned.
    Along(Vec<u8>, usize),
}

/// All nodes with payload below a root, in the order of their paths.
pub struct TrieWalk<'a> {
    pages: Pages<'a>,
    root: u64,
    start: Option<Start>,
    stack: Vec<Frame>,
    path: Vec<u8>,
    lowest: u64,
    /// A trie has at most a node for each byte; more visits mean that nodes are reached twice.
    visits: u64,
}

impl<'a> TrieWalk<'a> {
    /// A walk from the root node at `root`; all nodes are before `end`.
    pub fn new(component: &'static str, source: &'a dyn ReadAt, root: u64, end: u64) -> Self {
        Self {
            pages: Pages::new(component, source, end),
            root,
            start: Some(Start::All),
            stack: Vec::new(),
            path: Vec::new(),
            lowest: root,
            visits: root.saturating_add(1),
        }
    }

    /// Begins with the first leaf whose path is not below `bound`. A path that is a prefix of `bound` may belong to a
    /// key on either side, and counts as not below.
    pub fn from(mut self, bound: &[u8]) -> Self {
        self.start = Some(Start::From(bound.to_vec()));
        self
    }

    /// The lowest offset of all nodes that were visited.
    pub fn lowest(&self) -> u64 {
        self.lowest
    }

    fn damage(&self, position: u64, what: impl Into<String>) -> Error {
        Damage::at(self.pages.component(), position, what).into()
    }

    /// The next leaf, or `None` at the end. An error ends the walk.
    #[allow(clippy::should_implement_trait)] // The leaf borrows from the walk.
    pub fn next(&mut self) -> Result<Option<Leaf<'_>>> {
        let mut found = match self.start.take() {
            None => false,
            Some(Start::All) => self.push(self.root)?,
            Some(Start::From(bound)) => {
                if self.push(self.root)? {
                    self.pause(bound, 0)
                } else {
                    self.seek(bound, 0)?
                }
            }
            Some(Start::Along(bound, matched)) => self.seek(bound, matched)?,
        };
        while !found {
            let Some(frame) = self.stack.last_mut() else {
                return Ok(None);
            };
            if frame.next >= frame.node.slots {
                self.stack.pop();
                self.path.pop();
                continue;
            }
            let (node, slot) = (frame.node, frame.next);
            frame.next += 1;
            found = match self.child(&node, slot)? {
                Some((label, child)) => self.descend(label, child)?,
                None => false,
            };
        }
        self.leaf().map(Some)
    }

    fn descend(&mut self, label: u8, child: u64) -> Result<bool> {
        self.path.push(label);
        self.push(child)
    }

    /// Steps onto a node; returns whether it has a payload.
    fn push(&mut self, position: u64) -> Result<bool> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.damage(position, format!("the trie is deeper than {MAX_DEPTH}")));
        }
        self.visits = self
            .visits
            .checked_sub(1)
            .ok_or_else(|| self.damage(position, "nodes of the trie are reached more than once"))?;
        let bytes = self.pages.from(position)?;
        let node = Node::read(bytes, position).map_err(|what| self.damage(position, what))?;
        if node.slots == 0 && node.payload_bits == 0 && !self.stack.is_empty() {
            return Err(self.damage(position, "a node has neither children nor payload"));
        }
        self.lowest = self.lowest.min(position);
        self.stack.push(Frame { node, next: 0 });
        Ok(node.payload_bits != 0)
    }

    fn child(&mut self, node: &Node, slot: u16) -> Result<Option<(u8, u64)>> {
        let bytes = self.pages.from(node.position)?;
        node.child(bytes, slot)
            .map_err(|what| self.damage(node.position, what))
    }

    /// Descends along `bound` as far as possible; returns whether the walk is on a leaf then.
    fn seek(&mut self, bound: Vec<u8>, mut matched: usize) -> Result<bool> {
        while let (Some(frame), Some(byte)) = (self.stack.last(), bound.get(matched)) {
            let node = frame.node;
            let slot = node.slot_from(self.pages.from(node.position)?, *byte);
            let child = if slot < node.slots {
                self.child(&node, slot)?
            } else {
                None
            };
            let exact = child.filter(|(label, _)| label == byte);
            if let Some(frame) = self.stack.last_mut() {
                frame.next = slot + u16::from(exact.is_some());
            }
            let Some((label, child)) = exact else {
                return Ok(false);
            };
            matched += 1;
            if self.descend(label, child)? {
                return Ok(self.pause(bound, matched));
            }
        }
        Ok(false)
    }

    /// A prefix of the bound is a leaf; the trie may go on along the bound below it.
    fn pause(&mut self, bound: Vec<u8>, matched: usize) -> bool {
        self.start = Some(Start::Along(bound, matched));
        true
    }

    fn leaf(&mut self) -> Result<Leaf<'_>> {
        let node = self
            .stack
            .last()
            .map(|frame| frame.node)
            .expect("a leaf was just stepped onto");
        let payload = self.pages.from(node.position)?;
        Ok(Leaf {
            path: &self.path,
            position: node.position,
            payload_bits: node.payload_bits,
            payload: payload.get(node.len()..).unwrap_or(&[]),
            payload_position: node.position + node.len() as u64,
        })
    }
}
