//! Chooses a node's type by how far its children are, and encodes it.

use super::node::{Shape, TYPES, distances_len};

/// The greatest distance that is written: an index of a tebibyte.
pub(super) const FARTHEST: u64 = (1 << 40) - 1;

/// By the bits that the farthest child needs: the types for one child, for few, for many.
const CHOICES: [(u32, [u8; 3]); 7] = [
    (4, [1, 5, 10]),
    (8, [2, 5, 10]),
    (12, [3, 6, 10]),
    (16, [4, 7, 11]),
    (24, [12, 8, 12]),
    (32, [13, 9, 13]),
    (40, [14, 9, 14]),
];

/// What the type of a node depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Children {
    pub(super) count: usize,
    pub(super) first: u8,
    pub(super) last: u8,
    /// The distance of the farthest one.
    pub(super) farthest: u64,
}

impl Children {
    /// `None` if there are none.
    pub(super) fn new(labels: impl Iterator<Item = (u8, u64)>) -> Option<Self> {
        labels.fold(None, |children, (label, distance)| {
            let before = children.unwrap_or(Self {
                count: 0,
                first: label,
                last: label,
                farthest: 0,
            });
            Some(Self {
                count: before.count + 1,
                last: label,
                farthest: before.farthest.max(distance),
                ..before
            })
        })
    }

    fn len(&self, kind: u8) -> usize {
        let (shape, bits) = TYPES[usize::from(kind & 0xf)];
        let span = usize::from(self.last.saturating_sub(self.first)) + 1;
        match shape {
            Shape::PayloadOnly => 1,
            // Four bits share the byte of the type.
            Shape::Single => 1 + (4 + bits as usize) / 8 + usize::from(bits % 8 == 0),
            Shape::Sparse => 2 + self.count + distances_len(self.count, bits),
            Shape::Dense => 3 + distances_len(span, bits),
        }
    }
}

/// The type for a node and its length without the payload.
pub(super) fn choose(children: Option<Children>, has_payload: bool) -> (u8, usize) {
    let Some(children) = children else {
        return (0, 1);
    };
    let mut choice = CHOICES
        .iter()
        .position(|(bits, _)| children.farthest < 1 << bits)
        .unwrap_or(CHOICES.len() - 1);
    let shares_bits = matches!(choice, 0 | 2);
    if children.count == 1 && has_payload && shares_bits {
        choice += 1;
    }
    let [single, sparse, dense] = CHOICES[choice].1;
    let kind = match children.count {
        1 => single,
        _ if children.len(sparse) < children.len(dense) => sparse,
        _ => dense,
    };
    (kind, children.len(kind))
}

/// Encodes a node without its payload. `children` are labels with distances, in order.
pub(super) fn encode(out: &mut Vec<u8>, kind: u8, payload_bits: u8, children: &[(u8, u64)]) {
    let (shape, bits) = TYPES[usize::from(kind & 0xf)];
    let head = kind << 4;
    match (shape, children) {
        (Shape::Single, [(label, distance)]) => match bits {
            4 => out.extend([head | *distance as u8, *label]),
            12 => out.extend([head | (distance >> 8) as u8, *distance as u8, *label]),
            _ => {
                out.extend([head | payload_bits, *label]);
                put_distances(out, [*distance].into_iter(), bits);
            }
        },
        (Shape::Sparse, _) => {
            out.extend([head | payload_bits, children.len() as u8]);
            out.extend(children.iter().map(|(label, _)| *label));
            put_distances(out, children.iter().map(|(_, distance)| *distance), bits);
        }
        (Shape::Dense, [(first, _), ..]) => {
            let last = children.last().map_or(*first, |(label, _)| *label);
            out.extend([head | payload_bits, *first, last.saturating_sub(*first)]);
            let mut rest = children.iter().peekable();
            let all = (*first..=last).map(|label| {
                rest.next_if(|(next, _)| *next == label)
                    .map_or(0, |(_, distance)| *distance)
            });
            put_distances(out, all, bits);
        }
        _ => out.push(payload_bits),
    }
}

/// Distances one behind the other, without gaps between those of 12 bits; a last half byte is zero.
fn put_distances(out: &mut Vec<u8>, distances: impl Iterator<Item = u64>, bits: u32) {
    let mut half = None;
    for distance in distances {
        if bits != 12 {
            let bytes = distance.to_be_bytes();
            out.extend_from_slice(&bytes[8 - bits as usize / 8..]);
            continue;
        }
        half = match half {
            None => {
                out.push((distance >> 4) as u8);
                Some((distance << 4) as u8)
            }
            Some(high) => {
                out.extend([high | (distance >> 8) as u8, distance as u8]);
                None
            }
        };
    }
    out.extend(half);
}

#[cfg(test)]
mod tests {
    use super::super::node::Node;
    use super::*;

    /// Children at these labels and distances: the type that is chosen, and that it reads back.
    #[track_caller]
    fn check(children: &[(u8, u64)], payload_bits: u8, expected: u8) {
        let facts = Children::new(children.iter().copied());
        let (kind, len) = choose(facts, payload_bits != 0);
        assert_eq!(kind, expected, "{children:?}");
        let mut bytes = Vec::new();
        encode(&mut bytes, kind, payload_bits, children);
        assert_eq!(bytes.len(), len, "{children:?}");
        let position = 1 << 41;
        let node = Node::read(&bytes, position).expect("a node");
        assert_eq!((node.payload_bits, node.len()), (payload_bits, len));
        let read: Vec<(u8, u64)> = (0..node.slots)
            .filter_map(|slot| node.child(&bytes, slot).expect("a child"))
            .map(|(label, child)| (label, position - child))
            .collect();
        assert_eq!(read, children);
        for short in 0..len {
            Node::read(&bytes[..short], position).expect_err("a node that is cut off");
        }
    }

    #[test]
    fn every_node_type_is_chosen_for_its_distances_and_reads_back() {
        check(&[], 3, 0);
        check(&[(7, 15)], 0, 1);
        check(&[(7, 15)], 9, 2);
        check(&[(7, 16)], 0, 2);
        check(&[(7, 256)], 0, 3);
        check(&[(7, 256)], 1, 4);
        check(&[(7, 0x1000)], 0, 4);
        check(&[(7, 0x1_0000)], 2, 12);
        check(&[(7, 0x100_0000)], 0, 13);
        check(&[(7, 0x1_0000_0000)], 0, 14);
        check(&[(0, 9), (255, 200)], 15, 5);
        check(&[(0, 9), (100, 0xabc), (255, 0xdef)], 0, 6);
        check(&[(0, 9), (100, 0x1abc)], 0, 7);
        check(&[(0, 9), (100, 0x1_0000)], 0, 8);
        check(&[(0, 9), (100, 0x100_0000)], 0, 9);
        check(&[(0, 9), (100, FARTHEST)], 0, 9);
        check(&[(4, 9), (5, 3), (6, 1)], 4, 10);
        check(&[(4, 0x109), (5, 3), (6, 1), (8, 2)], 0, 10);
        check(&[(4, 9), (5, 3), (6, 0x1000)], 4, 11);
        check(&[(4, 9), (5, 3), (6, 0x1_0000)], 0, 12);
        check(&[(4, 9), (5, 3), (6, 0x100_0000)], 0, 13);
        check(&[(4, 9), (5, 3), (6, 0x1_0000_0000)], 0, 14);
    }
}
