//! The version matrix: which backups restore into which release, and what the operator must know then.
//!
//! The table is written to be compared with the published one, row by row. What it does not list is not supported.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt;

use crate::formats::{FormatSettings, written_format};
use crate::line::{C3_11, C4_0, C4_1, C5_0, DSE6_8, DSE6_9, HCD1, HCD2};
use crate::{Line, Release};

use Answer::{No, Yes};
use Rule::{CassandraOntoHcd, LaterMinor, SchemaValidation, UpgradeSstables, UpgradeWhereOlder};

/// Something that the operator must know about a supported pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// SSTables stay in the older format until they are upgraded.
    UpgradeSstables,
    /// The target writes a format that the source may have written already: only what is older is upgraded.
    UpgradeWhereOlder,
    /// A later minor release: SSTables are upgraded where their format differs.
    LaterMinor,
    /// A Cassandra 4 backup onto HCD.
    CassandraOntoHcd,
    /// The schema must be checked for features that only DSE has.
    SchemaValidation,
    /// A lower patch release of the same line, which writes an older format.
    PatchDowngrade,
}

impl Rule {
    /// The code of the finding that reports it.
    pub fn code(self) -> &'static str {
        match self {
            Self::UpgradeSstables | Self::UpgradeWhereOlder => "UPGRADE_SSTABLES_REQUIRED",
            Self::LaterMinor => "LATER_MINOR_VERSION",
            Self::CassandraOntoHcd => "CASSANDRA_ONTO_HCD",
            Self::SchemaValidation => "SCHEMA_VALIDATION_REQUIRED",
            Self::PatchDowngrade => "PATCH_DOWNGRADE",
        }
    }
}

enum Answer {
    Yes(&'static [Rule]),
    /// A downgrade: no setting permits it.
    No,
}

/// Source, target, and whether it is supported. Rows without a comment of their own are those of the published page.
#[rustfmt::skip]
const MATRIX: &[(Line, Line, Answer)] = &[
    // Cassandra. Onto HCD: whole and sliced SSTables of 4.0.18 and 4.1.10 were loaded into nodes of CC4.
    (C3_11,  C3_11,  Yes(&[])),
    (C3_11,  C4_0,   Yes(&[UpgradeSstables])),
    (C3_11,  C4_1,   Yes(&[UpgradeSstables])),
    (C4_0,   C4_0,   Yes(&[])),
    (C4_0,   C4_1,   Yes(&[LaterMinor])),
    (C4_0,   HCD1,   Yes(&[CassandraOntoHcd])),
    (C4_1,   C4_0,   No),
    (C4_1,   C4_1,   Yes(&[])),
    (C4_1,   HCD1,   Yes(&[CassandraOntoHcd])),
    (C4_0,   C3_11,  No),
    (C4_1,   C3_11,  No),
    // DSE and HCD. No node of DSE was ever run.
    (DSE6_8, DSE6_8, Yes(&[])),
    (DSE6_8, DSE6_9, Yes(&[UpgradeSstables])),
    (DSE6_8, HCD1,   Yes(&[SchemaValidation])),
    (DSE6_9, DSE6_9, Yes(&[])),
    (DSE6_9, HCD1,   Yes(&[SchemaValidation])),
    (DSE6_9, DSE6_8, No),
    (HCD1,   HCD1,   Yes(&[])),
    // A public guide describes the upgrade of HCD 1.2 to 2.0 in place. Nodes do not report more than the line.
    // Both write cc; nb and bb that are left in HCD 1.x are older.
    (HCD1,   HCD2,   Yes(&[UpgradeWhereOlder])),
    // Beyond the published page: the same line, and the way back.
    (HCD2,   HCD2,   Yes(&[])),
    (HCD2,   HCD1,   No),
    // Beyond the published page: Cassandra 5.0
    (C4_0,   C5_0,   Yes(&[UpgradeSstables])),
    (C4_1,   C5_0,   Yes(&[UpgradeSstables])),
    (C5_0,   C5_0,   Yes(&[])),
    (C5_0,   C4_1,   No),
    (C5_0,   C4_0,   No),
    (C5_0,   C3_11,  No),
];

/// What the matrix decides about one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It works, with these rules.
    Supported {
        /// What the operator must know; empty if there is nothing.
        rules: Vec<Rule>,
    },
    /// It does not work.
    Refused(Refusal),
}

/// Why a pair of releases is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The target is older than the source: no setting permits this.
    Downgrade,
    /// The matrix does not list the pair.
    Unlisted {
        /// The shortest path over listed pairs, if there is one.
        nearest: Option<Path>,
    },
}

/// Release lines, each of which restores into the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub Vec<Line>);

impl fmt::Display for Path {
    /// Names the product when it changes: `cassandra 3.11 → 4.1 → hcd 1.x`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" → ")?;
            }
            if at > 0 && self.0[at - 1].product == line.product {
                f.write_str(&line.version())?;
            } else {
                line.fmt(f)?;
            }
        }
        Ok(())
    }
}

/// Whether a backup of one release restores into another, judged by the releases alone. The formats of the SSTables
/// in the backup are checked separately: see [`crate::readable_formats`].
pub fn compatibility(from: &Release, to: &Release) -> Verdict {
    let listed = MATRIX
        .iter()
        .find(|(source, target, _)| source.contains(from) && target.contains(to));
    match listed {
        Some((_, _, Yes(rules))) => {
            let mut rules = rules.to_vec();
            if is_patch_downgrade(from, to) {
                rules.push(Rule::PatchDowngrade);
            }
            Verdict::Supported { rules }
        }
        Some((_, _, No)) => Verdict::Refused(Refusal::Downgrade),
        None if from.product == to.product && to.line() < from.line() => {
            Verdict::Refused(Refusal::Downgrade)
        }
        None => Verdict::Refused(Refusal::Unlisted {
            nearest: Line::known()
                .find(|line| line.contains(from))
                .zip(Line::known().find(|line| line.contains(to)))
                .and_then(|(from, to)| nearest_path(from, to)),
        }),
    }
}

/// Within one line, a lower patch is a downgrade only if it writes another format.
fn is_patch_downgrade(from: &Release, to: &Release) -> bool {
    let stock = FormatSettings::default();
    from.product == to.product
        && to.cmp_version(from) == Ordering::Less
        && written_format(from, &stock) != written_format(to, &stock)
}

/// The shortest path over listed pairs; among paths of one length, the one over the latest releases.
fn nearest_path(start: Line, goal: Line) -> Option<Path> {
    if start == goal {
        // It does not even restore into itself.
        return None;
    }
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = vec![start];
    while let Some(way) = ways.pop_front() {
        let here = way[way.len() - 1];
        if here == goal {
            return Some(Path(way));
        }
        // Later releases are further down in the table.
        for (source, target, answer) in MATRIX.iter().rev() {
            if *source == here && matches!(answer, Yes(_)) && !seen.contains(target) {
                seen.push(*target);
                ways.push_back([way.as_slice(), &[*target]].concat());
            }
        }
    }
    None
}

impl Release {
    /// Whether both are of one release line, known or not.
    pub fn is_same_line(&self, other: &Self) -> bool {
        let same_numbers = self.product == other.product && self.line() == other.line();
        same_numbers || Line::known().any(|line| line.contains(self) && line.contains(other))
    }
}

#[cfg(test)]
mod tests;
