//! Schemas of every release line: read, written, compared, ordered, fitted to another release.

mod compare;
mod diff;
mod errors;
mod fit;
mod fixtures;
mod given;
mod properties;
mod rename;
mod rewrite;
mod support;
