//! Which Cassandra, DSE and HCD releases exist, what each reads and writes, and which backups restore into which.
//!
//! Versions are compared here and nowhere else: other crates ask a [`Release`] for a capability.

#![warn(missing_docs)]

mod capabilities;
mod formats;
mod hazards;
mod line;
mod lowest;
mod matrix;
mod reading;
mod recognition;
mod release;
mod schema_features;

pub use capabilities::Setting;
pub use formats::{
    FormatRow, FormatSettings, SelectedFormat, StorageCompatibility, current_formats, format_rows,
    readable_formats, written_format,
};
pub use hazards::UnfrozenTypes;
pub use line::Line;
pub use lowest::{MixedProducts, lowest};
pub use matrix::{Path, Refusal, Rule, Verdict, compatibility};
pub use reading::{Reading, is_older, lines_that_read, may_be_skipped, reading};
pub use recognition::{Confidence, Recognition, Signs, Stated, recognise, recognise_source};
pub use release::{Product, Release, ReleaseError};
