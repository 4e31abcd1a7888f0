//! How small files are laid into packs: which ones travel together, and what a pack is called.

use std::ops::Range;

use model::TableId;

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

/// A file of a pack: what it is, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedFile<'a> {
    /// The table that it belongs to.
    pub table: TableId,
    /// The secondary index that it belongs to, if it is not of the table itself.
    pub index: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// Its size.
    pub bytes: u64,
    /// The hex BLAKE3 of its content.
    pub blake3: &'a str,
}

/// The name of the pack that holds these files in this order: packs of one name hold the same bytes. Packs of other files
/// have other names, also if their content is the same: a manifest names no byte as part of two files.
pub fn pack_name<'a>(files: impl IntoIterator<Item = PackedFile<'a>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(file.table.0.as_bytes());
        hash_text(&mut hasher, file.index.unwrap_or_default());
        hash_text(&mut hasher, file.name);
        hasher.update(&file.bytes.to_le_bytes());
        hash_text(&mut hasher, file.blake3);
    }
    hasher.finalize().to_hex().to_string()
}

/// With its length, so that no two sequences of texts are the same bytes.
fn hash_text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

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
    fn a_packs_name_depends_on_its_files_their_content_and_their_order() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let of = |bytes, blake3| PackedFile {
            table: TableId(Uuid::from_u128(1)),
            index: None,
            name: "nb-1-big-TOC.txt",
            bytes,
            blake3,
        };
        let one = pack_name([of(1, &a), of(2, &b)]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, pack_name([of(1, &a), of(2, &b)]));
        let other_table = PackedFile {
            table: TableId(Uuid::from_u128(2)),
            ..of(1, &a)
        };
        let of_index = PackedFile {
            index: Some("by_name"),
            ..of(1, &a)
        };
        let other_name = PackedFile {
            name: "nb-2-big-TOC.txt",
            ..of(1, &a)
        };
        for others in [
            vec![of(2, &b), of(1, &a)],
            vec![of(2, &a), of(2, &b)],
            vec![of(1, &a)],
            vec![other_table, of(2, &b)],
            vec![of_index, of(2, &b)],
            vec![other_name, of(2, &b)],
        ] {
            assert_ne!(one, pack_name(others.clone()), "{others:?}");
        }
    }
}
