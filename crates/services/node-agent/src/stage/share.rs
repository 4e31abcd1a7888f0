//! Decides which part of each SSTable this node takes: by the shares of the plan, and by where the SSTable is on the ring.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cassandra_tokens::{Cut, Partitioner, Token, TokenRange, TokenRanges};
use model::manifest::{Hazard, NodeManifest, SstableFacts, TableFiles};
use model::{HostId, SourceShare};

use super::StageError;
use crate::restore::TableTarget;

/// What of an SSTable is staged.
#[derive(Debug, Clone)]
pub(super) enum Portion {
    Whole,
    /// Whole, because it cannot be cut: partitions that this node does not own may be in it.
    Uncut,
    Slice {
        ranges: Arc<TokenRanges>,
        /// Of its bytes, about; 0 to 1.
        fraction: f64,
        /// Where it turns out that it cannot be cut, it is taken whole.
        trims: bool,
    },
}

impl Portion {
    /// What it comes to of so many bytes.
    pub fn of_bytes(&self, bytes: u64) -> u64 {
        match self {
            Self::Whole | Self::Uncut => bytes,
            Self::Slice { fraction, .. } => (bytes as f64 * fraction).ceil() as u64,
        }
    }
}

/// What of a keyspace is taken from one source.
pub(super) enum Taking {
    All,
    /// Everything too, though partitions that this node does not own may be in it.
    Uncut,
    Nothing,
    Ranges(Ranges),
}

pub(super) struct Ranges {
    source: HostId,
    partitioner: Partitioner,
    ranges: Arc<TokenRanges>,
    /// See [`SourceShare::trims`].
    trims: bool,
    /// SSTables that were damaged already when they were backed up, each with its table.
    damaged: HashSet<(String, String)>,
}

/// All shares of one keyspace of one source are one set of ranges. Shares name the keyspace as it is on the target.
pub(super) fn taking(
    shares: &[SourceShare],
    source: HostId,
    manifest: &NodeManifest,
    target: &TableTarget,
) -> Result<Taking, StageError> {
    let keyspace = target.table.keyspace.as_str();
    if shares.is_empty() {
        return Ok(Taking::All);
    }
    let own = || shares.iter().filter(|share| share.is_of(&source, keyspace));
    if own().next().is_none() {
        return Ok(Taking::Nothing);
    }
    if let Some(share) = own().find(|share| share.ranges.is_empty()) {
        return Ok(match share.trims {
            true => Taking::Uncut,
            false => Taking::All,
        });
    }
    let wrong = |why: String| StageError::Share {
        source_node: source,
        keyspace: keyspace.to_owned(),
        why,
    };
    let partitioner = Partitioner::of(&manifest.partitioner)
        .filter(Partitioner::order_is_known)
        .ok_or_else(|| wrong(format!("its partitioner is {}", manifest.partitioner)))?;
    let ranges = own()
        .flat_map(|share| &share.ranges)
        .map(|range| TokenRange::parse(&partitioner, &range.left, &range.right))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    Ok(Taking::Ranges(Ranges {
        source,
        partitioner,
        ranges: Arc::new(TokenRanges::new(ranges)),
        trims: own().all(|share| share.trims),
        damaged: damaged(manifest, &target.in_backup().keyspace),
    }))
}

/// The damaged SSTables of a keyspace's tables; those of secondary indexes are not taken by ranges.
fn damaged(manifest: &NodeManifest, keyspace: &str) -> HashSet<(String, String)> {
    let damaged = manifest.damaged.iter();
    damaged
        .filter(|damage| damage.keyspace == keyspace && damage.index.is_none())
        .map(|damage| (damage.table.clone(), damage.sstable.clone()))
        .collect()
}

impl Ranges {
    /// What is taken of an SSTable of the table itself; nothing if it is outside. An older manifest does not record
    /// where it is: then that is found out by reading it.
    pub fn of(
        &self,
        table: &TableFiles,
        facts: &HashMap<&str, &SstableFacts>,
        sstable: &str,
    ) -> Result<Option<Portion>, StageError> {
        if self.ranges.is_whole_ring() {
            return Ok(Some(Portion::Whole));
        }
        // Slicing parses its components and would fail, and facts that were read from damaged components may be wrong.
        if self.trims && self.is_damaged(table, sstable) {
            return Ok(Some(Portion::Uncut));
        }
        let cannot_cut = |why: &str| match self.trims {
            true => Ok(Some(Portion::Uncut)),
            false => Err(StageError::NotSliceable {
                source_node: self.source,
                table: table.table_ref(),
                sstable: sstable.to_owned(),
                why: why.to_owned(),
            }),
        };
        let slice = |fraction| Portion::Slice {
            ranges: self.ranges.clone(),
            fraction,
            trims: self.trims,
        };
        let Some(facts) = facts.get(sstable) else {
            return Ok(Some(slice(1.0)));
        };
        if let Some(other) = &facts.partitioner {
            return cannot_cut(&format!("its partitioner is {other}"));
        }
        let span = self
            .token(&facts.first_token)
            .zip(self.token(&facts.last_token));
        let portion = match &span {
            None => slice(1.0),
            Some((first, last)) => match self.ranges.cut(first, last) {
                Cut::None => return Ok(None),
                Cut::Whole => return Ok(Some(Portion::Whole)),
                // What it holds is this node's own but for strays, however little of the span is.
                Cut::Part if self.trims => slice(1.0),
                Cut::Part => slice(fraction(&self.ranges, first, last)),
            },
        };
        if let Some(encryption) = &facts.encryption {
            return cannot_cut(&format!("it is encrypted by {}", encryption.compressor));
        }
        if facts.hazards.contains(&Hazard::ZeroCopySlice) {
            return cannot_cut("it is a part that DSE streamed without copying");
        }
        Ok(Some(portion))
    }

    fn is_damaged(&self, table: &TableFiles, sstable: &str) -> bool {
        let name = (table.table.clone(), sstable.to_owned());
        self.damaged.contains(&name)
    }

    fn token(&self, text: &Option<String>) -> Option<Token> {
        self.partitioner.parse_token(text.as_deref()?).ok()
    }
}

/// How much of the span is in the ranges, if keys are spread evenly; all of it for tokens that have no measure.
fn fraction(ranges: &TokenRanges, first: &Token, last: &Token) -> f64 {
    let (Some(from), Some(to)) = (measure(first), measure(last)) else {
        return 1.0;
    };
    let span = to - from;
    if span <= 0.0 {
        return 1.0;
    }
    let inside = ranges.iter().filter_map(|range| {
        let left = measure(&range.left)?.max(from);
        let right = match range.right.is_minimum() {
            true => to,
            false => measure(&range.right)?.min(to),
        };
        Some((right - left).max(0.0))
    });
    (inside.sum::<f64>() / span).clamp(0.0, 1.0)
}

fn measure(token: &Token) -> Option<f64> {
    match token {
        Token::Murmur3(value) => Some(*value as f64),
        Token::Random(value) => Some(value.map_or(-1.0, |value| value as f64)),
        Token::Bytes(_) | Token::Text(_) => None,
    }
}

#[cfg(test)]
mod tests;
