//! The part called STATS: times, sizes, counts and states of the whole SSTable, under the names of Cassandra's
//! StatsMetadata.

use super::clustering::CoveredClustering;
use super::commit_log::{CommitLogInterval, CommitLogPosition, encode_intervals, parse_intervals};
use super::histogram::{EstimatedHistogram, TombstoneHistogram};
use super::zero_copy::DseMetadata;
use crate::bytes::{Cursor, put_vint_bytes};
use crate::error::Damage;
use crate::version::Version;

/// The deletion time in [`StatsMetadata`] if nothing is deleted, for all versions.
pub const NO_DELETION_TIME: i64 = i64::MAX;

/// The contents of the part called STATS. Fields that not all versions have are `None` for versions without them.
#[derive(Debug, Clone, PartialEq)]
pub struct StatsMetadata {
    /// How many uncompressed bytes the partitions have.
    pub estimated_partition_size: EstimatedHistogram,
    /// How many cells the partitions have.
    pub estimated_cell_per_partition_count: EstimatedHistogram,
    /// No mutation of the SSTable is behind this commit log position.
    pub commit_log_upper_bound: CommitLogPosition,
    /// The earliest timestamp of a write, in microseconds since 1970.
    pub min_timestamp: i64,
    /// The latest timestamp of a write, in microseconds since 1970.
    pub max_timestamp: i64,
    /// The earliest local deletion time, in seconds since 1970, or [`NO_DELETION_TIME`].
    pub min_local_deletion_time: i64,
    /// The latest local deletion time, like the earliest.
    pub max_local_deletion_time: i64,
    /// The shortest time to live, in seconds.
    pub min_ttl: i32,
    /// The longest time to live, in seconds.
    pub max_ttl: i32,
    /// Compressed bytes by uncompressed bytes; -1 if nothing is compressed.
    pub compression_ratio: f64,
    /// When how many tombstones and expiring cells can be dropped.
    pub estimated_tombstone_drop_time: TombstoneHistogram,
    /// The level of levelled compaction.
    pub sstable_level: i32,
    /// When it was repaired, in milliseconds since 1970; 0 if it was not.
    pub repaired_at: i64,
    /// The span of clusterings.
    pub covered_clustering: CoveredClustering,
    /// Whether there are counter shards from before Cassandra 2.1.
    pub has_legacy_counter_shards: bool,
    /// How many columns are set, summed over all rows.
    pub total_columns_set: i64,
    /// How many rows there are, static rows included.
    pub total_rows: i64,
    /// No mutation of the SSTable is before this commit log position; since `mb`.
    pub commit_log_lower_bound: Option<CommitLogPosition>,
    /// The parts of the commit log whose mutations are in the SSTable; since `mc`.
    pub commit_log_intervals: Option<Vec<CommitLogInterval>>,
    /// The UUID of the incremental repair session that the SSTable is part of; since `na`.
    pub pending_repair: Option<[u8; 16]>,
    /// What DSE 6.8 adds.
    pub dse: Option<DseMetadata>,
    /// Whether it holds transiently replicated data; since `na` and `ca`.
    pub is_transient: Option<bool>,
    /// The host id of the writer; `None` also if the writer did not know it.
    pub originating_host_id: Option<[u8; 16]>,
    /// Whether a partition was deleted as a whole.
    pub has_partition_level_deletions: Option<bool>,
    /// The first and the last key.
    pub key_range: Option<KeyRange>,
    /// The fraction of the ring that the SSTable covers; NaN if the writer did not know it.
    pub token_space_coverage: Option<f64>,
}

/// The keys that an SSTable spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The first partition key, serialized.
    pub first_key: Vec<u8>,
    /// The last partition key, serialized.
    pub last_key: Vec<u8>,
}

impl StatsMetadata {
    pub(super) fn parse(cursor: &mut Cursor<'_>, version: Version) -> Result<Self, Damage> {
        let c = cursor;
        // Initializers run in the order they are written in, which is that of the file.
        let mut stats = Self {
            estimated_partition_size: EstimatedHistogram::parse(c, "partition sizes")?,
            estimated_cell_per_partition_count: EstimatedHistogram::parse(
                c,
                "cells per partition",
            )?,
            commit_log_upper_bound: CommitLogPosition::parse(c)?,
            min_timestamp: c.i64("minimum timestamp")?,
            max_timestamp: c.i64("maximum timestamp")?,
            min_local_deletion_time: parse_deletion_time(c, version)?,
            max_local_deletion_time: parse_deletion_time(c, version)?,
            min_ttl: c.i32("minimum TTL")?,
            max_ttl: c.i32("maximum TTL")?,
            compression_ratio: c.f64("compression ratio")?,
            estimated_tombstone_drop_time: if version.has_uint_deletion_time() {
                TombstoneHistogram::parse_five(c)?
            } else {
                TombstoneHistogram::parse_legacy(c)?
            },
            sstable_level: c.i32("level")?,
            repaired_at: c.i64("time of repair")?,
            covered_clustering: if version.has_legacy_min_max() {
                CoveredClustering::parse_values(c)?
            } else {
                CoveredClustering::parse_slice(c)?
            },
            has_legacy_counter_shards: c.bool("presence of legacy counter shards")?,
            total_columns_set: c.i64("total columns set")?,
            total_rows: c.i64("total rows")?,
            commit_log_lower_bound: None,
            commit_log_intervals: None,
            pending_repair: None,
            dse: None,
            is_transient: None,
            originating_host_id: None,
            has_partition_level_deletions: None,
            key_range: None,
            token_space_coverage: None,
        };
        stats.parse_later(c, version)?;
        Ok(stats)
    }

    /// Parses the fields that later versions added.
    fn parse_later(&mut self, c: &mut Cursor<'_>, version: Version) -> Result<(), Damage> {
        if version.has_commit_log_lower_bound() {
            self.commit_log_lower_bound = Some(CommitLogPosition::parse(c)?);
        }
        if version.has_commit_log_intervals() {
            self.commit_log_intervals = Some(parse_intervals(c)?);
        }
        if version.has_pending_repair() {
            self.pending_repair = parse_optional_uuid(c, "pending repair")?;
        }
        if version.has_zero_copy() {
            self.dse = Some(DseMetadata::parse(c)?);
        }
        if version.has_is_transient() {
            self.is_transient = Some(c.bool("whether it is transient")?);
        }
        let deletions = "presence of partition-level deletions";
        let deletions_first = version.partition_level_deletions_come_first();
        if version.has_partition_level_deletions() && deletions_first {
            self.has_partition_level_deletions = Some(c.bool(deletions)?);
        }
        if version.has_originating_host_id() {
            self.originating_host_id = parse_optional_uuid(c, "originating host id")?;
        }
        if version.has_partition_level_deletions() && !deletions_first {
            self.has_partition_level_deletions = Some(c.bool(deletions)?);
        }
        if version.has_key_range() {
            self.key_range = Some(KeyRange {
                first_key: c.vint_bytes("first key")?.to_vec(),
                last_key: c.vint_bytes("last key")?.to_vec(),
            });
        }
        if version.has_token_space_coverage() {
            self.token_space_coverage = Some(c.f64("token space coverage")?);
        }
        if version.has_uint_deletion_time() && !c.is_empty() {
            self.parse_padding(c)?;
        }
        Ok(())
    }

    /// Cassandra 5.0 computes the length of a tombstone bin as before, although it is shorter, and fills the
    /// difference with zeros.
    fn padding_len(&self) -> usize {
        self.estimated_tombstone_drop_time.bins.len() * 4
    }

    fn parse_padding(&self, c: &mut Cursor<'_>) -> Result<(), Damage> {
        let start = c.clone();
        let padding = c.take(self.padding_len(), "padding")?;
        if padding.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(start.damage("the padding is not zero"))
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>, version: Version) {
        self.estimated_partition_size.encode(out);
        self.estimated_cell_per_partition_count.encode(out);
        self.commit_log_upper_bound.encode(out);
        out.extend_from_slice(&self.min_timestamp.to_be_bytes());
        out.extend_from_slice(&self.max_timestamp.to_be_bytes());
        put_deletion_time(out, self.min_local_deletion_time, version);
        put_deletion_time(out, self.max_local_deletion_time, version);
        out.extend_from_slice(&self.min_ttl.to_be_bytes());
        out.extend_from_slice(&self.max_ttl.to_be_bytes());
        out.extend_from_slice(&self.compression_ratio.to_be_bytes());
        if version.has_uint_deletion_time() {
            self.estimated_tombstone_drop_time.encode_five(out)
        } else {
            self.estimated_tombstone_drop_time.encode_legacy(out)
        }
        out.extend_from_slice(&self.sstable_level.to_be_bytes());
        out.extend_from_slice(&self.repaired_at.to_be_bytes());
        self.covered_clustering.encode(out);
        out.push(self.has_legacy_counter_shards.into());
        out.extend_from_slice(&self.total_columns_set.to_be_bytes());
        out.extend_from_slice(&self.total_rows.to_be_bytes());
        self.encode_later(out, version);
    }

    fn encode_later(&self, out: &mut Vec<u8>, version: Version) {
        if version.has_commit_log_lower_bound() {
            let bound = self
                .commit_log_lower_bound
                .unwrap_or(CommitLogPosition::NONE);
            bound.encode(out);
        }
        if version.has_commit_log_intervals() {
            encode_intervals(
                self.commit_log_intervals.as_deref().unwrap_or_default(),
                out,
            );
        }
        if version.has_pending_repair() {
            put_optional_uuid(out, self.pending_repair);
        }
        if version.has_zero_copy() {
            self.dse.clone().unwrap_or_default().encode(out);
        }
        if version.has_is_transient() {
            out.push(self.is_transient.unwrap_or(false).into());
        }
        // If it is unknown whether there are any, there may be.
        let deletions = self.has_partition_level_deletions.unwrap_or(true);
        let deletions_first = version.partition_level_deletions_come_first();
        if version.has_partition_level_deletions() && deletions_first {
            out.push(deletions.into());
        }
        if version.has_originating_host_id() {
            put_optional_uuid(out, self.originating_host_id);
        }
        if version.has_partition_level_deletions() && !deletions_first {
            out.push(deletions.into());
        }
        if let Some(range) = self.key_range.as_ref().filter(|_| version.has_key_range()) {
            put_vint_bytes(out, &range.first_key);
            put_vint_bytes(out, &range.last_key);
        }
        if version.has_token_space_coverage() {
            let coverage = self.token_space_coverage.unwrap_or(f64::NAN);
            out.extend_from_slice(&coverage.to_be_bytes());
        }
        if version.has_uint_deletion_time() {
            out.resize(out.len() + self.padding_len(), 0);
        }
    }
}

/// The greatest value means "none" in both forms.
fn parse_deletion_time(cursor: &mut Cursor<'_>, version: Version) -> Result<i64, Damage> {
    let of = "local deletion time";
    if version.has_uint_deletion_time() {
        let seconds = cursor.u32(of)?;
        return Ok(match seconds {
            u32::MAX => NO_DELETION_TIME,
            _ => seconds.into(),
        });
    }
    let seconds = cursor.i32(of)?;
    Ok(match seconds {
        i32::MAX => NO_DELETION_TIME,
        _ => seconds.into(),
    })
}

fn put_deletion_time(out: &mut Vec<u8>, seconds: i64, version: Version) {
    let bytes = if version.has_uint_deletion_time() {
        u32::try_from(seconds).unwrap_or(u32::MAX).to_be_bytes()
    } else {
        i32::try_from(seconds).unwrap_or(i32::MAX).to_be_bytes()
    };
    out.extend_from_slice(&bytes);
}

fn parse_optional_uuid(cursor: &mut Cursor<'_>, of: &str) -> Result<Option<[u8; 16]>, Damage> {
    if !cursor.bool(of)? {
        return Ok(None);
    }
    let mut uuid = [0; 16];
    uuid.copy_from_slice(cursor.take(16, of)?);
    Ok(Some(uuid))
}

fn put_optional_uuid(out: &mut Vec<u8>, uuid: Option<[u8; 16]>) {
    out.push(uuid.is_some().into());
    out.extend_from_slice(uuid.as_ref().map_or(&[], <[u8; 16]>::as_slice));
}
