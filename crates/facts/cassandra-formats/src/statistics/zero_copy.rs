//! What DSE 6.8 adds: zero-copy streaming, and the state of NodeSync.
//!
//! DSE's zero-copy streaming sends the bytes of a token range as they are, instead of rewriting its partitions. A
//! zero-copy-streamed SSTable therefore has only some chunks of its original's Data.db (it is a slice of it), while its
//! index, statistics and checksums are those of the whole original.

use crate::bytes::{Cursor, put_vint_bytes};
use crate::error::Damage;

/// The fields that DSE 6.8 adds to StatsMetadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DseMetadata {
    /// Set if the SSTable is zero-copy-streamed.
    pub zero_copy: Option<ZeroCopyMetadata>,
    /// The latest NodeSync timestamp, as DSE writes it.
    pub max_nodesync_timestamp: i64,
    /// The longest value of each column.
    pub max_column_value_lengths: Vec<ColumnValueLength>,
}

/// Which part of the original a zero-copy-streamed SSTable is. Data.db holds only the chunks of
/// `data_start..data_end`; the other components are those of the whole original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeroCopyMetadata {
    /// Where the slice begins in the original's uncompressed data.
    pub data_start: u64,
    /// Where the slice ends in the original's uncompressed data.
    pub data_end: u64,
    /// The chunk length of the whole SSTable, in bytes.
    pub chunk_size: u32,
    /// An estimate of the keys in the slice.
    pub estimated_keys: u64,
    /// The first key of the slice, serialized.
    pub first_key: Vec<u8>,
    /// The last key of the slice, serialized.
    pub last_key: Vec<u8>,
}

/// The longest value that a column has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnValueLength {
    /// The column's name, as bytes.
    pub column: Vec<u8>,
    /// The length in bytes.
    pub max_length: i32,
}

impl DseMetadata {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let zero_copy = if cursor.bool("presence of zero-copy metadata")? {
            Some(ZeroCopyMetadata::parse(cursor)?)
        } else {
            None
        };
        let max_nodesync_timestamp = cursor.i64("maximum NodeSync timestamp")?;
        let columns = cursor.count(5, "maximum column value lengths")?;
        let max_column_value_lengths = (0..columns)
            .map(|_| {
                Ok(ColumnValueLength {
                    column: cursor.vint_bytes("column")?.to_vec(),
                    max_length: cursor.i32("maximum column value length")?,
                })
            })
            .collect::<Result<_, Damage>>()?;
        Ok(Self {
            zero_copy,
            max_nodesync_timestamp,
            max_column_value_lengths,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.zero_copy.is_some().into());
        if let Some(zero_copy) = &self.zero_copy {
            zero_copy.encode(out);
        }
        out.extend_from_slice(&self.max_nodesync_timestamp.to_be_bytes());
        out.extend_from_slice(&(self.max_column_value_lengths.len() as u32).to_be_bytes());
        for length in &self.max_column_value_lengths {
            put_vint_bytes(out, &length.column);
            out.extend_from_slice(&length.max_length.to_be_bytes());
        }
    }
}

impl ZeroCopyMetadata {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let at = cursor.clone();
        let start = cursor.i64("start of the slice")?;
        let end = cursor.i64("end of the slice")?;
        let chunk_size = cursor.i32("chunk size of the slice")?;
        let keys = cursor.i64("estimated keys of the slice")?;
        let numbers = (
            u64::try_from(start),
            u64::try_from(end),
            u32::try_from(chunk_size),
            u64::try_from(keys),
        );
        let (Ok(data_start), Ok(data_end), Ok(chunk_size @ 1..), Ok(estimated_keys)) = numbers
        else {
            let what =
                format!("a slice from {start} to {end}, {keys} keys, chunks of {chunk_size}");
            return Err(at.damage(what));
        };
        if data_end <= data_start {
            return Err(at.damage(format!("the slice goes from {start} to {end}")));
        }
        Ok(Self {
            data_start,
            data_end,
            chunk_size,
            estimated_keys,
            first_key: cursor.u16_bytes("first key of the slice")?.to_vec(),
            last_key: cursor.u16_bytes("last key of the slice")?.to_vec(),
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data_start.to_be_bytes());
        out.extend_from_slice(&self.data_end.to_be_bytes());
        out.extend_from_slice(&self.chunk_size.to_be_bytes());
        out.extend_from_slice(&self.estimated_keys.to_be_bytes());
        for key in [&self.first_key, &self.last_key] {
            out.extend_from_slice(&(key.len() as u16).to_be_bytes());
            out.extend_from_slice(key);
        }
    }
}
