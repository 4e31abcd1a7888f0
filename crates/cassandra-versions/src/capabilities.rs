//! What a release can do: asked by name, so that no version is compared elsewhere.

use crate::{Product, Release};

impl Release {
    /// Whether it is at least this Cassandra release, or a product built on one. HCD 1.x is built on Cassandra 4.0, and
    /// carries later Cassandra's SSTable ids; DSE 6.x left Cassandra before 4.0 and counts as 3.11.
    pub(crate) fn is_since(&self, line: (u32, u32)) -> bool {
        match self.product {
            Product::Cassandra => self.line() >= line,
            Product::Dse => (3, 11) >= line,
            Product::Hcd => (4, 0) >= line,
        }
    }

    /// Whether the server itself answers `DESCRIBE … WITH INTERNALS`.
    pub fn has_describe_statement(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `nodetool import` exists; older releases load by `nodetool refresh`.
    pub fn has_import(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `system.peers_v2` exists.
    pub fn has_peers_v2(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `system_views.settings` exists.
    pub fn has_settings_table(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether SSTable ids made of time are parsed, not sequence numbers only. Files for others must be renamed.
    pub fn parses_time_ids(&self) -> bool {
        self.product == Product::Hcd || self.is_since((4, 1))
    }

    /// Whether a table's definition may carry this option: some came, some went, some are of one product. Those that are
    /// not known here are left to the server.
    pub fn accepts_table_option(&self, option: &str) -> bool {
        let is = |product| self.product == product;
        match option {
            "read_repair_chance" | "dclocal_read_repair_chance" => !self.is_since((4, 0)),
            // DSE 6 has both, although it left Cassandra before.
            "additional_write_policy" | "read_repair" => is(Product::Dse) || self.is_since((4, 0)),
            // HCD carries these of later Cassandra.
            "memtable" => is(Product::Hcd) || self.is_since((4, 1)),
            "allow_auto_snapshot" | "incremental_backups" => {
                is(Product::Hcd) || self.is_since((5, 0))
            }
            // HCD only warns of them, and drops them itself.
            "nodesync" | "dse_vertex_label_property" | "dse_edge_label_property" => {
                is(Product::Dse)
            }
            _ => true,
        }
    }

    /// Whether an index of a bare `CREATE INDEX` may become another kind than it was, because the default is a setting;
    /// then `USING 'legacy_local_table'` says what it was.
    pub fn names_legacy_index(&self) -> bool {
        self.is_since((5, 0))
    }

    /// Whether the release itself brings this compaction strategy, by its simple class name.
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

    /// `"+"` where the release can, else `"-"`, in the order of the columns.
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
    fn each_release_can_what_it_can() {
        for (release, expected) in [
            ("cassandra 3.11.19", "----+-----+-"),
            ("cassandra 4.0.17", "+++--+----+-"),
            ("cassandra 4.1.9", "++++-++---+-"),
            ("cassandra 5.0.5", "++++-+++-+-+"),
            ("dse 6.8.50", "----++--+-+-"),
            ("dse 6.9.2", "----++--+-+-"),
            ("hcd 1.2.1", "++++-+++--++"),
        ] {
            assert_eq!(row(release), expected, "{release}");
        }
    }
}
