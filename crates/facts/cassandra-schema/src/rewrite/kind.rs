//! The ways to rewrite an object, and which of them to use for a feature.

use std::fmt;

use cassandra_versions::Release;

use crate::feature::Feature;
use crate::support::{Support, support};

/// A way to rewrite an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rewrite {
    /// Leaves out an option that the release does not have.
    DropOption,
    /// Leaves out a memtable that was chosen for the table, because the release names memtables in another way.
    DropMemtable,
    /// `sstable_compression` and `chunk_length_kb` become `class` and `chunk_length_in_kb`.
    RenameCompression,
    /// `crc_check_chance` moves from the compression options to the table's.
    MoveCrcCheckChance,
    /// Adds `USING 'legacy_local_table'`, because the default may be another kind of index.
    NameLegacyIndex,
    /// `USING 'sai'` becomes the class `StorageAttachedIndex`.
    NameSaiClass,
    /// Replaces the compaction strategy with SizeTieredCompactionStrategy.
    SizeTiered,
    /// Replaces the compaction strategy with TimeWindowCompactionStrategy.
    TimeWindow,
    /// Replaces EverywhereStrategy with NetworkTopologyStrategy and a replica on every node.
    NetworkTopology,
    /// Leaves the index out.
    LeaveIndexOut,
    /// Leaves out the column of DSE Search.
    DropSearchColumn,
    /// Leaves the view out.
    LeaveViewOut,
    /// Leaves out the label of DSE Graph.
    DropGraphLabel,
    /// Leaves out the keyspace's graph engine.
    DropGraphEngine,
    /// Leaves out the masks of columns.
    DropMasks,
    /// Leaves out the trigger.
    DropTriggers,
    /// Creates the table without COMPACT STORAGE, with the columns that the storage engine has.
    DropCompactStorage,
    /// Leaves out `DETERMINISTIC` and `MONOTONIC`.
    DropFunctionProperties,
}

impl Rewrite {
    /// Whether it changes neither what is stored nor the result of any query.
    pub fn is_safe(self) -> bool {
        matches!(
            self,
            Self::DropOption
                | Self::DropMemtable
                | Self::RenameCompression
                | Self::MoveCrcCheckChance
                | Self::NameLegacyIndex
                | Self::NameSaiClass
        )
    }

    /// Whether it leaves out something that was chosen, so that people are to know of it although it is safe.
    pub fn loses_a_choice(self) -> bool {
        self == Self::DropMemtable
    }

    /// What it does, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::DropOption => "the option is left out",
            Self::DropMemtable => {
                "the memtable that was chosen for it is left out, and it gets the default one"
            }
            Self::RenameCompression => "compression options get their present names",
            Self::MoveCrcCheckChance => "crc_check_chance becomes an option of its own",
            Self::NameLegacyIndex => "the index says what it was by default",
            Self::NameSaiClass => "the index is named by its class",
            Self::SizeTiered => "SizeTieredCompactionStrategy compacts it instead",
            Self::TimeWindow => "TimeWindowCompactionStrategy compacts it instead",
            Self::NetworkTopology => "NetworkTopologyStrategy replicates it to every node instead",
            Self::LeaveIndexOut => "the index is left out",
            Self::DropSearchColumn => "the column of the search index is left out",
            Self::LeaveViewOut => "the view is left out",
            Self::DropGraphLabel => "the graph label is left out",
            Self::DropGraphEngine => "the graph engine is left out",
            Self::DropMasks => "columns are no longer masked",
            Self::DropTriggers => "the trigger is left out",
            Self::DropCompactStorage => "the table is made without COMPACT STORAGE",
            Self::DropFunctionProperties => {
                "the function is no longer known as deterministic or monotonic"
            }
        }
    }
}

impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rewriting that comes closest to a feature on a release that does not have it, or has it only with a setting or
/// class.
pub fn rewrites_of(feature: &Feature, release: &Release) -> Option<Rewrite> {
    match (support(feature, release), feature) {
        (Support::Native, _) => None,
        (Support::Rewritable(rewrite), _) => Some(rewrite),
        (_, Feature::Sasi | Feature::CustomIndex(_)) => Some(Rewrite::LeaveIndexOut),
        (_, Feature::MaterializedView) => Some(Rewrite::LeaveViewOut),
        (_, Feature::Mask) => Some(Rewrite::DropMasks),
        (_, Feature::Trigger(_)) => Some(Rewrite::DropTriggers),
        (_, Feature::CustomCompaction(_)) => Some(Rewrite::SizeTiered),
        (_, Feature::CustomReplication(_)) => Some(Rewrite::NetworkTopology),
        _ => None,
    }
}
