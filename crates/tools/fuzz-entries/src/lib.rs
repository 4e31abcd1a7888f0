//! What fuzzing does with an input: one entry for each target, shared by the fuzzers and by the tests that replay what
//! they found.
//!
//! An entry may refuse its input in any way but a panic. All inputs but those of `names` are [`Archive`]s, so that
//! mutation changes a component without tearing the ones behind it.

mod archive;
mod codec;
mod data;
mod index;
mod memory;
mod names;
mod repair;
mod small;
mod sstable;
mod trie;

pub use archive::{Archive, COMPONENTS, VERSIONS};
pub use sstable::complaints;

/// A target's name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 7] = [
    ("names", names::run),
    ("codec", |input| codec::run(&Archive::decode(input))),
    ("small", |input| small::run(&Archive::decode(input))),
    ("index", |input| index::run(&Archive::decode(input))),
    ("trie", |input| trie::run(&Archive::decode(input))),
    ("data", |input| data::run(&Archive::decode(input))),
    ("sstable", |input| sstable::run(&Archive::decode(input))),
];

/// Runs a target. Panics if there is none of that name.
pub fn run(target: &str, input: &[u8]) {
    let (_, entry) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap_or_else(|| panic!("`{target}` is not a target"));
    entry(input);
}
