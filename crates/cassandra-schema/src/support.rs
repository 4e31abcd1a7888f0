//! What each release line does with a feature.

use cassandra_versions::{Product, Release};

use crate::feature::Feature;
use crate::rewrite::Rewrite;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    Native,
    /// Not as it is, but this comes closest.
    Rewritable(Rewrite),
    /// Only where this setting of `cassandra.yaml` allows it.
    NeedsSetting(&'static str),
    /// Only where this class is installed on every node.
    NeedsClass(String),
    Unsupported,
}

/// The columns of the table. What is not listed counts as the nearest earlier line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    C3_11,
    C4_0,
    C4_1,
    C5_0,
    Dse6_8,
    Dse6_9,
    Hcd,
}

impl Line {
    fn of(release: &Release) -> Self {
        match (release.product, release.line()) {
            (Product::Cassandra, line) if line >= (5, 0) => Self::C5_0,
            (Product::Cassandra, line) if line >= (4, 1) => Self::C4_1,
            (Product::Cassandra, line) if line >= (4, 0) => Self::C4_0,
            (Product::Cassandra, _) => Self::C3_11,
            (Product::Dse, line) if line >= (6, 9) => Self::Dse6_9,
            (Product::Dse, _) => Self::Dse6_8,
            (Product::Hcd, _) => Self::Hcd,
        }
    }

    fn is_dse(self) -> bool {
        matches!(self, Self::Dse6_8 | Self::Dse6_9)
    }

    /// 4.1 turned `enable_x` into `x_enabled`; HCD and DSE kept the names of the line that they left from.
    fn setting(self, old: &'static str, new: &'static str) -> Support {
        Support::NeedsSetting(match self {
            Self::C4_1 | Self::C5_0 => new,
            Self::C3_11 | Self::C4_0 | Self::Dse6_8 | Self::Dse6_9 | Self::Hcd => old,
        })
    }
}

pub fn support(feature: &Feature, release: &Release) -> Support {
    use Line::*;
    use Support::{Native, Rewritable, Unsupported};
    let line = Line::of(release);
    let native_where = |yes: bool, otherwise: Support| if yes { Native } else { otherwise };
    match feature {
        // HCD warns and makes no index for any class of DSE Search; Cassandra does not know the class.
        Feature::SearchIndex => native_where(line.is_dse(), Rewritable(Rewrite::LeaveIndexOut)),
        // HCD reads labels and forgets them; the grammar of Cassandra does not have them.
        Feature::GraphLabel => native_where(line.is_dse(), Rewritable(Rewrite::DropGraphLabel)),
        Feature::GraphKeyspace => native_where(line.is_dse(), Rewritable(Rewrite::DropGraphEngine)),
        // State of a service that nothing else runs.
        Feature::AnalyticsKeyspace => native_where(line.is_dse(), Unsupported),
        // HCD warns of these three options and ignores them; Cassandra refuses unknown ones.
        Feature::NodeSync | Feature::GraphProperty => {
            native_where(line.is_dse(), Rewritable(Rewrite::DropOption))
        }
        // HCD silently takes its default instead.
        Feature::TieredCompaction | Feature::MemoryOnlyCompaction => {
            native_where(line.is_dse(), Rewritable(Rewrite::SizeTiered))
        }
        // HCD brings the class too.
        Feature::EverywhereStrategy => native_where(
            line.is_dse() || line == Hcd,
            Rewritable(Rewrite::NetworkTopology),
        ),
        // HCD has the four classes among its own types.
        Feature::DseType => native_where(line.is_dse() || line == Hcd, Unsupported),
        // The grammar of HCD has neither word.
        Feature::FunctionProperties => {
            native_where(line.is_dse(), Rewritable(Rewrite::DropFunctionProperties))
        }
        Feature::Sai => native_where(
            line == C5_0 || line.is_dse() || line == Hcd,
            Rewritable(Rewrite::LeaveIndexOut),
        ),
        // Off by default since 4.0; 3.11 and DSE have no such setting.
        Feature::Sasi => match line {
            C3_11 | Dse6_8 | Dse6_9 => Native,
            C4_0 | C4_1 | C5_0 | Hcd => line.setting("enable_sasi_indexes", "sasi_indexes_enabled"),
        },
        Feature::Vector => native_where(matches!(line, C5_0 | Dse6_9 | Hcd), Unsupported),
        // Since 3.10, so everywhere.
        Feature::Duration => Native,
        Feature::UnifiedCompaction | Feature::DateTieredCompaction => {
            let (name, instead) = match feature {
                Feature::UnifiedCompaction => ("UnifiedCompactionStrategy", Rewrite::SizeTiered),
                _ => ("DateTieredCompactionStrategy", Rewrite::TimeWindow),
            };
            native_where(release.has_compaction_strategy(name), Rewritable(instead))
        }
        // DSE gave it up with 6.0. Cassandra took it back before 4.0 was released.
        Feature::CompactStorage => {
            native_where(!line.is_dse(), Rewritable(Rewrite::DropCompactStorage))
        }
        Feature::NoCql => Unsupported,
        Feature::JavaFunction => line.setting(
            "enable_user_defined_functions",
            "user_defined_functions_enabled",
        ),
        // 5.0 took scripts out. 4.1 renamed the setting before.
        Feature::ScriptedFunction(_) => match line {
            C5_0 => Unsupported,
            _ => line.setting(
                "enable_scripted_user_defined_functions",
                "scripted_user_defined_functions_enabled",
            ),
        },
        // On by default in 3.11 and DSE, off since 4.0. HCD warns at the start where it is on.
        Feature::MaterializedView => match line {
            Dse6_8 | Dse6_9 => Native,
            _ => line.setting("enable_materialized_views", "materialized_views_enabled"),
        },
        Feature::Mask => match line {
            C5_0 => Support::NeedsSetting("dynamic_data_masking_enabled"),
            _ => Rewritable(Rewrite::DropMasks),
        },
        // The system keys are checked apart from the schema. HCD has the compressors of DSE.
        Feature::Encryption(_) => native_where(line.is_dse() || line == Hcd, Unsupported),
        // Since 4.0; DSE 6 left before.
        Feature::Zstd => native_where(matches!(line, C4_0 | C4_1 | C5_0 | Hcd), Unsupported),
        Feature::Trigger(class)
        | Feature::CustomCompaction(class)
        | Feature::CustomIndex(class)
        | Feature::CustomCompressor(class)
        | Feature::CustomType(class)
        | Feature::CustomReplication(class) => Support::NeedsClass(class.clone()),
        Feature::TransientReplication => match line {
            C3_11 | Dse6_8 | Dse6_9 => Unsupported,
            _ => line.setting(
                "enable_transient_replication",
                "transient_replication_enabled",
            ),
        },
        Feature::ReadRepairChance => native_where(
            release.accepts_table_option("read_repair_chance"),
            Rewritable(Rewrite::DropOption),
        ),
        Feature::ReadRepairPolicy => native_where(
            release.accepts_table_option("read_repair"),
            Rewritable(Rewrite::DropOption),
        ),
        Feature::Memtable => native_where(
            release.accepts_table_option("memtable"),
            Rewritable(Rewrite::DropOption),
        ),
        Feature::SnapshotOptions => native_where(
            release.accepts_table_option("allow_auto_snapshot"),
            Rewritable(Rewrite::DropOption),
        ),
        Feature::Cdc => Support::NeedsSetting("cdc_enabled"),
        // 5.0 refuses the old names.
        Feature::OldCompressionNames => {
            native_where(line < C5_0, Rewritable(Rewrite::RenameCompression))
        }
    }
}
