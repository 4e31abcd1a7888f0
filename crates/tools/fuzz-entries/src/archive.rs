//! An SSTable, or some of its components, as one input. Every input is an archive: what is cut off counts as not there.

use std::collections::BTreeMap;

use cassandra_formats::Version;

/// By the bytes that stand for them; versions that are written side by side stay side by side.
pub const VERSIONS: [&str; 17] = [
    "big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb", "big-oa", "bti-aa",
    "bti-ac", "bti-ad", "bti-ba", "bti-bb", "bti-ca", "bti-cb", "bti-cc", "bti-da",
];

/// By the bytes that stand for them.
pub const COMPONENTS: [&str; 11] = [
    "Data.db",
    "Index.db",
    "Summary.db",
    "Partitions.db",
    "Rows.db",
    "Statistics.db",
    "CompressionInfo.db",
    "CRC.db",
    "Digest.crc32",
    "Filter.db",
    "TOC.txt",
];

const HEADER_LEN: usize = 18;

/// Version, flags, two numbers whose meaning is the target's, components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    version: u8,
    flags: u8,
    pub left: i64,
    pub right: i64,
    pub components: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    /// `version` is one of [`VERSIONS`].
    pub fn new(version: &str, components: BTreeMap<String, Vec<u8>>) -> Self {
        let version = VERSIONS
            .iter()
            .position(|known| *known == version)
            .expect("versions of archives are known ones");
        Self {
            version: version as u8,
            components,
            ..Self::default()
        }
    }

    pub fn decode(input: &[u8]) -> Self {
        let mut archive = Self::default();
        let Some((header, mut rest)) = input.split_first_chunk::<HEADER_LEN>() else {
            return archive;
        };
        let [version, flags, numbers @ ..] = *header;
        let (left, right) = numbers.split_at(8);
        archive.version = version;
        archive.flags = flags;
        archive.left = i64::from_le_bytes(left.try_into().expect("half of sixteen bytes"));
        archive.right = i64::from_le_bytes(right.try_into().expect("half of sixteen bytes"));
        while let Some((head, behind)) = rest.split_first_chunk::<4>() {
            let [kind, len @ ..] = *head;
            let [a, b, c] = len.map(usize::from);
            let len = (a | b << 8 | c << 16).min(behind.len());
            let (bytes, next) = behind.split_at(len);
            let name = COMPONENTS[usize::from(kind) % COMPONENTS.len()];
            archive.components.insert(name.to_owned(), bytes.to_vec());
            rest = next;
        }
        archive
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.version, self.flags];
        out.extend_from_slice(&self.left.to_le_bytes());
        out.extend_from_slice(&self.right.to_le_bytes());
        for (name, bytes) in &self.components {
            let Some(kind) = COMPONENTS.iter().position(|known| known == name) else {
                continue;
            };
            let [a, b, c, ..] = bytes.len().to_le_bytes();
            out.extend_from_slice(&[kind as u8, a, b, c]);
            out.extend_from_slice(bytes);
        }
        out
    }

    /// Of the format's text form: `big-nb`.
    pub fn version_text(&self) -> &'static str {
        VERSIONS[usize::from(self.version) % VERSIONS.len()]
    }

    pub(crate) fn version(&self) -> Version {
        let text = self.version_text().parse().expect("a format version");
        Version::known(&text).expect("a version that is known")
    }

    /// One of eight switches of the input.
    pub(crate) fn flag(&self, bit: u8) -> bool {
        self.flags >> bit & 1 == 1
    }

    /// A mutation of one component at a time, chosen by `seed`, or of the head; `mutate` changes bytes up to a length.
    pub fn mutate(&mut self, seed: u32, mutate: impl FnOnce(&mut Vec<u8>)) {
        let choices = self.components.len() as u32 + 1;
        let chosen = (seed % choices.max(1)) as usize;
        if let Some(bytes) = self.components.values_mut().nth(chosen) {
            return mutate(bytes);
        }
        let mut head = self.encode();
        head.truncate(HEADER_LEN);
        mutate(&mut head);
        head.resize(HEADER_LEN, 0);
        let components = std::mem::take(&mut self.components);
        *self = Self {
            components,
            ..Self::decode(&head)
        };
    }
}

#[cfg(test)]
mod versions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_reads_back_as_written() {
        let components = [("Data.db", vec![1, 2, 3]), ("TOC.txt", vec![0; 70_000])]
            .map(|(name, bytes)| (name.to_owned(), bytes));
        let mut archive = Archive::new("bti-da", components.into());
        (archive.left, archive.right) = (-5, i64::MAX);
        assert_eq!(Archive::decode(&archive.encode()), archive);
        assert_eq!(archive.version_text(), "bti-da");
    }

    #[test]
    fn a_mutation_leaves_the_other_components_alone() {
        let components = [("Data.db", vec![1, 2, 3]), ("TOC.txt", vec![4, 5])]
            .map(|(name, bytes)| (name.to_owned(), bytes));
        let mut archive = Archive::new("big-nb", components.into());
        archive.mutate(0, |bytes| bytes.extend([9; 9]));
        assert_eq!(archive.components["Data.db"].len(), 12);
        assert_eq!(archive.components["TOC.txt"], [4, 5]);
        archive.mutate(2, |head| head[0] = 16);
        assert_eq!(archive.version_text(), "bti-da");
        assert_eq!(archive.components["TOC.txt"], [4, 5]);
    }

    #[test]
    fn all_versions_are_known() {
        for version in VERSIONS {
            assert_eq!(
                Archive::new(version, BTreeMap::new()).version().to_string(),
                version
            );
        }
    }
}
