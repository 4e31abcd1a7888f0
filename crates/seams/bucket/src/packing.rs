//! How small files are laid into packs: which ones travel together, and what a pack is called.

use std::ops::Range;

/// Larger files are objects of their own, whatever the settings: a request for each costs little beside its bytes.
pub const PACKED_FILE_BYTES_MAX: u64 = 1 << 20;
/// One part of an upload by default, so that a pack is sent with one request.
const PACK_BYTES_MAX: u64 = 16 << 20;
/// A pack is read into memory as a whole; so that several are on their way at once, it takes no more than this part of it.
const MEMORY_SHARE: u64 = 4;
/// The files of a pack are noted together, so their number is bounded as well.
const PACK_FILES_MAX: usize = 4096;

/// What goes into packs. The same files with the same limits make the same packs, so that an upload which is taken up
/// again finds the packs that it had stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    file_bytes_max: u64,
    pack_bytes_max: u64,
}

impl Packing {
    /// Packs files of at most so many bytes, within this much memory; with 0 none.
    pub fn new(file_bytes_max: u64, memory_bytes: u64) -> Self {
        let pack_bytes_max = PACK_BYTES_MAX.min(memory_bytes / MEMORY_SHARE);
        Self {
            file_bytes_max: file_bytes_max
                .min(PACKED_FILE_BYTES_MAX)
                .min(pack_bytes_max),
            pack_bytes_max,
        }
    }

    /// Whether a file of so many bytes goes into a pack.
    pub fn takes(&self, bytes: u64) -> bool {
        self.file_bytes_max > 0 && bytes <= self.file_bytes_max
    }

    /// Which files of these sizes make a pack each, in their order. All of them are of sizes that it takes.
    pub fn lay_out(&self, sizes: &[u64]) -> Vec<Range<usize>> {
        let mut packs = Vec::new();
        let (mut start, mut bytes) = (0, 0u64);
        for (at, size) in sizes.iter().enumerate() {
            let is_full = bytes + size > self.pack_bytes_max || at - start == PACK_FILES_MAX;
            if is_full && at > start {
                packs.push(start..at);
                (start, bytes) = (at, 0);
            }
            bytes += size;
        }
        if start < sizes.len() {
            packs.push(start..sizes.len());
        }
        packs
    }
}

/// The name of the pack that holds files of these sizes and hashes in this order: packs of one name hold the same bytes.
pub fn pack_name<'a>(files: impl IntoIterator<Item = (u64, &'a str)>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (bytes, blake3) in files {
        hasher.update(&bytes.to_le_bytes());
        hasher.update(blake3.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes that a generator of pseudo-random numbers makes of a seed.
    fn sizes(seed: u64, count: usize, max: u64) -> Vec<u64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        (0..count)
            .map(|_| match next() % 4 {
                0 => 0,
                1 => max,
                _ => next() % (max + 1),
            })
            .collect()
    }

    #[test]
    fn every_file_is_in_one_pack_and_no_pack_exceeds_its_limits() {
        for seed in 0..300 {
            let memory = 4 << (10 + seed % 15);
            let packing = Packing::new(u64::MAX, memory);
            let sizes = sizes(seed, (seed as usize * 37) % 6000, packing.file_bytes_max);
            let packs = packing.lay_out(&sizes);
            assert_eq!(packs, packing.lay_out(&sizes), "the same again");
            let mut next = 0;
            for pack in &packs {
                assert_eq!(pack.start, next, "seed {seed}");
                assert!(!pack.is_empty() && pack.len() <= PACK_FILES_MAX);
                let bytes: u64 = sizes[pack.clone()].iter().sum();
                assert!(bytes <= packing.pack_bytes_max, "seed {seed}");
                next = pack.end;
            }
            assert_eq!(next, sizes.len(), "seed {seed}");
            // No two neighbours could have been one.
            for pair in packs.windows(2) {
                let first: u64 = sizes[pair[0].clone()].iter().sum();
                let is_full = first + sizes[pair[1].start] > packing.pack_bytes_max;
                assert!(is_full || pair[0].len() == PACK_FILES_MAX, "seed {seed}");
            }
        }
    }

    #[test]
    fn packs_of_the_files_that_are_left_are_those_of_before() {
        let packing = Packing::new(100, 4 * 250);
        let sizes = sizes(7, 500, 100);
        let packs = packing.lay_out(&sizes);
        for done in 0..packs.len() {
            let start = packs[done].start;
            let rest = packing.lay_out(&sizes[start..]);
            let shifted = packs[done..].iter();
            let shifted: Vec<_> = shifted.map(|p| p.start - start..p.end - start).collect();
            assert_eq!(rest, shifted);
        }
    }

    #[test]
    fn what_is_packed_is_decided_by_the_size() {
        let packing = Packing::new(1000, 96 << 20);
        assert!(packing.takes(0) && packing.takes(1000) && !packing.takes(1001));
        assert!(!Packing::new(0, 96 << 20).takes(0));
        assert!(!Packing::new(u64::MAX, 96 << 20).takes(PACKED_FILE_BYTES_MAX + 1));
        assert!(!Packing::new(u64::MAX, 4000).takes(1001));
    }

    #[test]
    fn a_packs_name_depends_on_sizes_hashes_and_their_order() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let name = |files: &[(u64, &str)]| pack_name(files.iter().copied());
        let one = name(&[(1, &a), (2, &b)]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, name(&[(1, &a), (2, &b)]));
        assert_ne!(one, name(&[(2, &b), (1, &a)]));
        assert_ne!(one, name(&[(2, &a), (2, &b)]));
        assert_ne!(one, name(&[(1, &a)]));
    }
}
