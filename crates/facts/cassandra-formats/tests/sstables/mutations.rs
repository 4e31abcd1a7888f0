//! Random changes of bytes with the checksums made right again: whatever verify and slice make of them, they return.

use std::collections::BTreeMap;

use fuzz_entries::Archive;

use crate::folders;

/// SSTables whose rows have much to compare, of each family of formats.
const MUTATED: [&str; 11] = [
    "big-ma/layouts/deletions",
    "big-me/layouts/clusterings",
    "big-me/layouts/collections",
    "big-nb/layouts/clusterings",
    "big-nb/layouts/collections",
    "big-oa/indexes/by_colour/.colours",
    "big-oa/layouts/deletions",
    "bti-da/layouts/clusterings",
    "bti-da/layouts/collections",
    "bti-bb/frozen_types",
    "bti-cc/wide",
];
const ROUNDS: usize = 400;

/// A generator that is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

/// Changes some bytes of one component.
fn mutate(archive: &mut Archive, random: &mut Random) {
    let components = archive.components.len();
    let nth = random.below(components);
    let bytes = archive
        .components
        .values_mut()
        .nth(nth)
        .expect("a component");
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.below(256) as u8;
        }
    }
}

#[test]
fn no_change_of_bytes_makes_verify_or_slice_panic() {
    let mut own = folders::own();
    own.extend(folders::datastax());
    let mut random = Random(20_260_101);
    for folder in MUTATED {
        let sstable = own
            .iter()
            .find(|sstable| sstable.folder().ends_with(folder));
        let sstable = sstable.unwrap_or_else(|| panic!("{folder}"));
        let sound: BTreeMap<String, Vec<u8>> = folders::load(sstable);
        let format = sstable.descriptor().format.to_string();
        for _ in 0..ROUNDS {
            let mut archive = Archive::new(&format, sound.clone());
            (archive.left, archive.right) = (i64::MIN, random.below(usize::MAX) as i64);
            mutate(&mut archive, &mut random);
            let mut input = archive.encode();
            // All checksums are made right.
            input[1] = 0b111;
            fuzz_entries::run("sstable", &input);
        }
    }
}
