//! A branch of a trie whose keys are complete and whose place in the file is not known yet.

use super::node_writer::{Children, FARTHEST, choose, encode};

/// A child of a node: written, or still to be.
pub(super) enum Kept {
    Placed(u64),
    Branch(Branch),
}

/// A part of a branch. A piece's root is its last node.
enum Piece {
    /// Nodes whose children are all among them: the bytes are the same wherever they are put.
    Bytes { bytes: Vec<u8>, root: usize },
    /// A node with children that are written or in pieces before it: its type depends on its place.
    Far(FarNode),
}

struct FarNode {
    payload_bits: u8,
    payload: Vec<u8>,
    children: Vec<(u8, Link)>,
}

enum Link {
    /// Written at that position.
    Placed(u64),
    /// The root of the piece so many before this one.
    Back(usize),
}

pub(super) struct Branch {
    pieces: Vec<Piece>,
    /// The most bytes that it needs at any position.
    bound: usize,
}

impl Branch {
    /// The most bytes that a node with its branches needs at any position.
    pub(super) fn bound_of(children: &[(u8, Kept)], payload_len: usize) -> usize {
        let bounds = children.iter().map(|(_, kept)| match kept {
            Kept::Placed(_) => 0,
            Kept::Branch(branch) => branch.bound,
        });
        let below: usize = bounds.sum();
        let is_near = near(children);
        let farthest = if is_near { below as u64 } else { FARTHEST };
        let facts = Children::new(children.iter().map(|(label, _)| (*label, farthest)));
        below + choose(facts, payload_len > 0).1 + payload_len
    }

    pub(super) fn new(children: Vec<(u8, Kept)>, payload_bits: u8, payload: &[u8]) -> Self {
        let bound = Self::bound_of(&children, payload.len());
        if near(&children) {
            Self::near(children, payload_bits, payload)
        } else {
            Self::far(children, payload_bits, payload, bound)
        }
    }

    /// All children are bytes: so is their parent.
    fn near(children: Vec<(u8, Kept)>, payload_bits: u8, payload: &[u8]) -> Self {
        let mut all = Vec::new();
        let mut roots = Vec::with_capacity(children.len());
        for (label, kept) in children {
            let Kept::Branch(branch) = kept else { continue };
            for piece in branch.pieces {
                let Piece::Bytes { bytes, root } = piece else {
                    continue;
                };
                roots.push((label, all.len() + root));
                if all.is_empty() {
                    all = bytes
                } else {
                    all.extend_from_slice(&bytes)
                }
            }
        }
        let root = all.len();
        let links: Vec<(u8, u64)> = roots
            .into_iter()
            .map(|(label, child)| (label, (root - child) as u64))
            .collect();
        put_node(&mut all, payload_bits, payload, &links);
        Self {
            bound: all.len(),
            pieces: vec![Piece::Bytes { bytes: all, root }],
        }
    }

    fn far(children: Vec<(u8, Kept)>, payload_bits: u8, payload: &[u8], bound: usize) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut links = Vec::with_capacity(children.len());
        for (label, kept) in children {
            match kept {
                Kept::Placed(position) => links.push((label, Link::Placed(position))),
                Kept::Branch(branch) => {
                    if pieces.is_empty() {
                        pieces = branch.pieces
                    } else {
                        pieces.extend(branch.pieces)
                    }
                    // The index of its root, until it is known how many pieces follow.
                    links.push((label, Link::Back(pieces.len() - 1)));
                }
            }
        }
        let here = pieces.len();
        for (_, link) in &mut links {
            if let Link::Back(index) = link {
                *index = here - *index;
            }
        }
        pieces.push(Piece::Far(FarNode {
            payload_bits,
            payload: payload.to_vec(),
            children: links,
        }));
        Self { pieces, bound }
    }

    /// How many bytes it needs at `start`.
    pub(super) fn len_at(&self, start: u64) -> usize {
        if let [Piece::Bytes { bytes, .. }] = self.pieces.as_slice() {
            return bytes.len();
        }
        let mut roots = Vec::with_capacity(self.pieces.len());
        let end = self.pieces.iter().fold(start, |at, piece| match piece {
            Piece::Bytes { bytes, root } => {
                roots.push(at + *root as u64);
                at + bytes.len() as u64
            }
            Piece::Far(node) => {
                let facts = Children::new(node.distances(&roots, at));
                roots.push(at);
                let len = choose(facts, node.payload_bits != 0).1 + node.payload.len();
                at + len as u64
            }
        });
        (end - start) as usize
    }

    /// Its bytes at `start`, and the position of its root; `None` if a child is too far away.
    pub(super) fn encode(&self, start: u64) -> Option<(Vec<u8>, u64)> {
        let mut all = Vec::new();
        let mut roots = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let at = start + all.len() as u64;
            match piece {
                Piece::Bytes { bytes, root } => {
                    roots.push(at + *root as u64);
                    all.extend_from_slice(bytes);
                }
                Piece::Far(node) => {
                    let children: Vec<(u8, u64)> = node.distances(&roots, at).collect();
                    if children.iter().any(|(_, distance)| *distance > FARTHEST) {
                        return None;
                    }
                    put_node(&mut all, node.payload_bits, &node.payload, &children);
                    roots.push(at);
                }
            }
        }
        roots.pop().map(|root| (all, root))
    }
}

impl FarNode {
    /// Labels with distances, if the node is at `at` and the pieces before it have these roots.
    fn distances(&self, roots: &[u64], at: u64) -> impl Iterator<Item = (u8, u64)> {
        self.children.iter().map(move |(label, link)| {
            let child = match link {
                Link::Placed(position) => *position,
                Link::Back(back) => roots[roots.len() - back],
            };
            (*label, at - child)
        })
    }
}

/// Whether all children are position-independent bytes.
fn near(children: &[(u8, Kept)]) -> bool {
    children.iter().all(|(_, kept)| match kept {
        Kept::Placed(_) => false,
        Kept::Branch(branch) => matches!(branch.pieces.as_slice(), [Piece::Bytes { .. }]),
    })
}

fn put_node(out: &mut Vec<u8>, payload_bits: u8, payload: &[u8], children: &[(u8, u64)]) {
    let facts = Children::new(children.iter().copied());
    let (kind, _) = choose(facts, payload_bits != 0);
    encode(out, kind, payload_bits, children);
    out.extend_from_slice(payload);
}
