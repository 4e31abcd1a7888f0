//! What an object of a schema may need that not every release line has.

use std::fmt;

/// A feature that an object needs and that not every release line has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// An index of DSE Search.
    SearchIndex,
    /// The column `solr_query`, through which DSE Search is queried; nothing is ever stored in it.
    SearchColumn,
    /// Vertex and edge labels of DSE Graph.
    GraphLabel,
    /// A keyspace with a graph engine.
    GraphKeyspace,
    /// A keyspace in which DSE Analytics keeps its state.
    AnalyticsKeyspace,
    /// NodeSync of DSE.
    NodeSync,
    /// Tiered storage of DSE, a compaction strategy.
    TieredCompaction,
    /// DSE In-Memory, a compaction strategy.
    MemoryOnlyCompaction,
    /// EverywhereStrategy, a replication strategy of DSE and HCD.
    EverywhereStrategy,
    /// `PointType`, `LineStringType`, `PolygonType` or `DateRangeType`.
    DseType,
    /// Deterministic and monotonic functions.
    FunctionProperties,
    /// A storage-attached index.
    Sai,
    /// A SASI index.
    Sasi,
    /// A vector column.
    Vector,
    /// A duration column.
    Duration,
    /// UnifiedCompactionStrategy.
    UnifiedCompaction,
    /// DateTieredCompactionStrategy.
    DateTieredCompaction,
    /// `COMPACT STORAGE`.
    CompactStorage,
    /// A table of the Thrift API that no statement can create.
    NoCql,
    /// A user-defined function in Java.
    JavaFunction,
    /// A function in this language, which is not Java.
    ScriptedFunction(String),
    /// A materialized view.
    MaterializedView,
    /// A masked column.
    Mask,
    /// A trigger of this class.
    Trigger(String),
    /// Encryption of SSTables by this compressor.
    Encryption(String),
    /// Compression by ZstdCompressor.
    Zstd,
    /// A compaction class that no release ships.
    CustomCompaction(String),
    /// An index class that no release ships.
    CustomIndex(String),
    /// A compressor that no release ships.
    CustomCompressor(String),
    /// A type of this class.
    CustomType(String),
    /// A replication class that no release ships.
    CustomReplication(String),
    /// A replication factor with transient replicas.
    TransientReplication,
    /// `read_repair_chance` or `dclocal_read_repair_chance`.
    ReadRepairChance,
    /// `read_repair` or `additional_write_policy`.
    ReadRepairPolicy,
    /// The `memtable` option.
    Memtable,
    /// `allow_auto_snapshot` or `incremental_backups`.
    SnapshotOptions,
    /// Change data capture.
    Cdc,
    /// `sstable_compression` and `chunk_length_kb`.
    OldCompressionNames,
    /// `dse_vertex_label_property` or `dse_edge_label_property`.
    GraphProperty,
}

impl Feature {
    /// The feature's name for messages.
    pub fn name(&self) -> String {
        let with = |what: &str, class: &str| format!("the {what} {class}");
        match self {
            Self::SearchIndex => "a DSE Search index".to_owned(),
            Self::SearchColumn => "the solr_query column of DSE Search".to_owned(),
            Self::GraphLabel => "a DSE Graph label".to_owned(),
            Self::GraphKeyspace => "a DSE Graph keyspace".to_owned(),
            Self::AnalyticsKeyspace => "a keyspace of DSE Analytics".to_owned(),
            Self::NodeSync => "NodeSync".to_owned(),
            Self::TieredCompaction => "tiered storage".to_owned(),
            Self::MemoryOnlyCompaction => "DSE In-Memory".to_owned(),
            Self::EverywhereStrategy => "EverywhereStrategy".to_owned(),
            Self::DseType => "a geometric or date range type of DSE".to_owned(),
            Self::FunctionProperties => "a deterministic or monotonic function".to_owned(),
            Self::Sai => "a storage-attached index".to_owned(),
            Self::Sasi => "a SASI index".to_owned(),
            Self::Vector => "a vector column".to_owned(),
            Self::Duration => "a duration column".to_owned(),
            Self::UnifiedCompaction => "UnifiedCompactionStrategy".to_owned(),
            Self::DateTieredCompaction => "DateTieredCompactionStrategy".to_owned(),
            Self::CompactStorage => "COMPACT STORAGE".to_owned(),
            Self::NoCql => "a table without CQL".to_owned(),
            Self::JavaFunction => "a user-defined function".to_owned(),
            Self::ScriptedFunction(language) => format!("a function in {language}"),
            Self::MaterializedView => "a materialized view".to_owned(),
            Self::Mask => "a masked column".to_owned(),
            Self::Trigger(class) => with("trigger", class),
            Self::Encryption(class) => with("encryption by", class),
            Self::Zstd => "compression by ZstdCompressor".to_owned(),
            Self::CustomCompaction(class) => with("compaction strategy", class),
            Self::CustomIndex(class) => with("index class", class),
            Self::CustomCompressor(class) => with("compressor", class),
            Self::CustomType(class) => with("type class", class),
            Self::CustomReplication(class) => with("replication strategy", class),
            Self::TransientReplication => "transient replication".to_owned(),
            Self::ReadRepairChance => "read_repair_chance".to_owned(),
            Self::ReadRepairPolicy => "read_repair and additional_write_policy".to_owned(),
            Self::Memtable => "the memtable option".to_owned(),
            Self::SnapshotOptions => "allow_auto_snapshot and incremental_backups".to_owned(),
            Self::Cdc => "change data capture".to_owned(),
            Self::OldCompressionNames => "sstable_compression and chunk_length_kb".to_owned(),
            Self::GraphProperty => "a graph property of DSE".to_owned(),
        }
    }

    /// Whether only DSE has it.
    pub fn is_of_dse(&self) -> bool {
        matches!(
            self,
            Self::SearchIndex
                | Self::SearchColumn
                | Self::GraphLabel
                | Self::GraphKeyspace
                | Self::GraphProperty
                | Self::AnalyticsKeyspace
                | Self::NodeSync
                | Self::TieredCompaction
                | Self::MemoryOnlyCompaction
                | Self::EverywhereStrategy
                | Self::DseType
                | Self::FunctionProperties
                | Self::Encryption(_)
        )
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
