//! Which SSTable formats each release reads and writes.
//!
//! A format is written `<format>-<version>`, for example `big-nb`. The tables come from each release's own version
//! checks (`BigFormat`, `BtiFormat`; for HCD those of the public Converged Cassandra, of which nodes were run), for DSE
//! from its documentation alone. A file's name says what it really is, so these
//! tables decide what a node can read, never what a backup holds.

use crate::line::{C3_11, C4_0, C4_1, C5_0, DSE6_8, DSE6_9, HCD1, HCD2};
use crate::{Line, Product, Release};

use SelectedFormat::{Big, Bti};
use StorageCompatibility::{Cassandra4, Own};

/// `storage_compatibility_mode` of cassandra.yaml, from 5.0 on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StorageCompatibility {
    /// As the product ships: `CASSANDRA_4` for Cassandra. HCD 2.x reports none if it is not set, and is its own then.
    #[default]
    Shipped,
    /// Files that 4.x could read; HCD's `CC_4` as well.
    Cassandra4,
    /// `UPGRADING` or `NONE`: the release's own formats.
    Own,
}

/// `sstable.selected_format` of cassandra.yaml, from 5.0 on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SelectedFormat {
    /// As the product ships: `big` for Cassandra, `bti` for HCD.
    #[default]
    Shipped,
    /// `big`, the format of every release of Cassandra before 5.0.
    Big,
    /// `bti`, with trie indexes.
    Bti,
}

/// The settings of a node that change which formats it reads and writes. They are ignored for releases that do not
/// have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormatSettings {
    /// Which formats a 5.0 node may write.
    pub storage_compatibility: StorageCompatibility,
    /// Which of its own formats a node writes, if `storage_compatibility` lets it.
    pub selected: SelectedFormat,
}

impl FormatSettings {
    /// From the values that the node reports; an absent or empty one has the product's default.
    pub fn parse(storage_compatibility_mode: Option<&str>, selected_format: Option<&str>) -> Self {
        let word = |value: Option<&str>| value.unwrap_or_default().to_ascii_uppercase();
        Self {
            storage_compatibility: match word(storage_compatibility_mode).as_str() {
                "NONE" | "UPGRADING" => StorageCompatibility::Own,
                "" => StorageCompatibility::Shipped,
                _ => StorageCompatibility::Cassandra4,
            },
            selected: match word(selected_format).as_str() {
                "BTI" => SelectedFormat::Bti,
                "BIG" => SelectedFormat::Big,
                _ => SelectedFormat::Shipped,
            },
        }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [(Cassandra4, Big), (Cassandra4, Bti), (Own, Big), (Own, Bti)]
            .into_iter()
            .map(|(storage_compatibility, selected)| Self {
                storage_compatibility,
                selected,
            })
    }

    /// With what the release ships in place of what is not set.
    fn of(self, release: &Release) -> Self {
        let (mode, format) = match release.product {
            Product::Hcd => (StorageCompatibility::Own, SelectedFormat::Bti),
            Product::Cassandra | Product::Dse => {
                (StorageCompatibility::Cassandra4, SelectedFormat::Big)
            }
        };
        Self {
            storage_compatibility: match self.storage_compatibility {
                StorageCompatibility::Shipped => mode,
                set => set,
            },
            selected: match self.selected {
                SelectedFormat::Shipped => format,
                set => set,
            },
        }
    }
}

/// When a row applies, beyond its release line.
enum Mode {
    Always,
    /// Whatever format is selected.
    In(StorageCompatibility),
    Both(StorageCompatibility, SelectedFormat),
}

type Formats = &'static [&'static str];

#[rustfmt::skip]
const BIG_3_11: Formats = &[
    "big-jb", "big-ka", "big-la", "big-lb", "big-ma", "big-mb", "big-mc", "big-md", "big-me",
];
#[rustfmt::skip]
const BIG_4: Formats = &["big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb"];
// Stock 5.0 reads bti-da, though it may not write it, and does not read its own big-oa.
#[rustfmt::skip]
const FIVE_COMPATIBLE: Formats = &[
    "big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb", "bti-da",
];
#[rustfmt::skip]
const FIVE_OWN: Formats = &[
    "big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb", "big-oa", "bti-da",
];
// DSE 6.8 probably reads big-me and bti-ad too, but nothing proves it.
#[rustfmt::skip]
const DSE6: Formats = &[
    "big-ma", "big-mb", "big-mc", "big-md", "bti-aa", "bti-ac", "bti-ba", "bti-bb",
];
// Nodes took nb, bb and cc. Neither line reads da: an import of it loads nothing and logs nothing.
#[rustfmt::skip]
const HCD1_READS: Formats = &[
    "big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb",
    "bti-aa", "bti-ac", "bti-ad", "bti-ba", "bti-bb", "bti-ca", "bti-cb", "bti-cc",
];
#[rustfmt::skip]
const HCD2_READS: Formats = &[
    "big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb", "big-oa",
    "bti-aa", "bti-ac", "bti-ad", "bti-ba", "bti-bb", "bti-ca", "bti-cb", "bti-cc",
];
// As for Cassandra 5.0, big-oa is later than what a node writes that stays compatible with 4.
const HCD2_COMPATIBLE: Formats = HCD1_READS;

/// Release line, the first patch that the row applies to, settings, formats read, format written. The last row that
/// matches counts.
#[rustfmt::skip]
const FORMATS: &[(Line, u32, Mode, Formats, &str)] = &[
    // The version checks of each release's source.
    (C3_11,  0,  Mode::Always,                BIG_3_11,        "big-mc"),
    (C3_11,  4,  Mode::Always,                BIG_3_11,        "big-md"),
    (C3_11,  11, Mode::Always,                BIG_3_11,        "big-me"),
    (C4_0,   0,  Mode::Always,                BIG_4,           "big-nb"),
    (C4_1,   0,  Mode::Always,                BIG_4,           "big-nb"),
    (C5_0,   0,  Mode::In(Cassandra4),        FIVE_COMPATIBLE, "big-nb"),
    (C5_0,   0,  Mode::Both(Own, Big),        FIVE_OWN,        "big-oa"),
    (C5_0,   0,  Mode::Both(Own, Bti),        FIVE_OWN,        "bti-da"),
    // DSE's documentation; never run.
    (DSE6_8, 0,  Mode::Always,                DSE6,            "bti-ba"),
    (DSE6_8, 7,  Mode::Always,                DSE6,            "bti-bb"),
    (DSE6_9, 0,  Mode::Always,                DSE6,            "bti-bb"),
    // Seen on nodes of CC4, which have no setting for it.
    (HCD1,   0,  Mode::Always,                HCD1_READS,      "bti-cc"),
    // `BigFormat`, `BtiFormat` and `StorageCompatibilityMode` of CC5; nodes of it wrote cc as they ship.
    (HCD2,   0,  Mode::Both(Cassandra4, Big), HCD2_COMPATIBLE, "big-nb"),
    (HCD2,   0,  Mode::Both(Cassandra4, Bti), HCD2_COMPATIBLE, "bti-cc"),
    (HCD2,   0,  Mode::Both(Own, Big),        HCD2_READS,      "big-oa"),
    (HCD2,   0,  Mode::Both(Own, Bti),        HCD2_READS,      "bti-cc"),
];

impl Mode {
    fn settings(&self) -> Option<FormatSettings> {
        let (storage_compatibility, selected) = match self {
            Self::Always => return None,
            Self::In(mode) => (*mode, SelectedFormat::Shipped),
            Self::Both(mode, selected) => (*mode, *selected),
        };
        Some(FormatSettings {
            storage_compatibility,
            selected,
        })
    }

    fn fits(&self, settings: &FormatSettings) -> bool {
        match self {
            Self::Always => true,
            Self::In(mode) => settings.storage_compatibility == *mode,
            Self::Both(mode, selected) => {
                settings.storage_compatibility == *mode && settings.selected == *selected
            }
        }
    }
}

fn row(release: &Release, settings: &FormatSettings) -> Option<(Formats, &'static str)> {
    let settings = settings.of(release);
    FORMATS
        .iter()
        .rev()
        .find(|(line, patch, mode, ..)| {
            line.contains(release) && release.patch() >= *patch && mode.fits(&settings)
        })
        .map(|(.., reads, writes)| (*reads, *writes))
}

/// The formats that a node of this release and these settings reads; empty for an unknown release.
pub fn readable_formats(release: &Release, settings: &FormatSettings) -> Formats {
    row(release, settings).map_or(&[], |(reads, _)| reads)
}

/// The format that a node of this release and these settings writes; `None` for an unknown release.
pub fn written_format(release: &Release, settings: &FormatSettings) -> Option<&'static str> {
    row(release, settings).map(|(_, writes)| writes)
}

/// The formats that count as current on a node that reads `readable`: those it writes under any settings that agree
/// with that. A node does not report which of its own formats is selected, and neither is worth a rewrite into the
/// other.
pub fn current_formats(release: &Release, readable: &[String]) -> Vec<&'static str> {
    let rows = FormatSettings::all().filter_map(|settings| row(release, &settings));
    let (agreeing, other): (Vec<_>, Vec<_>) =
        rows.partition(|(reads, _)| same_formats(reads, readable));
    // A node that does not report what it reads may write any of its formats.
    let possible = if agreeing.is_empty() { other } else { agreeing };
    let mut current: Vec<&'static str> = possible.into_iter().map(|(_, writes)| writes).collect();
    current.dedup();
    current
}

fn same_formats(reads: Formats, readable: &[String]) -> bool {
    reads.len() == readable.len()
        && reads
            .iter()
            .all(|format| readable.iter().any(|r| r == format))
}

/// One row of the table: what some releases read and write under some settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatRow {
    /// The release line.
    pub line: Line,
    /// The first and the last patch release that the row applies to; no last if it applies to all later ones.
    pub patches: (u32, Option<u32>),
    /// Absent if the release has no such settings.
    pub settings: Option<FormatSettings>,
    /// Every format that these nodes read, `<format>-<version>`.
    pub reads: Formats,
    /// The format that these nodes write.
    pub writes: &'static str,
}

/// The whole table of formats, row by row.
pub fn format_rows() -> impl Iterator<Item = FormatRow> {
    FORMATS.iter().map(|(line, patch, mode, reads, writes)| {
        let next = FORMATS
            .iter()
            .find(|(other, later, ..)| other == line && later > patch);
        FormatRow {
            line: *line,
            patches: (*patch, next.map(|(_, later, ..)| later - 1)),
            settings: mode.settings(),
            reads,
            writes,
        }
    })
}

#[cfg(test)]
mod tests;
