//! Positions in the commit log that the SSTable's data came through.

use crate::bytes::Cursor;
use crate::error::Damage;

/// A position in the commit log of the node that wrote the SSTable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitLogPosition {
    /// The segment's id; -1 for no position.
    pub segment_id: i64,
    /// The offset in the segment, in bytes.
    pub position: i32,
}

impl CommitLogPosition {
    /// What Cassandra writes for no position.
    pub const NONE: Self = Self {
        segment_id: -1,
        position: 0,
    };

    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        Ok(Self {
            segment_id: cursor.i64("commit log segment")?,
            position: cursor.i32("position in the commit log segment")?,
        })
    }

    pub(super) fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.segment_id.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }
}

/// A range of the commit log whose mutations are in the SSTable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitLogInterval {
    /// Where it begins.
    pub start: CommitLogPosition,
    /// Where it ends.
    pub end: CommitLogPosition,
}

const INTERVAL_LEN: usize = 24;

/// Cassandra keeps the intervals sorted and apart from each other.
pub(super) fn parse_intervals(cursor: &mut Cursor<'_>) -> Result<Vec<CommitLogInterval>, Damage> {
    let count = cursor.count(INTERVAL_LEN, "commit log intervals")?;
    let mut intervals: Vec<CommitLogInterval> = Vec::with_capacity(count);
    for _ in 0..count {
        let at = cursor.clone();
        let start = CommitLogPosition::parse(cursor)?;
        let end = CommitLogPosition::parse(cursor)?;
        let overlaps = intervals.last().is_some_and(|last| start <= last.end);
        if end < start || overlaps {
            let what = format!("the commit log interval {start:?} to {end:?} is out of order");
            return Err(at.damage(what));
        }
        intervals.push(CommitLogInterval { start, end });
    }
    Ok(intervals)
}

pub(super) fn encode_intervals(intervals: &[CommitLogInterval], out: &mut Vec<u8>) {
    out.extend_from_slice(&(intervals.len() as u32).to_be_bytes());
    for interval in intervals {
        interval.start.encode(out);
        interval.end.encode(out);
    }
}
