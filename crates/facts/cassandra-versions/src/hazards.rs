//! What some releases write into SSTables that others read wrong or not at all, asked by name.

use crate::{Product, Release};

/// What becomes of an SSTable whose header has a user-defined type that is not frozen where the schema has it frozen: what
/// Cassandra 3.0 wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfrozenTypes {
    /// Read as it is.
    Read,
    /// Mended at start for live files only; for others `sstablescrub -e fix` does it.
    MendedByScrub,
    /// Nothing mends it any more.
    Unreadable,
}

impl Release {
    /// Whether SSTables are read that were streamed without copying: a part of the data with the index of the whole.
    pub fn reads_zero_copy_slices(&self) -> bool {
        match self.product {
            Product::Cassandra => false,
            Product::Dse => self.line() >= (6, 8),
            Product::Hcd => true,
        }
    }

    /// Whether SSTables that it streamed without copying may be broken: what DSE 6.8.9 put right.
    pub fn streams_broken_slices(&self) -> bool {
        self.is_dse_6_8() && matches!(self.patch(), 7 | 8)
    }

    /// Whether it writes tuples in the way that later releases lose.
    pub fn writes_tuples_that_get_lost(&self) -> bool {
        self.product == Product::Dse && !self.loses_tuples()
    }

    /// Whether it loses tuples that DSE of before 6.8.36 wrote.
    pub fn loses_tuples(&self) -> bool {
        match self.product {
            Product::Cassandra => false,
            Product::Dse => self.line() > (6, 8) || self.is_dse_6_8() && self.patch() >= 36,
            Product::Hcd => true,
        }
    }

    /// Whether counters with shards of before 2.1 are read.
    pub fn reads_legacy_counter_shards(&self) -> bool {
        !self.is_since((4, 0))
    }

    pub fn unfrozen_types(&self) -> UnfrozenTypes {
        match (self.is_since((4, 0)), self.is_since((5, 0))) {
            (false, _) => UnfrozenTypes::Read,
            (true, false) => UnfrozenTypes::MendedByScrub,
            (true, true) => UnfrozenTypes::Unreadable,
        }
    }

    fn is_dse_6_8(&self) -> bool {
        self.product == Product::Dse && self.line() == (6, 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UnfrozenTypes::{MendedByScrub, Read, Unreadable};

    #[test]
    fn each_release_reads_and_writes_what_it_does() {
        // Reads slices, may have broken ones, writes tuples that get lost, loses them, reads old counters, unfrozen types.
        for (text, expected, unfrozen) in [
            ("cassandra 3.11.19", "----+", Read),
            ("cassandra 4.0.17", "-----", MendedByScrub),
            ("cassandra 4.1.9", "-----", MendedByScrub),
            ("cassandra 5.0.5", "-----", Unreadable),
            ("dse 5.1.40", "--+-+", Read),
            ("dse 6.7.17", "--+-+", Read),
            ("dse 6.8.6", "+-+-+", Read),
            ("dse 6.8.7", "+++-+", Read),
            ("dse 6.8.8", "+++-+", Read),
            ("dse 6.8.9", "+-+-+", Read),
            ("dse 6.8.35", "+-+-+", Read),
            ("dse 6.8.36", "+--++", Read),
            ("dse 6.9.7", "+--++", Read),
            ("hcd 1.2.1", "+--+-", MendedByScrub),
        ] {
            let release: Release = text.parse().expect("a release");
            let row: String = [
                release.reads_zero_copy_slices(),
                release.streams_broken_slices(),
                release.writes_tuples_that_get_lost(),
                release.loses_tuples(),
                release.reads_legacy_counter_shards(),
            ]
            .map(|can| if can { '+' } else { '-' })
            .iter()
            .collect();
            assert_eq!(row, expected, "{text}");
            assert_eq!(release.unfrozen_types(), unfrozen, "{text}");
        }
    }
}
