//! The body of a row: when it was written or deleted, which columns it has, and their cells.

use super::clustering::ValueShape;
use super::deletion::{DeletionTime, NO_DELETION_TIME, local_deletion_time};
use super::input::{Input, Stop};
use super::schema::{ColumnShape, Schema};
use super::visitor::{Cell, CellPath, CellVisitor, read_path};

/// A row's flags.
pub(super) const END_OF_PARTITION: u8 = 0x01;
pub(super) const IS_MARKER: u8 = 0x02;
pub(super) const HAS_TIMESTAMP: u8 = 0x04;
pub(super) const HAS_TTL: u8 = 0x08;
pub(super) const HAS_DELETION: u8 = 0x10;
pub(super) const HAS_ALL_COLUMNS: u8 = 0x20;
pub(super) const HAS_COMPLEX_DELETION: u8 = 0x40;
pub(super) const EXTENSION_FLAG: u8 = 0x80;
/// Its extended flags.
pub(super) const IS_STATIC: u8 = 0x01;
pub(super) const HAS_SHADOWABLE_DELETION: u8 = 0x02;

/// A cell's flags.
const IS_DELETED: u8 = 0x01;
const IS_EXPIRING: u8 = 0x02;
const HAS_EMPTY_VALUE: u8 = 0x04;
const USE_ROW_TIMESTAMP: u8 = 0x08;
const USE_ROW_TTL: u8 = 0x10;

/// When a row's primary key was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// The time of the write, by the writer's clock, in microseconds since 1970.
    pub timestamp: i64,
    /// The time to live in seconds; 0 for a row that does not expire.
    pub ttl: i32,
    /// When it expires, in seconds since 1970, or [`NO_DELETION_TIME`].
    pub local_expiration_time: i64,
}

/// A row without its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowBody {
    /// When the primary key was inserted; `None` for a row that was only updated.
    pub liveness: Option<Liveness>,
    /// The deletion of the whole row.
    pub deletion: Option<DeletionTime>,
    /// How many cells it has, those of collections counted one by one.
    pub cells: u64,
    /// For how many columns it has cells or a deletion.
    pub columns: u64,
}

/// Reads the differences to the header's minima.
impl Schema {
    #[inline]
    fn timestamp<I: Input>(&self, input: &mut I) -> Result<i64, Stop> {
        Ok(self.min_timestamp.wrapping_add(input.uvint()? as i64))
    }

    #[inline]
    fn local_deletion_time<I: Input>(&self, input: &mut I) -> Result<i64, Stop> {
        let delta = difference(input, "a local deletion time")?;
        let bytes = self.min_local_deletion_time.wrapping_add(delta);
        Ok(local_deletion_time(
            bytes,
            self.version.has_uint_deletion_time(),
        ))
    }

    #[inline]
    fn ttl<I: Input>(&self, input: &mut I) -> Result<i32, Stop> {
        let start = input.offset();
        let delta = difference(input, "a time to live")?;
        let ttl = self.min_ttl.wrapping_add(delta as i32);
        if ttl < 0 {
            return Err(input.damage_at(start, format!("a time to live of {ttl} s")));
        }
        Ok(ttl)
    }

    pub(super) fn deletion<I: Input>(&self, input: &mut I) -> Result<DeletionTime, Stop> {
        let marked_for_delete_at = self.timestamp(input)?;
        let local_deletion_time = self.local_deletion_time(input)?;
        Ok(DeletionTime {
            marked_for_delete_at,
            local_deletion_time,
        })
    }
}

/// A difference of 32 bits. Negative ones are written as Java widens them: to 64 bits.
#[inline]
fn difference<I: Input>(input: &mut I, of: &str) -> Result<u32, Stop> {
    let start = input.offset();
    let value = input.uvint()?;
    if u32::try_from(value).is_err() && i32::try_from(value as i64).is_err() {
        let what = format!("{of} cannot be {value} s more than the smallest one");
        return Err(input.damage_at(start, what));
    }
    Ok(value as u32)
}

/// What decoding a row's body needs besides its bytes.
pub(super) struct BodyReader<'a, C> {
    pub(super) schema: &'a Schema,
    pub(super) flags: u8,
    pub(super) is_static: bool,
    /// Space for a set of columns if there are too many for one integer.
    pub(super) present: &'a mut Vec<bool>,
    /// Space for a cell's path.
    pub(super) path: &'a mut Vec<u8>,
    pub(super) visitor: &'a mut C,
}

impl<C: CellVisitor> BodyReader<'_, C> {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Reads to the last cell's end, which must be the body's.
    pub(super) fn read<I: Input>(&mut self, input: &mut I) -> Result<RowBody, Stop> {
        let schema = self.schema;
        let mut body = RowBody {
            liveness: None,
            deletion: None,
            cells: 0,
            columns: 0,
        };
        if self.has(HAS_TIMESTAMP) {
            let timestamp = schema.timestamp(input)?;
            let (ttl, local_expiration_time) = if self.has(HAS_TTL) {
                (schema.ttl(input)?, schema.local_deletion_time(input)?)
            } else {
                (0, NO_DELETION_TIME)
            };
            body.liveness = Some(Liveness {
                timestamp,
                ttl,
                local_expiration_time,
            });
        }
        if self.has(HAS_DELETION) {
            body.deletion = Some(schema.deletion(input)?);
        }
        let columns: &[ColumnShape] = if self.is_static {
            &schema.statics
        } else {
            &schema.regulars
        };
        if self.has(HAS_ALL_COLUMNS) {
            for (i, column) in columns.iter().enumerate() {
                self.column(input, i, column, &mut body)?;
            }
            return Ok(body);
        }
        if columns.len() < 64 {
            let missing = super::subset::read_missing(input, columns.len())?;
            for (i, column) in columns.iter().enumerate() {
                if (missing >> i) & 1 == 0 {
                    self.column(input, i, column, &mut body)?;
                }
            }
            return Ok(body);
        }
        super::subset::read_large(input, columns.len(), self.present)?;
        for (i, column) in columns.iter().enumerate() {
            if self.present.get(i).copied().unwrap_or(false) {
                self.column(input, i, column, &mut body)?;
            }
        }
        Ok(body)
    }

    #[inline]
    fn column<I: Input>(
        &mut self,
        input: &mut I,
        index: usize,
        column: &ColumnShape,
        body: &mut RowBody,
    ) -> Result<(), Stop> {
        body.columns += 1;
        let Some(path) = &column.path else {
            body.cells += 1;
            return self.cell(input, index, column, None, body);
        };
        if self.has(HAS_COMPLEX_DELETION) {
            let deletion = self.schema.deletion(input)?;
            self.visitor.complex_deletion(index, deletion);
        }
        // Each cell takes at least a byte, so the body's end bounds their number.
        for nth in 0..input.uvint()? {
            body.cells += 1;
            self.cell(input, index, column, Some((nth, path)), body)?;
        }
        Ok(())
    }

    #[inline]
    fn cell<I: Input>(
        &mut self,
        input: &mut I,
        index: usize,
        column: &ColumnShape,
        path: Option<(u64, &ValueShape)>,
        body: &RowBody,
    ) -> Result<(), Stop> {
        let start = input.offset();
        let flags = input.u8()?;
        let row = match cell_flags(flags, body.liveness) {
            Ok(row) => row,
            Err(why) => {
                return Err(input.damage_at(start, format!("cell flags {flags:#04x}: {why}")));
            }
        };
        let schema = self.schema;
        let timestamp = match flags & USE_ROW_TIMESTAMP {
            0 => schema.timestamp(input)?,
            _ => row.timestamp,
        };
        let (local_deletion_time, ttl) = if flags & USE_ROW_TTL != 0 {
            (row.local_expiration_time, row.ttl)
        } else if flags & IS_EXPIRING != 0 {
            (schema.local_deletion_time(input)?, schema.ttl(input)?)
        } else if flags & IS_DELETED != 0 {
            (schema.local_deletion_time(input)?, 0)
        } else {
            (NO_DELETION_TIME, 0)
        };
        let path_len = match path {
            Some((nth, shape)) => {
                let place = CellPath {
                    position: start,
                    column: index,
                    is_static: self.is_static,
                    is_first: nth == 0,
                    bytes: None,
                };
                Some(read_path(input, shape, place, self.path, self.visitor)?)
            }
            None => None,
        };
        let value_len = match flags & HAS_EMPTY_VALUE {
            0 => column.value.skip(input)?,
            _ => 0,
        };
        self.visitor.cell(&Cell {
            column: index,
            is_static: self.is_static,
            is_tombstone: flags & IS_DELETED != 0,
            timestamp,
            local_deletion_time,
            ttl,
            path_len,
            value_len,
        });
        Ok(())
    }
}

/// The times that a cell takes from its row. Flags that no writer sets together are damage.
#[inline]
fn cell_flags(flags: u8, liveness: Option<Liveness>) -> Result<Liveness, &'static str> {
    const NONE: Liveness = Liveness {
        timestamp: 0,
        ttl: 0,
        local_expiration_time: NO_DELETION_TIME,
    };
    if flags > 0x1f {
        return Err("some are unknown");
    }
    if flags & (IS_DELETED | IS_EXPIRING) == IS_DELETED | IS_EXPIRING {
        return Err("a cell is deleted or expires, not both");
    }
    if flags & (IS_EXPIRING | USE_ROW_TTL) == USE_ROW_TTL {
        return Err("a cell that does not expire has no time to live");
    }
    let row = liveness.unwrap_or(NONE);
    if flags & USE_ROW_TIMESTAMP != 0 && liveness.is_none() {
        return Err("its row has no timestamp to use");
    }
    if flags & USE_ROW_TTL != 0 && row.local_expiration_time == NO_DELETION_TIME {
        return Err("its row has no time to live to use");
    }
    Ok(row)
}
