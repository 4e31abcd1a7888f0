//! What the version letters of a format say about the layout of its components.

use std::fmt;

use crate::descriptor::FormatVersion;

/// The two families of formats; each counts its version letters for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Index.db and Summary.db.
    Big,
    /// Trie-indexed: Partitions.db and Rows.db.
    Bti,
}

/// A version whose layout is known, of Cassandra 3.0 to 5.0, DSE 6.x and HCD 1.x.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    format: Format,
    letters: [u8; 2],
}

const BIG: [&[u8; 2]; 8] = [b"ma", b"mb", b"mc", b"md", b"me", b"na", b"nb", b"oa"];
const BTI: [&[u8; 2]; 9] = [
    b"aa", b"ac", b"ad", b"ba", b"bb", b"ca", b"cb", b"cc", b"da",
];

impl Version {
    /// `None` for a version that no release which is known here has written. Cassandra's `nc` never left an alpha.
    pub fn known(version: &FormatVersion) -> Option<Self> {
        let letters: [u8; 2] = version.version.as_bytes().try_into().ok()?;
        let format = match version.format.as_str() {
            "big" => Format::Big,
            "bti" => Format::Bti,
            _ => return None,
        };
        let known = match format {
            Format::Big => BIG.contains(&&letters),
            Format::Bti => BTI.contains(&&letters),
        };
        known.then_some(Self { format, letters })
    }

    pub fn format(self) -> Format {
        self.format
    }

    pub fn is_bti(self) -> bool {
        self.format == Format::Bti
    }

    /// Whether it is the format's `letters` or later.
    fn since(self, big: Option<&[u8; 2]>, bti: Option<&[u8; 2]>) -> bool {
        let first = match self.format {
            Format::Big => big,
            Format::Bti => bti,
        };
        first.is_some_and(|first| &self.letters >= first)
    }

    fn starts_with(self, bti: &[u8]) -> bool {
        self.is_bti() && bti.contains(&self.letters[0])
    }

    /// The layouts that Cassandra 5.0 brought: `oa` and `da`.
    pub fn is_five(self) -> bool {
        self.since(Some(b"oa"), Some(b"da"))
    }

    /// Statistics.db has checksums of its table of contents and of each part.
    pub fn has_statistics_checksums(self) -> bool {
        self.since(Some(b"na"), Some(b"aa"))
    }

    /// CompressionInfo.db says from which length on a chunk is stored as it is.
    pub fn has_max_compressed_length(self) -> bool {
        self.since(Some(b"na"), Some(b"aa"))
    }

    pub fn has_commit_log_lower_bound(self) -> bool {
        self.since(Some(b"mb"), Some(b"aa"))
    }

    pub fn has_commit_log_intervals(self) -> bool {
        self.since(Some(b"mc"), Some(b"aa"))
    }

    /// Minimum and maximum clustering as lists of values; later as two bounds with their types.
    pub fn has_legacy_min_max(self) -> bool {
        !self.is_five() && !self.starts_with(b"bc")
    }

    pub fn has_pending_repair(self) -> bool {
        self.since(Some(b"na"), Some(b"aa"))
    }

    pub fn has_is_transient(self) -> bool {
        self.since(Some(b"na"), Some(b"ca"))
    }

    pub fn has_originating_host_id(self) -> bool {
        match self.format {
            Format::Big => &self.letters == b"me" || &self.letters >= b"nb",
            Format::Bti => &self.letters == b"ad" || &self.letters >= b"bb",
        }
    }

    /// DSE 6.8's slices of streamed SSTables, and its NodeSync state.
    pub fn has_zero_copy(self) -> bool {
        self.starts_with(b"b")
    }

    pub fn has_partition_level_deletions(self) -> bool {
        self.is_five() || self.starts_with(b"bc")
    }

    /// Whether partition-level deletions are told before the host id, as DSE and HCD do, or behind it.
    pub fn partition_level_deletions_come_first(self) -> bool {
        self.starts_with(b"bc")
    }

    /// Statistics.db holds the first and the last key.
    pub fn has_key_range(self) -> bool {
        self.is_five()
    }

    pub fn has_token_space_coverage(self) -> bool {
        self.since(Some(b"oa"), Some(b"cb"))
    }

    /// Deletion times as unsigned seconds, with a short form for "none".
    pub fn has_uint_deletion_time(self) -> bool {
        self.is_five()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Big => "big",
            Format::Bti => "bti",
        };
        let [first, second] = self.letters.map(char::from);
        write!(f, "{format}-{first}{second}")
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, known: bool) {
        let version: FormatVersion = name.parse().expect("a format version");
        assert_eq!(
            Version::known(&version).map(|v| v.to_string()),
            known.then(|| name.to_owned())
        );
    }

    #[test]
    fn only_versions_that_were_released_are_known() {
        check("big-ma", true);
        check("big-oa", true);
        check("big-nc", false);
        check("big-lb", false);
        check("big-pa", false);
        check("bti-da", true);
        check("bti-bb", true);
        check("bti-ea", false);
        // The letters of one format say nothing about the other.
        check("big-da", false);
        check("bti-nb", false);
    }
}
