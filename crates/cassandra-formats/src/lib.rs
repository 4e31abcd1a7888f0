//! SSTable files as Cassandra, DSE and HCD write them: bytes and names in, structs out.
//!
//! No async, no paths, no panics on any input. The caller supplies the bytes ([`source`]), so that files, objects and
//! memory are alike.

pub mod bti;
mod bytes;
mod descriptor;
mod error;
pub mod source;
pub mod statistics;
mod version;

pub use descriptor::{Component, Descriptor, FormatVersion, NameError, parse_file_name};
pub use error::{Damage, Error, Result};
pub use version::{Format, Version};
