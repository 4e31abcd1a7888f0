//! The ways to rewrite an object, and which of them comes closest to a feature.

use std::fmt;

use cassandra_versions::Release;

use crate::feature::Feature;
use crate::support::{Support, support};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rewrite {
    DropOption,
    RenameCompression,
    MoveCrcCheckChance,
    NameLegacyIndex,
    NameSaiClass,
    SizeTiered,
    TimeWindow,
    NetworkTopology,
    LeaveIndexOut,
    DropSearchColumn,
    LeaveViewOut,
    DropGraphLabel,
    DropGraphEngine,
    DropMasks,
    DropTriggers,
    DropCompactStorage,
    DropFunctionProperties,
}

impl Rewrite {
    /// Whether it changes nothing about what is stored or answered.
    pub fn is_safe(self) -> bool {
        matches!(
            self,
            Self::DropOption
                | Self::RenameCompression
                | Self::MoveCrcCheckChance
                | Self::NameLegacyIndex
                | Self::NameSaiClass
        )
    }

    /// What it does, as people would say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DropOption => "the option is left out",
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

/// What comes closest to a feature on a release that does not have it as it is, or not without a setting or class.
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
