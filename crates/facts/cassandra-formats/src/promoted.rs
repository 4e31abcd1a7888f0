//! The row index that Index.db holds for a long partition, streamed: which rows each block of its data begins and ends
//! with, and which range of deleted rows is open behind it.

use std::sync::Arc;

use crate::bytes::zigzag_decode;
use crate::data::window::{Section, WINDOW_LEN, Window};
use crate::data::{Bytes, DeletionTime, Input, Schema, Stop, read_deletion_time, read_prefix};
use crate::error::{Damage, Error};
use crate::index::{COMPONENT, IndexReader};

/// Widths are written as differences to this, which is Cassandra's default length of a block.
const WIDTH_BASE: i64 = 64 << 10;

/// A block of a partition's data. Offsets count from the partition's start.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct IndexBlock {
    /// The offset of its description in Index.db.
    pub at: u64,
    /// The clustering or bound of its first row or marker, as it is serialized with its kind first.
    pub first: Vec<u8>,
    /// The last clustering or bound, like `first`.
    pub last: Vec<u8>,
    /// Where it begins.
    pub offset: u64,
    /// Its length in bytes.
    pub width: u64,
    /// The deletion of the range that is open at its end.
    pub open: Option<DeletionTime>,
}

impl IndexBlock {
    /// Where it ends, counted like `offset`.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.width)
    }
}

/// Reads the blocks of the partition whose entry was read last.
pub struct PromotedReader<'i> {
    index: &'i mut IndexReader,
    schema: Arc<Schema>,
    header_len: u64,
    deletion: DeletionTime,
    count: u64,
    given: u64,
    block: IndexBlock,
    /// Where the descriptions of the blocks begin and end; the table of their offsets follows.
    blocks_at: u64,
    blocks_end: u64,
    offsets: Window<Section>,
}

impl<'i> PromotedReader<'i> {
    /// For the entry that `index` returned last, which must have a row index.
    pub fn new(index: &'i mut IndexReader, schema: Arc<Schema>) -> Result<Self, Error> {
        let version = schema.version();
        let start = index.promoted().0.offset();
        let end = start.saturating_add(*index.promoted().1);
        let parse = |input: &mut Bytes<'_>| {
            let header_len = input.uvint()?;
            let deletion = read_deletion_time(input, version)?;
            Ok((header_len, deletion, input.uvint()?))
        };
        let (header_len, deletion, count) = next(index, end, "a row index", parse)?;
        let blocks_at = index.promoted().0.offset();
        let blocks_end = count
            .checked_mul(4)
            .and_then(|offsets| end.checked_sub(offsets))
            .filter(|blocks_end| count > 0 && *blocks_end >= blocks_at)
            .ok_or_else(|| {
                let what = format!("a row index of {} bytes has {count} blocks", end - start);
                Damage::at(COMPONENT, start, what)
            })?;
        let section = Section::new(index.source().clone(), blocks_end, end);
        Ok(Self {
            index,
            schema,
            header_len,
            deletion,
            count,
            given: 0,
            block: IndexBlock::default(),
            blocks_at,
            blocks_end,
            offsets: Window::with_len(COMPONENT, section, blocks_end, 4 << 10),
        })
    }

    /// The length of the partition's key, deletion and static row, in bytes.
    pub fn header_len(&self) -> u64 {
        self.header_len
    }

    /// The deletion of the partition as a whole.
    pub fn deletion(&self) -> DeletionTime {
        self.deletion
    }

    /// How many blocks the partition has.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether the block that was returned last is the last one.
    pub fn is_last(&self) -> bool {
        self.given == self.count
    }

    /// The block that was returned last.
    pub fn block(&self) -> &IndexBlock {
        &self.block
    }

    /// The next block, checked to begin where the one before it ends.
    pub fn next_block(&mut self) -> Result<Option<&IndexBlock>, Error> {
        let at = self.index.promoted().0.offset();
        if self.given == self.count {
            if at == self.blocks_end {
                return Ok(None);
            }
            let what = format!(
                "the last block of a row index ends here, expected at {}",
                self.blocks_end
            );
            return Err(Damage::at(COMPONENT, at, what).into());
        }
        let expected = match self.given {
            0 => self.header_len,
            _ => self.block.end(),
        };
        let (block, schema) = (&mut self.block, &self.schema);
        let parse = |input: &mut Bytes<'_>| read_block(input, schema, block);
        next(self.index, self.blocks_end, "a block of a row index", parse)?;
        self.block.at = at;
        if self.block.offset != expected {
            let what = format!(
                "a block begins {} bytes behind the partition's start, expected {expected}",
                self.block.offset
            );
            return Err(Damage::at(COMPONENT, at, what).into());
        }
        self.check_offset(at)?;
        self.given += 1;
        Ok(Some(&self.block))
    }

    /// Checks an offset in the table behind the blocks.
    fn check_offset(&mut self, at: u64) -> Result<(), Error> {
        let offset_at = self.offsets.offset();
        let bytes = self.offsets.fill(4).map_err(|e| *e)?;
        let stored = bytes.first_chunk().map(|b| u32::from_be_bytes(*b));
        self.offsets.consume(4);
        let expected = at - self.blocks_at;
        if stored.map(u64::from) == Some(expected) {
            return Ok(());
        }
        let what = format!("a block's offset is {stored:?}, expected {expected}");
        Err(Damage::at(COMPONENT, offset_at, what).into())
    }
}

fn read_block(input: &mut Bytes<'_>, schema: &Schema, block: &mut IndexBlock) -> Result<(), Stop> {
    for prefix in [&mut block.first, &mut block.last] {
        let rest = input.rest();
        let start = input.position();
        read_prefix(input, &schema.clustering)?;
        prefix.clear();
        let bytes = rest.get(..input.position() - start);
        prefix.extend_from_slice(bytes.unwrap_or_default());
    }
    block.offset = input.uvint()?;
    let width_at = input.offset();
    let width = zigzag_decode(input.uvint()?).checked_add(WIDTH_BASE);
    let Some(width) = width.and_then(|width| u64::try_from(width).ok()) else {
        let what = format!("a block's width cannot be {width:?}");
        return Err(input.damage_at(width_at, what));
    };
    block.width = width;
    let open_at = input.offset();
    block.open = match input.u8()? {
        0 => None,
        1 => Some(read_deletion_time(input, schema.version())?),
        other => {
            let what = format!("whether a range is open is {other}, expected 0 or 1");
            return Err(input.damage_at(open_at, what));
        }
    };
    Ok(())
}

/// Parses the next piece of the row index, which must end before `end`.
fn next<T>(
    index: &mut IndexReader,
    end: u64,
    of: &str,
    mut parse: impl FnMut(&mut Bytes<'_>) -> Result<T, Stop>,
) -> Result<T, Error> {
    let (window, promoted_left) = index.promoted();
    let mut want = 256;
    loop {
        let offset = window.offset();
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let bytes = window.fill(want.min(left)).map_err(|e| *e)?;
        let bytes = bytes.get(..left).unwrap_or(bytes);
        let had = bytes.len();
        let mut input = Bytes::new(COMPONENT, bytes, offset);
        match parse(&mut input) {
            Ok(parsed) => {
                let len = input.position();
                window.consume(len);
                *promoted_left = promoted_left.saturating_sub(len as u64);
                return Ok(parsed);
            }
            Err(Stop::Failed(error)) => return Err(*error),
            Err(Stop::Short) if had >= left || had < want || want >= WINDOW_LEN => {
                let what = format!("{of} needs more than the {had} bytes that there are for it");
                return Err(Damage::at(COMPONENT, offset, what).into());
            }
            Err(Stop::Short) => want = had.saturating_mul(2).clamp(want + 1, WINDOW_LEN),
        }
    }
}
