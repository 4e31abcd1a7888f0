//! What a schema may need of a release: types, indexes and storage options that not every line has.

use crate::{Product, Release};

impl Release {
    /// Whether it has Search, Graph, Analytics, NodeSync and the storage tiers of DSE.
    pub fn has_dse_services(&self) -> bool {
        self.product == Product::Dse
    }

    /// Whether it has what HCD took over from DSE: EverywhereStrategy, geometric and date range types, and the
    /// compressors that encrypt.
    pub fn has_dse_classes(&self) -> bool {
        matches!(self.product, Product::Dse | Product::Hcd)
    }

    /// Whether it has storage-attached indexes; DSE and HCD know them by their class only.
    pub fn has_sai(&self) -> bool {
        self.has_dse_classes() || self.is_since((5, 0))
    }

    /// Whether `CREATE INDEX … USING 'sai'` is understood without `CUSTOM`.
    pub fn names_sai_index(&self) -> bool {
        self.is_since((5, 0))
    }

    /// Whether columns may be vectors. DSE got them with 6.9.
    pub fn has_vectors(&self) -> bool {
        match self.product {
            Product::Cassandra => self.is_since((5, 0)),
            Product::Dse => self.line() >= (6, 9),
            Product::Hcd => true,
        }
    }

    /// Whether columns may be masked.
    pub fn has_masks(&self) -> bool {
        self.is_since((5, 0))
    }

    /// Whether functions may be written in a scripting language.
    pub fn has_scripted_functions(&self) -> bool {
        !self.is_since((5, 0))
    }

    /// Whether it has `COMPACT STORAGE`. DSE removed it in 6.0; Cassandra removed it too, but brought it back before
    /// 4.0 was released.
    pub fn has_compact_storage(&self) -> bool {
        self.product != Product::Dse
    }

    /// Whether a replication factor may have transient replicas, as in `3/1`.
    pub fn has_transient_replication(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether it has `ZstdCompressor`.
    pub fn has_zstd(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether `sstable_compression` and `chunk_length_kb` are still understood.
    pub fn has_old_compression_names(&self) -> bool {
        !self.is_since((5, 0))
    }

    /// Whether SASI indexes need a setting that allows them.
    pub fn guards_sasi(&self) -> bool {
        self.is_since((4, 0))
    }

    /// Whether materialized views need a setting that allows them. 3.11 has the setting too, on by default.
    pub fn guards_views(&self) -> bool {
        self.product != Product::Dse
    }

    /// Whether settings are called `x_enabled`, as 4.1 made them, not `enable_x`.
    pub fn names_settings_by_subject(&self) -> bool {
        self.is_since((4, 1))
    }

    /// Whether the `memtable` option is a map with a class, not the name of a configuration. Converged Cassandra 4.0, on
    /// which HCD 1.x is built, prints `memtable = {}` and refuses a text; that of HCD 2.x and Cassandra refuse a map.
    pub fn has_memtable_maps(&self) -> bool {
        self.product == Product::Hcd && !self.is_hcd_2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"+"` if the release can, else `"-"`, in the order of the columns.
    fn row(text: &str) -> String {
        let release: Release = text.parse().expect("a release");
        [
            release.has_dse_services(),
            release.has_dse_classes(),
            release.has_sai(),
            release.names_sai_index(),
            release.has_vectors(),
            release.has_masks(),
            release.has_scripted_functions(),
            release.has_compact_storage(),
            release.has_transient_replication(),
            release.has_zstd(),
            release.has_old_compression_names(),
            release.guards_sasi(),
            release.guards_views(),
            release.names_settings_by_subject(),
            release.has_memtable_maps(),
        ]
        .map(|can| if can { '+' } else { '-' })
        .iter()
        .collect()
    }

    #[test]
    fn each_release_has_its_schema_features() {
        for (release, expected) in [
            ("cassandra 3.11.19", "------++--+-+--"),
            ("cassandra 4.0.17", "------+++++++--"),
            ("cassandra 4.1.9", "------++++++++-"),
            ("cassandra 5.0.5", "--++++-+++-+++-"),
            ("dse 6.8.50", "+++---+---+----"),
            ("dse 6.9.2", "+++-+-+---+----"),
            ("hcd 1.2.1", "-++-+-+++++++-+"),
            ("hcd 2.0.6", "-+++++-+++-+++-"),
        ] {
            assert_eq!(row(release), expected, "{release}");
        }
    }
}
