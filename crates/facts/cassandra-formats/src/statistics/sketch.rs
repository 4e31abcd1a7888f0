//! An estimate of how many keys there are: the sketch from which Cassandra predicts what a compaction will merge.

mod hash;

use hash::hash;

use super::STATISTICS;
use crate::bytes::Cursor;
use crate::error::Damage;

/// Written negative, so that it cannot be the precision that older sketches begin with.
const VERSION: i32 = 2;
const P: u32 = 13;
const SP: u32 = 25;
/// Above this size the sparse set is converted into registers.
const SPARSE_SET_THRESHOLD: usize = (1 << P) * 3 / 4;
/// Up to this many offered keys are collected before they are merged into the sparse set.
const SORT_THRESHOLD: usize = SPARSE_SET_THRESHOLD / 4;
const REGISTERS_PER_WORD: usize = 6;
const REGISTER_BITS: usize = 5;
const WORDS: usize = (1 << P) / REGISTERS_PER_WORD + 1;

/// HyperLogLog++ of precision 13 and 25. The bytes are those of stream-lib for the same keys in the same order, its
/// signed comparisons and overflows included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// 0 in zero-copy-streamed SSTables, whose sketches were never sparse.
    sparse_precision: u32,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Sparse { set: Vec<i32>, gathered: Vec<i32> },
    Normal { words: Vec<i32> },
}

impl Default for Sketch {
    fn default() -> Self {
        Self::new()
    }
}

impl Sketch {
    /// A sketch without any keys.
    pub fn new() -> Self {
        let form = Form::Sparse {
            set: Vec::new(),
            gathered: Vec::new(),
        };
        Self {
            sparse_precision: SP,
            form,
        }
    }

    /// Adds a serialized partition key. Keys must come in the SSTable's order.
    pub fn offer(&mut self, key: &[u8]) {
        let hash = hash(key);
        match &mut self.form {
            Form::Sparse { set, gathered } => {
                gathered.push(encode_hash(hash));
                if gathered.len() > SORT_THRESHOLD {
                    merge(set, gathered);
                    if set.len() > SPARSE_SET_THRESHOLD {
                        let words = to_registers(set);
                        self.form = Form::Normal { words };
                    }
                }
            }
            Form::Normal { words } => {
                let index = (hash >> (64 - P)) as usize;
                update_if_greater(words, index, run_length(hash));
            }
        }
    }

    /// Returns the bytes of the part called COMPACTION, without their length.
    pub fn encode(mut self) -> Vec<u8> {
        let mut out = (-VERSION).to_be_bytes().to_vec();
        put_varint(&mut out, P);
        put_varint(&mut out, self.sparse_precision);
        match &mut self.form {
            Form::Normal { words } => {
                put_varint(&mut out, 0);
                put_varint(&mut out, words.len() as u32 * 4);
                out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            }
            Form::Sparse { set, gathered } => {
                merge(set, gathered);
                put_varint(&mut out, 1);
                put_varint(&mut out, set.len() as u32);
                let mut last = 0_i32;
                for value in set {
                    put_varint(&mut out, value.wrapping_sub(last) as u32);
                    last = *value;
                }
            }
        }
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let cursor = &mut Cursor::new(STATISTICS, bytes);
        let parsed = Self::parse_at(cursor).and_then(|sketch| {
            cursor.finish("the sketch")?;
            Ok(sketch)
        });
        // The offset of the sketch in the component is not known here.
        parsed.map_err(|damage| {
            let at = damage.offset.unwrap_or(0);
            let what = format!("the sketch at its byte {at}: {}", damage.what);
            Damage::whole(STATISTICS, what)
        })
    }

    fn parse_at(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let start = cursor.clone();
        let version = cursor.i32("version of the sketch")?;
        let precision = varint(cursor)?;
        let sparse_precision = varint(cursor)?;
        let known = version == -VERSION && precision == P && [0, SP].contains(&sparse_precision);
        if !known {
            let what = format!("version {version} of precision {precision} and {sparse_precision}");
            return Err(start.damage(what));
        }
        let at = cursor.clone();
        let form = match varint(cursor)? {
            0 => parse_registers(cursor)?,
            1 if sparse_precision == SP => parse_sparse_set(cursor)?,
            form => return Err(at.damage(format!("form {form} is unknown"))),
        };
        Ok(Self {
            sparse_precision,
            form,
        })
    }
}

fn parse_registers(cursor: &mut Cursor<'_>) -> Result<Form, Damage> {
    let at = cursor.clone();
    let len = varint(cursor)? as usize;
    if len != WORDS * 4 {
        return Err(at.damage(format!("{len} bytes of registers, expected {}", WORDS * 4)));
    }
    let words = (0..WORDS)
        .map(|_| cursor.i32("registers"))
        .collect::<Result<_, _>>()?;
    Ok(Form::Normal { words })
}

fn parse_sparse_set(cursor: &mut Cursor<'_>) -> Result<Form, Damage> {
    let at = cursor.clone();
    let count = varint(cursor)? as usize;
    if count > cursor.remaining() {
        return Err(at.damage(format!("{count} values cannot follow")));
    }
    let mut last = 0_i32;
    let set = (0..count)
        .map(|_| {
            last = last.wrapping_add(varint(cursor)? as i32);
            Ok(last)
        })
        .collect::<Result<_, Damage>>()?;
    let gathered = Vec::new();
    Ok(Form::Sparse { set, gathered })
}

/// One more than the zeros behind the index.
fn run_length(hash: u64) -> i32 {
    ((hash << P) | (1 << (P - 1))).leading_zeros() as i32 + 1
}

/// The first 25 bits, and the run length too where those beyond the 13th are all zero.
fn encode_hash(hash: u64) -> i32 {
    let index = (hash >> (64 - SP)) as i32;
    let rest = index << (32 - SP + P);
    if rest == 0 {
        let inverted = run_length(hash) ^ 63;
        (((index << 6) | inverted) << 1) | 1
    } else {
        index << 1
    }
}

fn shifted_hash(value: i32) -> i32 {
    value << (P + 31 - SP)
}

fn decode_run_length(value: i32) -> i32 {
    if value & 1 == 1 {
        (((value as u32) >> 1) & 63) as i32 ^ 63
    } else {
        shifted_hash(value).leading_zeros() as i32 + 1
    }
}

fn sparse_index(value: i32) -> u32 {
    (value as u32) >> if value & 1 == 1 { 7 } else { 1 }
}

/// Sorts the collected keys and merges them into the set; of each index the first or the smaller value is kept.
fn merge(set: &mut Vec<i32>, gathered: &mut Vec<i32>) {
    if gathered.is_empty() {
        return;
    }
    gathered.sort_by_key(|value| (sparse_index(*value) as i32, shifted_hash(*value)));
    gathered.dedup_by_key(|value| sparse_index(*value));
    let mut merged = Vec::with_capacity(set.len() + gathered.len());
    let (mut old, mut new) = (
        set.iter().copied().peekable(),
        gathered.drain(..).peekable(),
    );
    loop {
        match (old.peek().copied(), new.peek().copied()) {
            (None, None) => break,
            (Some(value), None) => {
                merged.push(value);
                old.next();
            }
            (None, Some(value)) => {
                merged.push(value);
                new.next();
            }
            (Some(left), Some(right)) => {
                let same = sparse_index(left) == sparse_index(right);
                merged.push(left.min(right));
                if same || left < right {
                    old.next();
                }
                if same || left >= right {
                    new.next();
                }
            }
        }
    }
    drop(new);
    *set = merged;
}

fn to_registers(set: &[i32]) -> Vec<i32> {
    let mut words = vec![0; WORDS];
    for value in set {
        let index = (sparse_index(*value) >> (SP - P)) as usize;
        update_if_greater(&mut words, index, decode_run_length(*value));
    }
    words
}

/// Run lengths beyond 31 spill into the next register, as they do in Cassandra.
fn update_if_greater(words: &mut [i32], index: usize, run_length: i32) {
    let shift = REGISTER_BITS * (index % REGISTERS_PER_WORD);
    let Some(word) = words.get_mut(index / REGISTERS_PER_WORD) else {
        return;
    };
    let mask = 0x1f << shift;
    let value = run_length << shift;
    if *word & mask < value {
        *word = (*word & !mask) | value;
    }
}

/// Seven bits a byte, the least significant first.
fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint(cursor: &mut Cursor<'_>) -> Result<u32, Damage> {
    let start = cursor.clone();
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = cursor.u8("variable-length integer")?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(value).map_err(|_| start.damage("an integer of too many bits"));
        }
    }
    Err(start.damage("an integer of too many bytes"))
}

#[cfg(test)]
mod tests;
