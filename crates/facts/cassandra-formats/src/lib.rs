//! SSTable files as Cassandra, DSE and HCD write them: bytes and names in, structs out.
//!
//! No async, no paths, no panics on any input. The caller supplies the bytes through [`source`], so files, objects
//! and memory are handled alike. A zero-copy-streamed SSTable (see [`statistics::zero_copy`]) is understood as the
//! part of its original that it is.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use cassandra_formats::verify::{Depth, verify};
//! use cassandra_formats::{inspect, parse_file_name};
//!
//! // The components of an SSTable by name. `sstable-files` opens them in a folder instead.
//! let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/big-nb/layouts/simple");
//! let (descriptor, _) = parse_file_name("nb-2-big-Data.db")?;
//! let mut components: BTreeMap<String, Vec<u8>> = BTreeMap::new();
//! for file in std::fs::read_dir(folder)? {
//!     let file = file?;
//!     if let Ok((of, component)) = parse_file_name(&file.file_name().to_string_lossy())
//!         && of == descriptor
//!     {
//!         components.insert(component.to_owned(), std::fs::read(file.path())?);
//!     }
//! }
//!
//! let facts = inspect(&components, &descriptor)?;
//! println!("{} rows, compressed by {:?}, tokens {:?} to {:?}", facts.rows.unwrap(), facts.compressor, facts.first_token, facts.last_token);
//! assert_eq!(facts.partitioner.as_deref(), Some("Murmur3Partitioner"));
//!
//! // Every checksum, every row, and the index compared with them.
//! let report = verify(&components, &descriptor, Depth::Extended, &mut |_bytes| {})?;
//! assert!(report.damage.is_empty(), "{:?}", report.damage);
//!
//! // One flipped bit is found, and reported with the component and its offset.
//! components.get_mut("Data.db").unwrap()[100] ^= 1;
//! let report = verify(&components, &descriptor, Depth::Checksums, &mut |_bytes| {})?;
//! assert_eq!(report.damage[0].component, "Data.db");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

pub mod big_check;
pub mod bti;
mod bytes;
mod checksums;
mod class;
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

pub use class::simple_name;
pub use descriptor::{
    Component, Descriptor, FormatVersion, NameError, is_attached_index, parse_file_name,
};
pub use error::{Damage, Error, Result};
pub use inspect::{Facts, inspect};
pub use layout::DataLayout;
pub use plan_facts::{EncryptedBy, Expiring, PlanFacts, plan_facts};
pub use uncompressed::Uncompressed;
pub use version::{Format, Version};

/// The rows.
pub const DATA: &str = "Data.db";
/// The index of the `big` format: every partition key, with the index of its rows.
pub const INDEX: &str = "Index.db";
/// A sample of Index.db.
pub const SUMMARY: &str = "Summary.db";
/// The index of the `bti` format: a trie of partition keys.
pub const PARTITIONS: &str = "Partitions.db";
/// The index of the `bti` format for the rows of wide partitions.
pub const ROWS: &str = "Rows.db";
/// Facts about the whole SSTable.
pub const STATISTICS: &str = "Statistics.db";
/// The compressor, and where the chunks of a compressed Data.db begin.
pub const COMPRESSION_INFO: &str = "CompressionInfo.db";
/// The checksums of the chunks of an uncompressed Data.db.
pub const CRC: &str = "CRC.db";
/// The checksum of the whole Data.db.
pub const DIGEST: &str = "Digest.crc32";
/// The Bloom filter.
pub const FILTER: &str = "Filter.db";
/// The names of all components.
pub const TOC: &str = "TOC.txt";

/// Statistics.db is read as a whole. Most have kilobytes; those of wide tables with many histogram bins have some
/// megabytes.
pub(crate) const STATISTICS_BYTES_MAX: u64 = 64 << 20;
/// A checksum in decimal digits.
pub(crate) const DIGEST_BYTES_MAX: u64 = 64;
/// Names of components, including those of many secondary indexes.
pub(crate) const TOC_BYTES_MAX: u64 = 4 << 20;
