//! The order of an index: tokens ascend, keys of one token too, and so do their positions in Data.

use std::cmp::Ordering;

use crate::INDEX;
use crate::bytes::Cursor;
use crate::error::Damage;
use cassandra_tokens::{Partitioner, Token};

/// The most damage that is reported for one index; what follows the first is mostly its consequence.
const DAMAGE_MAX: usize = 8;
/// The longest entry without its row index: two lengths, the longest key, a position and a length.
const HEAD_BYTES_MAX: usize = 2 + 65_535 + 9 + 9;

/// Compares each entry with the one before it.
pub struct OrderCheck {
    /// The component whose entries these are.
    component: &'static str,
    /// The position that the first partition must have.
    start: u64,
    /// `None` if the order of keys is unknown.
    partitioner: Option<Partitioner>,
    /// The uncompressed length of Data, if known.
    data_length: Option<u64>,
    last: Option<(Token, Vec<u8>, u64)>,
    pub partitions: u64,
}

impl OrderCheck {
    pub fn new(
        component: &'static str,
        partitioner: Option<Partitioner>,
        data_length: Option<u64>,
        start: u64,
    ) -> Self {
        Self {
            component,
            start,
            partitioner: partitioner.filter(Partitioner::order_is_known),
            data_length,
            last: None,
            partitions: 0,
        }
    }

    /// The next entry, which begins at `offset` of the index.
    pub fn entry(&mut self, offset: u64, key: &[u8], position: u64) -> Result<(), Damage> {
        let wrong = |what: String| Damage::at(self.component, offset, what);
        if self.partitions == 0 && position != self.start {
            return Err(wrong(format!(
                "the first partition is at {position} of Data, expected {}",
                self.start
            )));
        }
        if let Some(length) = self.data_length.filter(|length| position >= *length) {
            return Err(wrong(format!(
                "a partition at {position} of Data, whose content has {length} bytes"
            )));
        }
        let token = match &self.partitioner {
            Some(partitioner) => partitioner.token(key),
            None => Token::Bytes(Vec::new()),
        };
        if let Some((last_token, last_key, last_position)) = &mut self.last {
            if position <= *last_position {
                return Err(wrong(format!(
                    "a partition at {position} of Data behind one at {last_position}"
                )));
            }
            let order = Ord::cmp(&*last_token, &token).then_with(|| last_key.as_slice().cmp(key));
            if self.partitioner.is_some() && order != Ordering::Less {
                return Err(wrong(format!(
                    "the key with token {token} follows one with token {last_token}, expected in ascending order"
                )));
            }
            *last_token = token;
            last_key.clear();
            last_key.extend_from_slice(key);
            *last_position = position;
        } else {
            self.last = Some((token, key.to_vec(), position));
        }
        self.partitions += 1;
        Ok(())
    }
}

/// Checks Index.db as a stream of bytes.
pub struct IndexOrder {
    order: OrderCheck,
    /// An entry's head that is not complete yet.
    pending: Vec<u8>,
    /// The offset of `pending` in Index.db.
    offset: u64,
    /// How many bytes of the current row index are left to skip.
    skip: u64,
    damage: Vec<Damage>,
}

impl IndexOrder {
    pub fn new(partitioner: Option<Partitioner>, data_length: Option<u64>) -> Self {
        Self {
            order: OrderCheck::new(INDEX, partitioner, data_length, 0),
            pending: Vec::new(),
            offset: 0,
            skip: 0,
            damage: Vec::new(),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        if self.damage.len() >= DAMAGE_MAX {
            return;
        }
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let used = self.heads(&pending);
        self.pending = pending;
        self.pending.drain(..used);
        self.offset += used as u64;
    }

    /// Checks all complete heads, and returns how many bytes they are.
    fn heads(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        loop {
            let skipped = usize::try_from(self.skip)
                .unwrap_or(usize::MAX)
                .min(bytes.len() - used);
            used += skipped;
            self.skip -= skipped as u64;
            let rest = &bytes[used..];
            if rest.is_empty() || self.damage.len() >= DAMAGE_MAX {
                return used;
            }
            let offset = self.offset + used as u64;
            match head(rest, offset) {
                Ok((key, position, promoted, len)) => {
                    if let Err(damage) = self.order.entry(offset, key, position) {
                        self.damage.push(damage);
                    }
                    self.skip = promoted;
                    used += len;
                }
                // The rest of it has not arrived yet.
                Err(_) if rest.len() < HEAD_BYTES_MAX => return used,
                Err(damage) => {
                    self.damage.push(damage);
                    return bytes.len();
                }
            }
        }
    }

    pub fn finish(mut self) -> Vec<Damage> {
        if self.damage.is_empty() && (self.skip > 0 || !self.pending.is_empty()) {
            self.damage.push(Damage::at(
                INDEX,
                self.offset,
                "ends within an entry".to_owned(),
            ));
        }
        self.damage
    }
}

/// Key, position in Data, length of the row index, and the length of all that.
fn head(bytes: &[u8], offset: u64) -> Result<(&[u8], u64, u64, usize), Damage> {
    let mut cursor = Cursor::at(INDEX, bytes, offset);
    let key = cursor.u16_bytes("a key")?;
    let position = cursor.uvint("a data position")?;
    let promoted = cursor.uvint("a row index's length")?;
    Ok((key, position, promoted, cursor.position()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::put_index_entry;

    fn damage(entries: &[(&[u8], u64)], data_length: u64, step: usize) -> Vec<Damage> {
        let mut bytes = Vec::new();
        for (key, position) in entries {
            put_index_entry(&mut bytes, key, *position, 3);
            bytes.extend_from_slice(b"row");
        }
        let mut order = IndexOrder::new(Some(Partitioner::ByteOrdered), Some(data_length));
        for piece in bytes.chunks(step) {
            order.update(piece);
        }
        order.finish()
    }

    #[test]
    fn a_sound_index_passes_in_pieces_of_any_size() {
        for step in [1, 2, 7, 1000] {
            let entries: &[(&[u8], u64)] = &[(b"a", 0), (b"b", 10), (&[b'c'; 5000], 20)];
            assert_eq!(damage(entries, 30, step), [], "{step}");
        }
    }

    #[test]
    fn each_kind_of_disorder_is_reported() {
        #[track_caller]
        fn check(entries: &[(&[u8], u64)], expected: &str) {
            let found = damage(entries, 30, 5);
            assert!(found[0].what.contains(expected), "{found:?}");
        }
        check(&[(b"b", 0), (b"a", 10)], "ascending order");
        check(&[(b"a", 0), (b"a", 10)], "ascending order");
        check(&[(b"a", 0), (b"b", 0)], "behind one at 0");
        check(&[(b"a", 0), (b"b", 30)], "30 bytes");
        check(&[(b"a", 1)], "expected 0");
    }

    #[test]
    fn an_index_that_ends_within_an_entry_is_damaged() {
        let mut bytes = Vec::new();
        put_index_entry(&mut bytes, b"key", 0, 0);
        for len in 1..bytes.len() {
            let mut order = IndexOrder::new(None, None);
            order.update(&bytes[..len]);
            assert_eq!(order.finish().len(), 1, "{len}");
        }
    }
}
