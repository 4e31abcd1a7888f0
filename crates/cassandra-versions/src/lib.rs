//! Which Cassandra, DSE and HCD releases exist, what each reads and writes, and which backups restore into which.
//!
//! Versions are compared here and nowhere else: the rest asks for a capability.

mod capabilities;
mod formats;
mod line;
mod matrix;
mod release;
mod schema_features;

pub use formats::{
    FormatSettings, SelectedFormat, StorageCompatibility, current_formats, readable_formats,
    written_format,
};
pub use line::Line;
pub use matrix::{Path, Refusal, Rule, Verdict, compatibility, matrix_page};
pub use release::{Product, Release, ReleaseError};
