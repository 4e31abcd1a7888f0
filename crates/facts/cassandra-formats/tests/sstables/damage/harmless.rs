//! Why damage that was not found does no harm, by what readers take from the component.

use cassandra_formats::Version;
use cassandra_formats::digest::parse_digest;
use cassandra_formats::statistics::Statistics;
use cassandra_formats::statistics::stats::StatsMetadata;

use super::content;
use crate::folders::Memory;

pub enum Verdict {
    Harmless(String),
    /// It may do harm, and why it is not found is known.
    Gap(String),
    Harmful(String),
}

fn harmless(why: &str) -> Verdict {
    Verdict::Harmless(why.to_owned())
}

fn gap(why: &str) -> Verdict {
    Verdict::Gap(why.to_owned())
}

/// Of damage that verify did not find.
pub fn judge(component: &str, version: Version, sound: &Memory, found: &Memory) -> Verdict {
    if component == "Statistics.db" {
        return judge_statistics(version, sound, found);
    }
    if reads_alike(component, version, sound, found) {
        return Verdict::Harmless(format!("{component} reads as before"));
    }
    if component == "TOC.txt" && found["TOC.txt"] == sound["TOC.txt"][..found["TOC.txt"].len()] {
        // Cassandra itself leaves names out when it adds an index.
        return gap("TOC.txt names fewer components, which is a warning");
    }
    let separators = |c| content::bti_index(c, version, false).ok();
    if component == "Rows.db" && separators(sound) == separators(found) {
        return gap("separators of row index blocks");
    }
    Verdict::Harmful("it reads otherwise".to_owned())
}

/// Whether readers find in the damaged component what they find in the sound one.
fn reads_alike(component: &str, version: Version, sound: &Memory, found: &Memory) -> bool {
    let same = |of: &dyn Fn(&Memory) -> Option<String>| {
        let sound = of(sound);
        assert!(sound.is_some(), "{component} of the sound one is read");
        sound == of(found)
    };
    match component {
        "Index.db" => same(&|c| content::big_index(c, version).ok()),
        "Partitions.db" | "Rows.db" => same(&|c| content::bti_index(c, version, true).ok()),
        "CRC.db" => same(&|c| content::checksums(c).ok()),
        "Digest.crc32" => same(&|c| Some(parse_digest(&c["Digest.crc32"]).ok()?.to_string())),
        "CompressionInfo.db" => {
            same(&|c| content::chunks(c, version).ok())
                && content::bytes(sound, version).ok() == content::bytes(found, version).ok()
        }
        _ => false,
    }
}

fn judge_statistics(version: Version, sound: &Memory, found: &Memory) -> Verdict {
    let parse = |memory| content::statistics(memory, version).expect("verify has parsed it");
    let (before, after) = (parse(sound), parse(found));
    if before == after {
        return harmless("Statistics.db reads as before");
    }
    if let Some(verdict) = judge_header(&before, &after) {
        return verdict;
    }
    if content::rows(sound, version).ok() != content::rows(found, version).ok() {
        return if times_shifted(&before, &after) {
            gap("a minimum of the header: rows read with other times")
        } else {
            Verdict::Harmful("rows read otherwise".to_owned())
        };
    }
    if before.header != after.header {
        return harmless("a minimum of the header that no row uses");
    }
    if before.validation.partitioner != after.validation.partitioner {
        return Verdict::Harmful("another partitioner".to_owned());
    }
    if before.validation != after.validation {
        return harmless("a false positive chance that is not the table's: the filter is rebuilt");
    }
    if before.cardinality != after.cardinality {
        return Verdict::Harmful("another sketch of the keys".to_owned());
    }
    judge_stats(version, &before.stats, &after.stats)
}

/// Times of rows are differences to the header's minima. Where neither bound of Statistics.db is one of a row's but
/// of a partition's deletion, which is independent, all rows can be a little later or earlier without any sign.
fn times_shifted(before: &Statistics, after: &Statistics) -> bool {
    let (b, a) = (&before.header, &after.header);
    b.min_timestamp != a.min_timestamp
        || b.min_local_deletion_time != a.min_local_deletion_time
        || b.min_ttl != a.min_ttl
}

/// Names that nothing else in the SSTable has.
fn judge_header(before: &Statistics, after: &Statistics) -> Option<Verdict> {
    let (b, a) = (&before.header, &after.header);
    let columns = |of: &Statistics| -> (Vec<Vec<u8>>, Vec<String>) {
        let header = &of.header;
        let all = header.static_columns.iter().chain(&header.regular_columns);
        all.map(|column| (column.name.clone(), column.type_class.clone()))
            .unzip()
    };
    let ((names, types), (other_names, other_types)) = (columns(before), columns(after));
    if names != other_names {
        return Some(gap("a column's name"));
    }
    let same_types = types == other_types
        && b.clustering_types == a.clustering_types
        && b.key_type == a.key_type;
    if same_types {
        return None;
    }
    let all = |types: &[String], of: &Statistics| {
        let mut all = types.to_vec();
        all.extend(of.header.clustering_types.iter().cloned());
        all.push(of.header.key_type.clone());
        all
    };
    let (one, other) = (all(&types, before), all(&other_types, after));
    let of_user_type = one
        .iter()
        .zip(&other)
        .all(|(one, other)| one == other || one.contains("UserType("));
    Some(if of_user_type {
        gap("a name in a user type")
    } else {
        Verdict::Harmful("another type".to_owned())
    })
}

fn judge_stats(version: Version, before: &StatsMetadata, after: &StatsMetadata) -> Verdict {
    let (b, a) = (before, after);
    if b.covered_clustering != a.covered_clustering {
        let before_md = ["big-ma", "big-mb", "big-mc"].contains(&version.to_string().as_str());
        return if before_md {
            harmless("clustering bounds that readers do not believe before md")
        } else {
            gap("clustering bounds")
        };
    }
    let positions = |s: &StatsMetadata| {
        let intervals = s.commit_log_intervals.clone();
        (
            s.commit_log_lower_bound,
            s.commit_log_upper_bound,
            intervals,
        )
    };
    if positions(b) != positions(a) {
        return gap("commit log positions");
    }
    if b.originating_host_id != a.originating_host_id {
        return harmless("no node's host id: the commit log is replayed");
    }
    judge_bounds(b, a)
        .or_else(|| judge_states(b, a))
        .or_else(|| judge_estimates(b, a))
        .unwrap_or_else(|| Verdict::Harmful("something else".to_owned()))
}

/// Verify has held the damaged bounds against the rows, which read as before: readers miss none by them.
fn judge_bounds(b: &StatsMetadata, a: &StatsMetadata) -> Option<Verdict> {
    let ranges = |s: &StatsMetadata| {
        [
            ("timestamps", s.min_timestamp, s.max_timestamp),
            (
                "deletion times",
                s.min_local_deletion_time,
                s.max_local_deletion_time,
            ),
            ("times to live", s.min_ttl.into(), s.max_ttl.into()),
        ]
    };
    let (of, min, max, other_min, other_max) = std::iter::zip(ranges(b), ranges(a))
        .map(|((of, min, max), (_, other_min, other_max))| (of, min, max, other_min, other_max))
        .find(|(_, min, max, other_min, other_max)| (min, max) != (other_min, other_max))?;
    let is_wider = other_min <= min && max <= other_max;
    Some(Verdict::Harmless(if is_wider {
        format!("wider bounds of {of}")
    } else {
        format!("bounds of {of} that still hold all rows")
    }))
}

fn judge_states(b: &StatsMetadata, a: &StatsMetadata) -> Option<Verdict> {
    if b.sstable_level != a.sstable_level {
        return Some(harmless(
            "another level: an SSTable that overlaps there goes to level 0",
        ));
    }
    if b.repaired_at != a.repaired_at {
        return Some(if b.repaired_at != 0 && a.repaired_at != 0 {
            harmless("repaired at another time")
        } else {
            Verdict::Harmful("repaired or not".to_owned())
        });
    }
    if b.has_legacy_counter_shards != a.has_legacy_counter_shards {
        return Some(if a.has_legacy_counter_shards {
            harmless("legacy counter shards are looked for and not there")
        } else {
            Verdict::Harmful("legacy counter shards are not looked for".to_owned())
        });
    }
    (b.estimated_partition_size != a.estimated_partition_size)
        .then(|| Verdict::Harmful("another histogram of sizes".to_owned()))
}

/// What compactions and operators go by, and no read.
fn judge_estimates(b: &StatsMetadata, a: &StatsMetadata) -> Option<Verdict> {
    let totals = |s: &StatsMetadata| (s.total_rows, s.total_columns_set);
    let cells = |s: &StatsMetadata| s.estimated_cell_per_partition_count.clone();
    let tombstones = |s: &StatsMetadata| s.estimated_tombstone_drop_time.clone();
    let of = if totals(b) != totals(a) {
        "rows and columns set"
    } else if cells(b) != cells(a) {
        "cells of partitions"
    } else if tombstones(b) != tombstones(a) {
        "when tombstones can be dropped"
    } else if b.compression_ratio.to_bits() != a.compression_ratio.to_bits() {
        "the compression ratio"
    } else {
        return None;
    };
    Some(Verdict::Harmless(format!("an estimate: {of}")))
}
