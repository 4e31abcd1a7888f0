//! SSTables on a local disk: found under folders, opened as components, new ones written beside them.

#![warn(missing_docs)]

mod create;
mod find;
mod place;
mod sstable;

pub use create::NewSstable;
pub use find::{FindError, find};
pub use place::Place;
pub use sstable::SstableFiles;
