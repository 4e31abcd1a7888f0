//! What some releases write into SSTables that others read wrong or not at all, each hazard by name.

use crate::{Product, Release};

/// How a release treats an SSTable whose header has a user-defined type unfrozen although the schema has it frozen,
/// as Cassandra 3.0 wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfrozenTypes {
    /// Read as it is.
    Read,
    /// Repaired at start for live files only; other files need `sstablescrub -e fix`.
    MendedByScrub,
    /// No tool of the release repairs it.
    Unreadable,
}

impl Release {
    /// Whether zero-copy-streamed SSTables of DSE are read. Such an SSTable is one part of a larger Data.db with the
    /// index of the whole, because the sender streams the bytes of a token range as they are.
    pub fn reads_zero_copy_slices(&self) -> bool {
        match self.product {
            Product::Cassandra => false,
            Product::Dse => self.line() >= (6, 8),
            Product::Hcd => true,
        }
    }

    /// Whether SSTables that this release zero-copy-streamed may be broken; DSE 6.8.9 fixed it.
    pub fn streams_broken_slices(&self) -> bool {
        self.is_dse_6_8() && matches!(self.patch(), 7 | 8)
    }

    /// Whether it writes tuples in the form that later releases lose (see [`loses_tuples`](Self::loses_tuples)).
    pub fn writes_tuples_that_get_lost(&self) -> bool {
        self.product == Product::Dse && !self.loses_tuples()
    }

    /// Whether it loses tuples that DSE before 6.8.36 wrote.
    pub fn loses_tuples(&self) -> bool {
        match self.product {
            Product::Cassandra => false,
            Product::Dse => self.line() > (6, 8) || self.is_dse_6_8() && self.patch() >= 36,
            Product::Hcd => true,
        }
    }

    /// Whether counters with shards from before Cassandra 2.1 are read.
    pub fn reads_legacy_counter_shards(&self) -> bool {
        !self.is_since((4, 0))
    }

    /// What this release does with a user-defined type that its SSTables have unfrozen and the schema frozen.
    pub fn unfrozen_types(&self) -> UnfrozenTypes {
        match (self.is_since((4, 0)), self.is_since((5, 0))) {
            (false, _) => UnfrozenTypes::Read,
            (true, false) => UnfrozenTypes::MendedByScrub,
            (true, true) => UnfrozenTypes::Unreadable,
        }
    }

    /// Whether it takes positions in a commit log that an SSTable of another node names for positions in its own, and may
    /// skip them when it replays that. Fixed in 3.11.11 (CASSANDRA-16619).
    pub fn trusts_foreign_commit_log_positions(&self) -> bool {
        self.product == Product::Cassandra && self.line() == (3, 11) && self.patch() < 11
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
    fn only_early_releases_of_3_11_trust_the_positions_of_others() {
        for (text, expected) in [
            ("cassandra 3.11.0", true),
            ("cassandra 3.11.10", true),
            ("cassandra 3.11.11", false),
            ("cassandra 4.0.0", false),
            ("dse 6.8.10", false),
        ] {
            let release: Release = text.parse().expect("a release");
            let found = release.trusts_foreign_commit_log_positions();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn each_release_has_its_hazards() {
        // Reads zero-copy-streamed SSTables, may have broken ones, writes tuples that get lost, loses them, reads old
        // counters, unfrozen types.
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
            ("hcd 2.0.6", "+--+-", Unreadable),
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
