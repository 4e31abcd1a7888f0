//! What a release can do, each capability by name, so that no version is compared elsewhere.

use crate::{Product, Release};

/// A part of CQL that cassandra.yaml switches on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Materialized views.
    MaterializedViews,
    /// Functions and aggregates that users define.
    UserDefinedFunctions,
    /// SASI indexes.
    SasiIndexes,
}

impl Release {
    /// Whether it is at least this Cassandra release, or a product built on one.
    pub(crate) fn is_since(&self, line: (u32, u32)) -> bool {
        self.base() >= line
    }

    /// The line of Cassandra that it is built on. HCD 1.x is built on Cassandra 4.0, and carries later Cassandra's
    /// SSTable ids, HCD 2.x on 5.0; DSE 6.x left Cassandra before 4.0 and counts as 3.11.
    fn base(&self) -> (u32, u32) {
        match self.product {
            Product::Cassandra => self.line(),
            Product::Dse => (3, 11),
            Product::Hcd if self.is_hcd_2() => (5, 0),
            Product::Hcd => (4, 0),
        }
    }

    /// Whether it is built on a later line of Cassandra: all that is known of the order of two releases if the product
    /// of one is not known.
    pub fn has_later_base_than(&self, other: &Self) -> bool {
        self.base() > other.base()
    }

    /// HCD 2.x is of the line of Converged Cassandra that is built on Cassandra 5.0.
    pub(crate) fn is_hcd_2(&self) -> bool {
        self.product == Product::Hcd && self.line() >= (2, 0)
    }

    /// Whether the server itself understands `DESCRIBE … WITH INTERNALS`.
    pub fn has_describe_statement(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `nodetool import` exists; older releases load by `nodetool refresh`.
    pub fn has_import(&self) -> bool {
        self.is_since((4, 0))
    }

    /// The command that rewrites SSTables of all older formats. HCD writes `bti` and, without `-a`, skips the latest version
    /// of `big`: seen on Converged Cassandra 4.0, on which HCD 1.x is built.
    pub fn upgrade_command(&self) -> &'static str {
        match self.product {
            Product::Hcd => "nodetool upgradesstables -a",
            Product::Cassandra | Product::Dse => "nodetool upgradesstables",
        }
    }

    /// Whether `system.peers_v2` exists.
    pub fn has_peers_v2(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `system_views.settings` exists.
    pub fn has_settings_table(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `system_views.gossip_info` exists. It was seen on nodes of HCD 2.x, and is missing from those of 1.x.
    pub fn has_gossip_table(&self) -> bool {
        self.product != Product::Dse && self.is_since((4, 1))
    }

    /// Whether a permission on all keyspaces is one on those of the product, too.
    pub fn all_keyspaces_include_its_own(&self) -> bool {
        !self.is_since((4, 1))
    }

    /// Whether `storage_compatibility_mode` exists.
    pub fn has_storage_compatibility_mode(&self) -> bool {
        self.is_since((5, 0))
    }

    /// Whether UUID-based SSTable identifiers are parsed, not sequence numbers only. Files for other releases must be
    /// renumbered.
    pub fn parses_time_ids(&self) -> bool {
        self.product == Product::Hcd || self.is_since((4, 1))
    }

    /// Whether SSTable identifiers that are ULIDs are parsed: DataStax's Converged Cassandra writes them if
    /// configured to.
    pub fn parses_ulids(&self) -> bool {
        self.product == Product::Hcd
    }

    /// Whether it can encrypt tables. Apache Cassandra itself encrypts only its commit log and its hints.
    pub fn has_table_encryption(&self) -> bool {
        self.product != Product::Cassandra
    }

    /// The name of the cassandra.yaml setting that switches a part of CQL on.
    pub fn setting_name(&self, setting: Setting) -> &'static str {
        match (setting, self.is_since((4, 1))) {
            (Setting::MaterializedViews, true) => "materialized_views_enabled",
            (Setting::MaterializedViews, false) => "enable_materialized_views",
            (Setting::UserDefinedFunctions, true) => "user_defined_functions_enabled",
            (Setting::UserDefinedFunctions, false) => "enable_user_defined_functions",
            (Setting::SasiIndexes, true) => "sasi_indexes_enabled",
            (Setting::SasiIndexes, false) => "enable_sasi_indexes",
        }
    }

    /// Whether a table's definition may carry this option: some were added, some removed, some belong to one product.
    /// Options that are not known here are accepted, so that the server decides.
    pub fn accepts_table_option(&self, option: &str) -> bool {
        let is = |product| self.product == product;
        match option {
            // CASSANDRA-13910 took them out of 4.0.
            "read_repair_chance" | "dclocal_read_repair_chance" => !self.is_since((4, 0)),
            // DSE 6 has both, although it left Cassandra before.
            "additional_write_policy" | "read_repair" => is(Product::Dse) || self.is_since((4, 0)),
            // CASSANDRA-17034 gave it to 4.1. Converged Cassandra 4.0 (HCD 1.x) has one of its own, which is a map: see
            // `has_memtable_maps`.
            "memtable" => is(Product::Hcd) || self.is_since((4, 1)),
            // CASSANDRA-10383 and CASSANDRA-15402 gave them to 5.0. Converged Cassandra 4.0 calls them unknown, that of 5.0
            // (HCD 2.x) prints them.
            "allow_auto_snapshot" | "incremental_backups" => self.is_since((5, 0)),
            // Options of DSE. Converged Cassandra 4.0 warns of `nodesync` and ignores it.
            "nodesync" | "dse_vertex_label_property" | "dse_edge_label_property" => {
                is(Product::Dse)
            }
            _ => true,
        }
    }

    /// Whether a bare `CREATE INDEX` may create another kind of index than it did before, because the default is a
    /// setting. `USING 'legacy_local_table'` then names the old kind.
    pub fn names_legacy_index(&self) -> bool {
        self.is_since((5, 0))
    }

    /// Whether the release itself ships this compaction strategy, by its simple class name. Nodes of HCD 1.x still create
    /// tables with DateTieredCompactionStrategy, and all of HCD has UnifiedCompactionStrategy, its default.
    pub fn has_compaction_strategy(&self, simple_name: &str) -> bool {
        match simple_name {
            "SizeTieredCompactionStrategy"
            | "LeveledCompactionStrategy"
            | "TimeWindowCompactionStrategy" => true,
            "DateTieredCompactionStrategy" => !self.is_since((5, 0)),
            "UnifiedCompactionStrategy" => self.product == Product::Hcd || self.is_since((5, 0)),
            "TieredCompactionStrategy" | "MemoryOnlyStrategy" => self.product == Product::Dse,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"+"` if the release can, else `"-"`, in the order of the columns.
    fn row(text: &str) -> String {
        let release: Release = text.parse().expect("a release");
        [
            release.has_describe_statement(),
            release.has_import(),
            release.has_peers_v2(),
            release.parses_time_ids(),
            release.accepts_table_option("read_repair_chance"),
            release.accepts_table_option("read_repair"),
            release.accepts_table_option("memtable"),
            release.accepts_table_option("incremental_backups"),
            release.accepts_table_option("nodesync"),
            release.names_legacy_index(),
            release.has_compaction_strategy("DateTieredCompactionStrategy"),
            release.has_compaction_strategy("UnifiedCompactionStrategy"),
        ]
        .map(|can| if can { '+' } else { '-' })
        .iter()
        .collect()
    }

    #[test]
    fn each_release_has_its_capabilities() {
        for (release, expected) in [
            ("cassandra 3.11.19", "----+-----+-"),
            ("cassandra 4.0.17", "+++--+----+-"),
            ("cassandra 4.1.9", "++++-++---+-"),
            ("cassandra 5.0.5", "++++-+++-+-+"),
            ("dse 6.8.50", "----++--+-+-"),
            ("dse 6.9.2", "----++--+-+-"),
            ("hcd 1.2.1", "++++-++---++"),
            ("hcd 2.0.0", "++++-+++-+-+"),
        ] {
            assert_eq!(row(release), expected, "{release}");
        }
    }

    #[test]
    fn a_base_is_later_by_the_cassandra_that_it_is_of() {
        let later = |one: &str, other: &str| {
            let release = |text: &str| text.parse::<Release>().expect("a release");
            release(one).has_later_base_than(&release(other))
        };
        assert!(later("hcd 2.0.6", "cassandra 4.0.11-2a99ee441fb7"));
        assert!(later("cassandra 5.0.7.0-ea50e91ba01f", "hcd 1.2.3"));
        assert!(!later("hcd 1.2.3", "cassandra 4.0.11-2a99ee441fb7"));
        assert!(!later("dse 6.8.50", "cassandra 3.11.19"));
    }

    #[test]
    fn settings_have_the_name_that_the_release_uses() {
        for (text, views, functions, sasi) in [
            (
                "cassandra 3.11.19",
                "enable_materialized_views",
                "enable_user_defined_functions",
                "enable_sasi_indexes",
            ),
            (
                "cassandra 4.0.17",
                "enable_materialized_views",
                "enable_user_defined_functions",
                "enable_sasi_indexes",
            ),
            (
                "cassandra 4.1.9",
                "materialized_views_enabled",
                "user_defined_functions_enabled",
                "sasi_indexes_enabled",
            ),
            (
                "dse 6.8.50",
                "enable_materialized_views",
                "enable_user_defined_functions",
                "enable_sasi_indexes",
            ),
        ] {
            let release: Release = text.parse().expect("a release");
            assert_eq!(release.setting_name(Setting::MaterializedViews), views);
            assert_eq!(
                release.setting_name(Setting::UserDefinedFunctions),
                functions
            );
            assert_eq!(release.setting_name(Setting::SasiIndexes), sasi);
        }
    }

    #[test]
    fn hcd_rewrites_the_files_of_cassandra_only_if_all_are_rewritten() {
        for (text, command) in [
            ("cassandra 4.1.9", "nodetool upgradesstables"),
            ("cassandra 5.0.5", "nodetool upgradesstables"),
            ("dse 6.9.2", "nodetool upgradesstables"),
            ("hcd 1.2.1", "nodetool upgradesstables -a"),
            ("hcd 2.0.6", "nodetool upgradesstables -a"),
        ] {
            let release: Release = text.parse().expect("a release");
            assert_eq!(release.upgrade_command(), command, "{text}");
        }
    }

    #[test]
    fn only_datastax_products_encrypt_tables_and_only_hcd_parses_ulids() {
        for (text, encrypts, ulids) in [
            ("cassandra 5.0.5", false, false),
            ("dse 6.8.50", true, false),
            ("hcd 1.2.1", true, true),
            ("hcd 2.0.6", true, true),
        ] {
            let release: Release = text.parse().expect("a release");
            assert_eq!(release.has_table_encryption(), encrypts, "{text}");
            assert_eq!(release.parses_ulids(), ulids, "{text}");
        }
    }
}
