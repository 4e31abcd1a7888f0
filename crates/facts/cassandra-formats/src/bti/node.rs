//! One node of a trie as it is stored: its type, where its children are and where its payload begins.

use std::ops::Range;

/// How a node type stores its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    PayloadOnly,
    /// One child. If the distance shares bytes with the type, there is no room for payload bits.
    Single,
    /// A list of labels, then a list of distances.
    Sparse,
    /// Distances of all labels of a range, 0 if there is no child.
    Dense,
}

/// The 16 types: their shape, and how many bits a distance has.
pub(super) const TYPES: [(Shape, u32); 16] = [
    (Shape::PayloadOnly, 0),
    (Shape::Single, 4),
    (Shape::Single, 8),
    (Shape::Single, 12),
    (Shape::Single, 16),
    (Shape::Sparse, 8),
    (Shape::Sparse, 12),
    (Shape::Sparse, 16),
    (Shape::Sparse, 24),
    (Shape::Sparse, 40),
    (Shape::Dense, 12),
    (Shape::Dense, 16),
    (Shape::Dense, 24),
    (Shape::Dense, 32),
    (Shape::Dense, 40),
    (Shape::Dense, 64),
];

/// Bytes of `count` distances of `bits` each.
pub(super) fn distances_len(count: usize, bits: u32) -> usize {
    (count * bits as usize).div_ceil(8)
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) position: u64,
    shape: Shape,
    bits: u32,
    pub(super) payload_bits: u8,
    /// Slots for children; those of dense nodes may be empty.
    pub(super) slots: u16,
    /// The label of a dense node's first slot.
    first: u8,
}

impl Node {
    /// `bytes` are those from the node's position to the end of its page. The error says what is wrong at `position`.
    pub(super) fn read(bytes: &[u8], position: u64) -> Result<Self, String> {
        let byte = |index: usize| {
            bytes
                .get(index)
                .copied()
                .ok_or_else(|| "a node crosses the end of its page".to_owned())
        };
        let head = byte(0)?;
        let (shape, bits) = TYPES[usize::from(head >> 4)];
        let mut node = Self {
            position,
            shape,
            bits,
            payload_bits: head & 0xf,
            slots: 0,
            first: 0,
        };
        match shape {
            Shape::PayloadOnly => {}
            Shape::Single => {
                node.slots = 1;
                if node.shares_bits() {
                    node.payload_bits = 0;
                }
            }
            Shape::Sparse => node.slots = byte(1)?.into(),
            Shape::Dense => {
                node.first = byte(1)?;
                node.slots = u16::from(byte(2)?) + 1;
            }
        }
        if bytes.len() < node.len() {
            return Err("a node crosses the end of its page".to_owned());
        }
        node.check(bytes)?;
        Ok(node)
    }

    /// Single children at distances of 4 and 12 bits share the byte of the type.
    fn shares_bits(&self) -> bool {
        self.shape == Shape::Single && !self.bits.is_multiple_of(8)
    }

    /// Checks what readers rely on later: labels in order, and ranges that begin and end with a child.
    fn check(&self, bytes: &[u8]) -> Result<(), String> {
        let slots = usize::from(self.slots);
        match self.shape {
            Shape::PayloadOnly | Shape::Single => Ok(()),
            Shape::Sparse => {
                let labels = bytes.get(2..2 + slots).unwrap_or(&[]);
                if labels.is_empty() {
                    return Err("a sparse node has no children".to_owned());
                }
                if labels.windows(2).any(|pair| pair[0] >= pair[1]) {
                    Err("a node's labels do not ascend".to_owned())
                } else {
                    Ok(())
                }
            }
            Shape::Dense => {
                if usize::from(self.first) + slots > 256 {
                    return Err("a dense node's labels exceed 255".to_owned());
                }
                if self.distance(bytes, 0) == 0 || self.distance(bytes, slots - 1) == 0 {
                    Err("a dense node begins or ends with no child".to_owned())
                } else {
                    Ok(())
                }
            }
        }
    }

    fn distances(&self) -> Range<usize> {
        let slots = usize::from(self.slots);
        let start = match self.shape {
            Shape::PayloadOnly => 1,
            Shape::Single if self.shares_bits() => 0,
            Shape::Single => 2,
            Shape::Sparse => 2 + slots,
            Shape::Dense => 3,
        };
        start..start + distances_len(slots, self.bits)
    }

    /// Bytes before the payload.
    pub(super) fn len(&self) -> usize {
        match (self.shape, self.bits) {
            // Type and distance, label.
            (Shape::Single, 4) => 2,
            (Shape::Single, 12) => 3,
            _ => self.distances().end,
        }
    }

    fn distance(&self, bytes: &[u8], slot: usize) -> u64 {
        let at = |index: usize| u64::from(bytes.get(index).copied().unwrap_or(0));
        let start = self.distances().start;
        match (self.shape, self.bits) {
            (Shape::Single, 4) => at(0) & 0xf,
            (Shape::Single, 12) => (at(0) & 0xf) << 8 | at(1),
            (_, 12) => {
                let from = start + slot * 3 / 2;
                let word = at(from) << 8 | at(from + 1);
                match slot % 2 {
                    0 => word >> 4,
                    _ => word & 0xfff,
                }
            }
            (_, bits) => {
                let width = bits as usize / 8;
                (0..width).fold(0, |value, index| {
                    value << 8 | at(start + slot * width + index)
                })
            }
        }
    }

    fn label(&self, bytes: &[u8], slot: usize) -> u8 {
        let index = match self.shape {
            Shape::PayloadOnly => return 0,
            Shape::Dense => return self.first.saturating_add(slot as u8),
            Shape::Single if self.bits == 12 => 2,
            Shape::Single => 1,
            Shape::Sparse => 2 + slot,
        };
        bytes.get(index).copied().unwrap_or(0)
    }

    /// The label and position of the child in a slot, `None` if the slot is empty. Children are before their node.
    pub(super) fn child(&self, bytes: &[u8], slot: u16) -> Result<Option<(u8, u64)>, String> {
        let slot = usize::from(slot);
        let distance = self.distance(bytes, slot);
        if distance == 0 && self.shape == Shape::Dense {
            return Ok(None);
        }
        match self.position.checked_sub(distance) {
            Some(child) if distance > 0 => Ok(Some((self.label(bytes, slot), child))),
            Some(_) => Err("a node is its own child".to_owned()),
            None => Err(format!(
                "a child is {distance} bytes before it, which is before the file"
            )),
        }
    }

    /// The first slot whose label is `label` or greater.
    pub(super) fn slot_from(&self, bytes: &[u8], label: u8) -> u16 {
        match self.shape {
            Shape::Dense => u16::from(label.saturating_sub(self.first)).min(self.slots),
            _ => (0..self.slots)
                .find(|slot| self.label(bytes, usize::from(*slot)) >= label)
                .unwrap_or(self.slots),
        }
    }
}
