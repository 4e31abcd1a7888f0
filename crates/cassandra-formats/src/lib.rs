//! SSTable files as Cassandra, DSE and HCD write them: bytes and names in, structs out.
//!
//! No async, no paths, no panics on any input. Today it knows the file names; what is inside the files comes next.

mod descriptor;

pub use descriptor::{Component, Descriptor, FormatVersion, NameError, parse_file_name};
