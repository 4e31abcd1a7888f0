//! The layout of components, by the version letters of their format (`BigFormat.BigVersion` and
//! `BtiFormat.BtiVersion` of Cassandra).

use std::fmt;

use crate::descriptor::FormatVersion;

/// The two families of formats; each has version letters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `big`: Index.db and Summary.db.
    Big,
    /// `bti`, trie-indexed: Partitions.db and Rows.db.
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
    /// The version's layout; `None` for a version that no known release has written. Cassandra's `nc` never left an
    /// alpha.
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

    /// The family of the format.
    pub fn format(self) -> Format {
        self.format
    }

    /// Whether the format is [`Format::Bti`].
    pub fn is_bti(self) -> bool {
        self.format == Format::Bti
    }

    /// Whether it is this version of its format or a later one; `None` means never.
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

    /// Whether it is a layout that Cassandra 5.0 introduced: `oa` or `da`.
    pub fn is_five(self) -> bool {
        self.since(Some(b"oa"), Some(b"da"))
    }

    /// Statistics.db has checksums of its table of contents and of each part.
    pub fn has_statistics_checksums(self) -> bool {
        self.since(Some(b"na"), Some(b"aa"))
    }

    /// CompressionInfo.db has the length from which on a chunk is stored uncompressed.
    pub fn has_max_compressed_length(self) -> bool {
        self.since(Some(b"na"), Some(b"aa"))
    }

    /// Statistics.db has the commit log position from which the SSTable's mutations begin.
    pub fn has_commit_log_lower_bound(self) -> bool {
        self.since(Some(b"mb"), Some(b"aa"))
    }

    /// Statistics.db has intervals of the commit log.
    pub fn has_commit_log_intervals(self) -> bool {
        self.since(Some(b"mc"), Some(b"aa"))
    }

    /// Minimum and maximum clustering as lists of values; later as two bounds with their types.
    pub fn has_legacy_min_max(self) -> bool {
        !self.is_five() && !self.starts_with(b"bc")
    }

    /// Statistics.db has the session of a pending incremental repair.
    pub fn has_pending_repair(self) -> bool {
        self.since(Some(b"na"), Some(b"aa"))
    }

    /// Statistics.db says whether the data is transiently replicated.
    pub fn has_is_transient(self) -> bool {
        self.since(Some(b"na"), Some(b"ca"))
    }

    /// Statistics.db has the host id of the writer.
    pub fn has_originating_host_id(self) -> bool {
        match self.format {
            Format::Big => &self.letters == b"me" || &self.letters >= b"nb",
            Format::Bti => &self.letters == b"ad" || &self.letters >= b"bb",
        }
    }

    /// Statistics.db has DSE 6.8's metadata of zero-copy streaming and NodeSync.
    pub fn has_zero_copy(self) -> bool {
        self.starts_with(b"b")
    }

    /// Statistics.db says whether a whole partition was deleted.
    pub fn has_partition_level_deletions(self) -> bool {
        self.is_five() || self.starts_with(b"bc")
    }

    /// Whether partition-level deletions are written before the host id, as by DSE and HCD, or behind it.
    pub fn partition_level_deletions_come_first(self) -> bool {
        self.starts_with(b"bc")
    }

    /// Statistics.db holds the first and the last key.
    pub fn has_key_range(self) -> bool {
        self.is_five()
    }

    /// Statistics.db has the fraction of the ring that the SSTable covers.
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
