//! SSTables that a node needs a part of, and that only their own product can cut.

use std::collections::BTreeSet;

use cassandra_tokens::{Cut, Partitioner, Token, TokenRanges};
use model::manifest::{Hazard, SstableFacts};

use super::Restored;
use crate::findings::Findings;
use crate::restore::placing::moves::Moves;
use crate::restore::schema::tables;
use crate::{codes, wording};

/// Refuses what the agents would refuse when they stage, by the same rule.
pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let (sstables, moves) = (&restored.given.request.sstables, &restored.assignment.moves);
    let rings = restored.given.inputs.rings.as_ref();
    let wanted = tables::is_staged(&restored.outcome.decided);
    let (Moves::ByRange(groups), Some(rings)) = (moves, rings) else {
        return;
    };
    let partitioner = rings.source.partitioner();
    let mut encrypted = Met::default();
    let mut zero_copy = Met::default();
    for node in sstables {
        let Some(source) = rings.source.index_of(node.host_id) else {
            continue;
        };
        for table in &node.tables {
            let (keyspace, name) = (&table.table.keyspace, &table.table.table);
            let Some(group) = groups
                .iter()
                .find(|group| group.keyspaces.contains(keyspace))
                .filter(|_| wanted(keyspace, name))
            else {
                continue;
            };
            for facts in &table.sstables {
                let met = match facts {
                    facts if facts.encryption.is_some() => &mut encrypted,
                    facts if facts.hazards.contains(&Hazard::ZeroCopySlice) => &mut zero_copy,
                    // Nearly all of them, and nothing stands against cutting them.
                    _ => continue,
                };
                let is_cut = group
                    .mapping
                    .targets_of(source)
                    .filter_map(|target| group.mapping.ranges_from(target, source))
                    .any(|ranges| cuts(ranges, &partitioner, facts));
                if is_cut {
                    met.sstables += 1;
                    met.tables.insert(table.table.to_string());
                }
            }
        }
    }
    encrypted.say("only its own product reads what is encrypted", findings);
    zero_copy.say("DSE streamed it without copying", findings);
}

#[derive(Default)]
struct Met {
    sstables: u64,
    tables: BTreeSet<String>,
}

impl Met {
    fn say(&self, why: &str, findings: &mut Findings) {
        if self.sstables == 0 {
            return;
        }
        let tables = wording::list(&self.tables);
        let sstables = wording::counted(self.sstables, "SSTable");
        findings.say(
            codes::SSTABLE_NOT_SLICEABLE,
            &tables,
            format!("nodes of this ring need parts of {sstables} of {tables}, which cannot be cut: {why}"),
            "restore them into a ring with the same tokens, datacenters and racks, where each SSTable goes whole; or leave these tables out",
        );
    }
}

/// Whether a node that takes these ranges takes a part. Where an SSTable is on the ring is not known if its tokens are not.
fn cuts(ranges: &TokenRanges, partitioner: &Partitioner, facts: &SstableFacts) -> bool {
    if ranges.is_whole_ring() {
        return false;
    }
    let token =
        |text: &Option<String>| -> Option<Token> { partitioner.parse_token(text.as_deref()?).ok() };
    let span = token(&facts.first_token).zip(token(&facts.last_token));
    span.is_none_or(|(first, last)| ranges.cut(&first, &last) == Cut::Part)
}
