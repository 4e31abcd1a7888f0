//! The fuzzer of one target, which the environment names: `FUZZ_TARGET=trie`.
#![no_main]

use std::alloc::System;
use std::sync::LazyLock;

use cap::Cap;
use fuzz_entries::{Archive, TARGETS};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// What the parsers may hold at a time: two of the biggest chunks, and what else they need.
const ALLOCATED_MAX: usize = 384 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, ALLOCATED_MAX);

struct Target {
    entry: fn(&[u8]),
    takes_archives: bool,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some((name, entry)) = TARGETS.iter().find(|(known, _)| *known == name) else {
        let names = TARGETS.map(|(name, _)| name).join(", ");
        eprintln!("FUZZ_TARGET is `{name}`, expected one of {names}");
        std::process::exit(2);
    };
    Target {
        entry: *entry,
        takes_archives: *name != "names",
    }
});

fuzz_target!(|input: &[u8]| (TARGET.entry)(input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Now and then of all bytes, so that archives take parts of each other.
    if !TARGET.takes_archives || seed % 16 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut archive = Archive::decode(&data[..size]);
    let room = max_size.saturating_sub(size);
    archive.mutate(seed / 16, |bytes| {
        let len = bytes.len();
        bytes.resize(len + room.min(len + 64), 0);
        let most = bytes.len();
        let mutated = fuzzer_mutate(bytes, len, most);
        bytes.truncate(mutated);
    });
    let encoded = archive.encode();
    let Some(place) = data.get_mut(..encoded.len()) else {
        return fuzzer_mutate(data, size, max_size);
    };
    place.copy_from_slice(&encoded);
    encoded.len()
});
