//! How each release line supports a feature.

use cassandra_versions::{Product, Release};

use crate::feature::Feature;
use crate::rewrite::Rewrite;

/// Whether and how a release has a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// It has the feature as it is.
    Native,
    /// It does not have the feature, but this rewriting comes closest.
    Rewritable(Rewrite),
    /// It has the feature if this setting of `cassandra.yaml` allows it.
    NeedsSetting(&'static str),
    /// It has the feature if this class is installed on every node.
    NeedsClass(String),
    /// It does not have the feature, and nothing comes close.
    Unsupported,
}

/// How a release supports a feature. Every such decision is in this function, with its reason.
pub fn support(feature: &Feature, release: &Release) -> Support {
    use Support::{Native, Rewritable, Unsupported};
    let native_if = |yes: bool, otherwise: Support| if yes { Native } else { otherwise };
    let or = |yes: bool, rewrite: Rewrite| native_if(yes, Rewritable(rewrite));
    let accepts = |option: &str| or(release.accepts_table_option(option), Rewrite::DropOption);
    let setting = |old: &'static str, new: &'static str| {
        Support::NeedsSetting(if release.names_settings_by_subject() {
            new
        } else {
            old
        })
    };
    let of_dse = release.has_dse_services();
    match feature {
        // HCD warns, and creates no index for any class of DSE Search; Cassandra does not have the class.
        Feature::SearchIndex => or(of_dse, Rewrite::LeaveIndexOut),
        Feature::SearchColumn => or(of_dse, Rewrite::DropSearchColumn),
        // HCD parses labels and ignores them; the grammar of Cassandra does not have them.
        Feature::GraphLabel => or(of_dse, Rewrite::DropGraphLabel),
        Feature::GraphKeyspace => or(of_dse, Rewrite::DropGraphEngine),
        // The state of a service that no other product has.
        Feature::AnalyticsKeyspace => native_if(of_dse, Unsupported),
        // HCD warns of these three options and ignores them; Cassandra refuses unknown ones.
        Feature::NodeSync | Feature::GraphProperty => accepts("nodesync"),
        // HCD silently takes its default instead.
        Feature::TieredCompaction | Feature::MemoryOnlyCompaction => {
            or(of_dse, Rewrite::SizeTiered)
        }
        Feature::EverywhereStrategy => or(release.has_dse_classes(), Rewrite::NetworkTopology),
        // HCD has the four classes among its own types.
        Feature::DseType => native_if(release.has_dse_classes(), Unsupported),
        // The grammar of HCD has neither word.
        Feature::FunctionProperties => or(of_dse, Rewrite::DropFunctionProperties),
        Feature::Sai => or(release.has_sai(), Rewrite::LeaveIndexOut),
        Feature::Sasi if !release.guards_sasi() => Native,
        // Off by default since 4.0.
        Feature::Sasi => setting("enable_sasi_indexes", "sasi_indexes_enabled"),
        Feature::Vector => native_if(release.has_vectors(), Unsupported),
        // Since 3.10, so everywhere.
        Feature::Duration => Native,
        Feature::UnifiedCompaction => {
            let has = release.has_compaction_strategy("UnifiedCompactionStrategy");
            or(has, Rewrite::SizeTiered)
        }
        Feature::DateTieredCompaction => {
            let has = release.has_compaction_strategy("DateTieredCompactionStrategy");
            or(has, Rewrite::TimeWindow)
        }
        Feature::CompactStorage => or(release.has_compact_storage(), Rewrite::DropCompactStorage),
        Feature::NoCql => Unsupported,
        Feature::JavaFunction => setting(
            "enable_user_defined_functions",
            "user_defined_functions_enabled",
        ),
        Feature::ScriptedFunction(_) if !release.has_scripted_functions() => Unsupported,
        Feature::ScriptedFunction(_) => setting(
            "enable_scripted_user_defined_functions",
            "scripted_user_defined_functions_enabled",
        ),
        Feature::MaterializedView if !release.guards_views() => Native,
        // Off by default since 4.0. HCD warns at startup if it is on.
        Feature::MaterializedView => {
            setting("enable_materialized_views", "materialized_views_enabled")
        }
        Feature::Mask if release.has_masks() => {
            Support::NeedsSetting("dynamic_data_masking_enabled")
        }
        // Without the mask all users would see the values.
        Feature::Mask => Rewritable(Rewrite::DropMasks),
        // The system keys are checked separately from the schema.
        Feature::Encryption(_) => native_if(release.has_dse_classes(), Unsupported),
        Feature::Zstd => native_if(release.has_zstd(), Unsupported),
        Feature::Trigger(class)
        | Feature::CustomCompaction(class)
        | Feature::CustomIndex(class)
        | Feature::CustomCompressor(class)
        | Feature::CustomType(class)
        | Feature::CustomReplication(class) => Support::NeedsClass(class.clone()),
        Feature::TransientReplication if !release.has_transient_replication() => Unsupported,
        Feature::TransientReplication => setting(
            "enable_transient_replication",
            "transient_replication_enabled",
        ),
        Feature::ReadRepairChance => accepts("read_repair_chance"),
        Feature::ReadRepairPolicy => accepts("read_repair"),
        Feature::Memtable => accepts("memtable"),
        Feature::SnapshotOptions => accepts("allow_auto_snapshot"),
        Feature::Cdc => Support::NeedsSetting("cdc_enabled"),
        // 5.0 refuses the old names.
        Feature::OldCompressionNames => or(
            release.has_old_compression_names(),
            Rewrite::RenameCompression,
        ),
    }
}

/// Whether a release that lacks a feature makes an object with it all the same, and goes on without it. HCD does for most of
/// what DSE wrote down of its own, but its grammar has no word for functions that are deterministic or monotonic, and
/// whether it takes the engine of a graph's keyspace is not known.
pub fn is_ignored(feature: &Feature, release: &Release) -> bool {
    let is_read = matches!(
        feature,
        Feature::SearchIndex
            | Feature::SearchColumn
            | Feature::GraphLabel
            | Feature::GraphProperty
            | Feature::NodeSync
            | Feature::TieredCompaction
            | Feature::MemoryOnlyCompaction
    );
    is_read && release.product == Product::Hcd
}
