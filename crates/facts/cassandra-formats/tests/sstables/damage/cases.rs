//! Which SSTables are damaged, and what is known not to be found.

pub struct Case {
    pub folder: &'static str,
    pub sstable: &'static str,
    /// Those of them that the SSTable has.
    pub components: &'static [&'static str],
}

const fn case(
    folder: &'static str,
    sstable: &'static str,
    components: &'static [&'static str],
) -> Case {
    Case {
        folder,
        sstable,
        components,
    }
}

const ALL: &[&str] = &[
    "Data.db",
    "Index.db",
    "Partitions.db",
    "Rows.db",
    "CompressionInfo.db",
    "Statistics.db",
    "Digest.crc32",
    "CRC.db",
];
const BUT_STATISTICS: &[&str] = &[
    "Data.db",
    "Index.db",
    "Partitions.db",
    "Rows.db",
    "CompressionInfo.db",
    "Digest.crc32",
    "CRC.db",
];
const INDEX: &[&str] = &["Index.db", "Partitions.db", "Rows.db"];
const CHUNKS: &[&str] = &["CompressionInfo.db", "Digest.crc32", "CRC.db"];
const WITH_TEXTS: &[&str] = &[
    "Data.db",
    "Index.db",
    "Partitions.db",
    "Rows.db",
    "CompressionInfo.db",
    "Statistics.db",
    "Digest.crc32",
    "CRC.db",
    "Summary.db",
    "TOC.txt",
];

/// Each family of formats, each codec, and none, and wide partitions.
pub const FLIPPED: &[Case] = &[
    case("big-ma/layouts/deletions", "ma-2-big", ALL),
    case("big-mc/layouts/counters", "mc-2-big", ALL),
    case("big-me/layouts/deletions", "me-2-big", ALL),
    case("big-me/layouts/collections", "me-1-big", BUT_STATISTICS),
    case("big-me/layouts/clusterings", "me-1-big", BUT_STATISTICS),
    case("big-nb/layouts/deletions", "nb-2-big", ALL),
    case("big-oa/layouts/deletions", "oa-2-big", ALL),
    case("big-oa/layouts/clusterings", "oa-1-big", INDEX),
    case("bti-da/layouts/deletions", "da-2-bti", ALL),
    case("bti-da/layouts/clusterings", "da-1-bti", BUT_STATISTICS),
    case("bti-da/layouts/wide", "da-1-bti", INDEX),
    case("big-me/compression/snappy", "me-1-big", CHUNKS),
    case("big-me/compression/tiny_chunks", "me-1-big", CHUNKS),
    case("big-nb/compression/deflate", "nb-1-big", CHUNKS),
    case("big-nb/compression/lz4", "nb-1-big", CHUNKS),
    case("big-nb/compression/noop", "nb-1-big", CHUNKS),
    case("big-nb/compression/raw_chunks", "nb-1-big", CHUNKS),
    case("big-nb/compression/zstd", "nb-1-big", CHUNKS),
    case("bti-da/compression/none", "da-1-bti", CHUNKS),
    case(
        "big-na/compression/uncompressed",
        "na-1-big",
        BUT_STATISTICS,
    ),
];

pub const TRUNCATED: &[Case] = &[
    case("big-ma/layouts/deletions", "ma-2-big", WITH_TEXTS),
    case("big-me/layouts/clusterings", "me-1-big", WITH_TEXTS),
    case("big-nb/layouts/deletions", "nb-2-big", WITH_TEXTS),
    case("big-na/compression/uncompressed", "na-1-big", WITH_TEXTS),
    case("big-oa/layouts/deletions", "oa-2-big", WITH_TEXTS),
    case("bti-da/layouts/clusterings", "da-1-bti", WITH_TEXTS),
];

/// Flips that verify does not find and that are not shown to be harmless: SSTable, what they change, at most how many.
pub const GAPS: &[(&str, &str, u64)] = &[
    ("big-ma/layouts/deletions", "a column's name", 40),
    ("big-ma/layouts/deletions", "commit log positions", 110),
    ("big-mc/layouts/counters", "a column's name", 24),
    ("big-me/layouts/deletions", "a column's name", 40),
    (
        "big-ma/layouts/deletions",
        "a minimum of the header: rows read with other times",
        8,
    ),
    (
        "big-me/layouts/deletions",
        "a minimum of the header: rows read with other times",
        8,
    ),
    (
        "bti-da/layouts/clusterings",
        "separators of row index blocks",
        64,
    ),
    ("bti-da/layouts/wide", "separators of row index blocks", 800),
    (
        "big-ma/layouts/deletions",
        "TOC.txt names fewer components, which is a warning",
        8,
    ),
    (
        "big-me/layouts/clusterings",
        "TOC.txt names fewer components, which is a warning",
        8,
    ),
    (
        "big-nb/layouts/deletions",
        "TOC.txt names fewer components, which is a warning",
        8,
    ),
    (
        "big-na/compression/uncompressed",
        "TOC.txt names fewer components, which is a warning",
        8,
    ),
    (
        "big-oa/layouts/deletions",
        "TOC.txt names fewer components, which is a warning",
        8,
    ),
    (
        "bti-da/layouts/clusterings",
        "TOC.txt names fewer components, which is a warning",
        8,
    ),
];
