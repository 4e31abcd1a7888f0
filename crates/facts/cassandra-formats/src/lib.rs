//! SSTable files as Cassandra, DSE and HCD write them: bytes and names in, structs out.
//!
//! No async, no paths, no panics on any input. The caller supplies the bytes ([`source`]), so that files, objects and
//! memory are alike.

pub mod big_check;
pub mod bti;
mod bytes;
mod checksums;
pub mod codec;
pub mod compression_info;
pub mod crc;
pub mod data;
mod descriptor;
pub mod digest;
mod error;
pub mod filter;
#[cfg(test)]
mod fixtures;
pub mod index;
mod inspect;
mod layout;
mod plan_facts;
pub mod promoted;
mod read_ahead;
pub mod slice;
pub mod source;
pub mod statistics;
pub mod summary;
pub mod toc;
pub mod types;
mod uncompressed;
pub mod verify;
mod version;

pub use descriptor::{Component, Descriptor, FormatVersion, NameError, parse_file_name};
pub use error::{Damage, Error, Result};
pub use inspect::{Facts, inspect};
pub use layout::DataLayout;
pub use plan_facts::{EncryptedBy, Expiring, PlanFacts, plan_facts};
pub use uncompressed::Uncompressed;
pub use version::{Format, Version};

/// The components by their names.
pub const DATA: &str = "Data.db";
pub const INDEX: &str = "Index.db";
pub const SUMMARY: &str = "Summary.db";
pub const PARTITIONS: &str = "Partitions.db";
pub const ROWS: &str = "Rows.db";
pub const STATISTICS: &str = "Statistics.db";
pub const COMPRESSION_INFO: &str = "CompressionInfo.db";
pub const CRC: &str = "CRC.db";
pub const DIGEST: &str = "Digest.crc32";
pub const FILTER: &str = "Filter.db";
pub const TOC: &str = "TOC.txt";

/// Statistics.db is read as a whole. Real ones have kilobytes, those of wide tables with many bins some megabytes.
pub(crate) const STATISTICS_BYTES_MAX: u64 = 64 << 20;
/// A checksum in decimal digits.
pub(crate) const DIGEST_BYTES_MAX: u64 = 64;
/// Names of components, those of many indexes among them.
pub(crate) const TOC_BYTES_MAX: u64 = 4 << 20;
