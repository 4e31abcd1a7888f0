//! Whether a node can take an SSTable, by what the SSTable is and by what the node really is: its release, its settings, and
//! what it says that it reads.

use std::borrow::Cow;

use cassandra_formats::simple_name;
use cassandra_versions::{
    FormatSettings, Reading, Release, UnfrozenTypes, is_older, readable_formats, reading,
};
use model::manifest::{Hazard, SstableFacts};
use model::{NodeDescription, Severity};

/// What of an SSTable decides: little enough that a million of them make a handful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Traits<'a> {
    /// `big` or `bti`; empty where the name does not tell.
    family: &'a str,
    version: &'a str,
    id: Id,
    /// Where it is not that of its node.
    pub partitioner: Option<&'a str>,
    hazards: Hazards,
}

/// How an SSTable is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Id {
    Sequence,
    Time,
    Ulid,
}

/// Which hazards an SSTable has, a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Hazards(u8);

impl Hazards {
    fn of(hazards: &[Hazard]) -> Self {
        Self(
            hazards
                .iter()
                .fold(0, |bits, hazard| bits | Self::bit(*hazard)),
        )
    }

    fn has(self, hazard: Hazard) -> bool {
        self.0 & Self::bit(hazard) != 0
    }

    fn bit(hazard: Hazard) -> u8 {
        match hazard {
            Hazard::ZeroCopySlice => 1,
            Hazard::Tuples => 2,
            Hazard::LegacyCounterShards => 4,
            Hazard::UnfrozenType => 8,
        }
    }
}

impl<'a> Traits<'a> {
    pub fn of(facts: &'a SstableFacts) -> Self {
        let (family, version, id) = parse(&facts.name);
        Self {
            family,
            version,
            id: Id::of(id),
            partitioner: facts.partitioner.as_deref().map(simple_name),
            hazards: Hazards::of(&facts.hazards),
        }
    }

    /// Of an SSTable of which no more is known than its format, for example `big-nb`.
    pub fn of_format(format: &'a str) -> Self {
        let (family, version) = format.split_once('-').unwrap_or_default();
        Self {
            family,
            version,
            id: Id::Sequence,
            partitioner: None,
            hazards: Hazards::default(),
        }
    }

    /// For example `big-nb`.
    pub fn format(&self) -> String {
        match self.family {
            "" => "unknown".to_owned(),
            family => format!("{family}-{}", self.version),
        }
    }
}

impl Id {
    fn of(text: &str) -> Self {
        const ULID_LEN: usize = 26;
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Sequence
        } else if text.len() == ULID_LEN && !text.contains('_') {
            Self::Ulid
        } else {
            Self::Time
        }
    }
}

/// Family, version and id. Names of before `la` have the keyspace and the table first, and no family.
fn parse(name: &str) -> (&str, &str, &str) {
    let mut parts = name.rsplit('-');
    let (Some(last), Some(middle)) = (parts.next(), parts.next()) else {
        return ("", "", "");
    };
    match (last, parts.next()) {
        ("big" | "bti", Some(version)) => (last, version, middle),
        (id, Some(_)) if middle.len() == 2 => ("big", middle, id),
        _ => ("", "", ""),
    }
}

/// A target node, as far as SSTables are concerned.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    release: &'a Release,
    partitioner: &'a str,
    readable: Cow<'a, [String]>,
    current: Vec<&'a str>,
    time_ids: bool,
    /// What it reads is not known, and only a trial load shows it.
    unknown: bool,
}

impl<'a> Reader<'a> {
    /// As the node says; as its release reads by default where it says nothing. Files that are swapped into a node's folder
    /// keep their names, and the node must be configured to make ids of time; those that are loaded get new ones.
    pub fn of(node: &'a NodeDescription, keeps_names: bool) -> Self {
        let release = &node.release;
        let readable = match node.readable_formats.as_slice() {
            [] => {
                let mode = Some(node.storage_compatibility_mode.as_str());
                let settings = FormatSettings::parse(mode, None);
                let formats = readable_formats(release, &settings).iter();
                Cow::Owned(formats.map(|format| (*format).to_owned()).collect())
            }
            said => Cow::Borrowed(said),
        };
        let refuses_time_ids = keeps_names && node.features.time_sstable_ids == Some(false);
        Self {
            release,
            partitioner: simple_name(&node.partitioner),
            current: release.current_formats(&readable, &node.written_format),
            readable,
            time_ids: release.parses_time_ids() && !refuses_time_ids,
            unknown: node.recognition.is_unknown(release),
        }
    }

    pub fn partitioner(&self) -> &'a str {
        self.partitioner
    }

    pub fn release(&self) -> &'a Release {
        self.release
    }

    /// Whether both would take and refuse the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.release == other.release
            && self.partitioner == other.partitioner
            && self.readable == other.readable
            && self.current == other.current
            && self.time_ids == other.time_ids
            && self.unknown == other.unknown
    }

    fn parses(&self, id: Id) -> bool {
        match id {
            Id::Sequence => true,
            Id::Time => self.time_ids,
            Id::Ulid => self.time_ids && self.release.parses_ulids(),
        }
    }
}

/// Something that stands against loading an SSTable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Obstacle {
    /// Its rows are placed by another partitioner.
    Partitioner,
    /// Its format is not read, and how it could come to be.
    Unreadable(Reading),
    /// DSE streamed it without copying, and the target does not know of that.
    ZeroCopySlice,
    /// DSE streamed it without copying, in a release that broke some.
    BrokenSlice,
    /// It has tuples that the target would lose.
    Tuples,
    LegacyCounterShards,
    UnfrozenType {
        mended_by_scrub: bool,
    },
}

impl Obstacle {
    pub fn severity(self) -> Severity {
        match self {
            Self::BrokenSlice
            | Self::UnfrozenType {
                mended_by_scrub: true,
            } => Severity::Warning,
            _ => Severity::Refusal,
        }
    }
}

/// What becomes of an SSTable on a target node. Without obstacles it is loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub obstacles: Vec<Obstacle>,
    /// Its id is none that the target parses.
    pub rename: bool,
    /// It stays in an older format than the target writes until SSTables are upgraded.
    pub older: bool,
}

/// Of an SSTable that a node of `source` held.
pub(crate) fn verdict(sstable: &Traits, source: &Release, target: &Reader) -> Verdict {
    let format = sstable.format();
    let mut verdict = Verdict {
        rename: !target.parses(sstable.id),
        ..Verdict::default()
    };
    if sstable
        .partitioner
        .is_some_and(|it| it != target.partitioner)
    {
        verdict.obstacles.push(Obstacle::Partitioner);
    }
    let reading = match target.unknown {
        true => Reading::Reads,
        false => reading(target.release, &target.readable, &format),
    };
    match reading {
        Reading::Reads => {
            verdict.older = !target.unknown && is_older(&format, &target.current);
            verdict
                .obstacles
                .extend(hazards(sstable.hazards, source, target.release));
        }
        // What is in a file that is not read does not matter.
        other => verdict.obstacles.push(Obstacle::Unreadable(other)),
    }
    verdict
}

fn hazards(hazards: Hazards, source: &Release, target: &Release) -> impl Iterator<Item = Obstacle> {
    let slice = hazards.has(Hazard::ZeroCopySlice);
    let tuples = hazards.has(Hazard::Tuples) && source.writes_tuples_that_get_lost();
    let shards = hazards.has(Hazard::LegacyCounterShards);
    let unfrozen = match target.unfrozen_types() {
        UnfrozenTypes::Read => None,
        UnfrozenTypes::MendedByScrub => Some(true),
        UnfrozenTypes::Unreadable => Some(false),
    };
    let unfrozen = unfrozen.filter(|_| hazards.has(Hazard::UnfrozenType));
    [
        (slice && !target.reads_zero_copy_slices()).then_some(Obstacle::ZeroCopySlice),
        (slice && source.streams_broken_slices()).then_some(Obstacle::BrokenSlice),
        (tuples && target.loses_tuples()).then_some(Obstacle::Tuples),
        (shards && !target.reads_legacy_counter_shards()).then_some(Obstacle::LegacyCounterShards),
        unfrozen.map(|mended_by_scrub| Obstacle::UnfrozenType { mended_by_scrub }),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
