//! Reports partitions that nodes of the backup held and did not own, if each target node takes the files of one of them.

use std::collections::BTreeSet;

use model::TableRef;

use super::Restored;
use crate::findings::Findings;
use crate::restore::placing::moves::Moves;
use crate::restore::placing::own::{Lies, can_be_cut};
use crate::restore::schema::tables;
use crate::{codes, wording};

/// Says which are known to be left out, and which SSTables are loaded whole because they cannot be cut.
pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let (sstables, moves) = (&restored.given.request.sstables, &restored.assignment.moves);
    let wanted = tables::is_staged(&restored.outcome.decided);
    let Moves::OneToOne(moves) = moves else {
        return;
    };
    let (mut cut, mut uncut) = (Met::default(), Met::default());
    for (target, source) in moves.pairs() {
        let nodes = sstables.iter().filter(|node| node.host_id == source);
        let tables = nodes.flat_map(|node| &node.tables);
        for table in tables.filter(|it| wanted(&it.table.keyspace, &it.table.table)) {
            for facts in &table.sstables {
                match moves.lies(target, &table.table.keyspace, facts) {
                    Some(Lies::Astray | Lies::Unknown) if !can_be_cut(facts) => {
                        uncut.note(&table.table);
                    }
                    Some(Lies::Outside | Lies::Astray) => cut.note(&table.table),
                    Some(Lies::Inside | Lies::Unknown) | None => {}
                }
            }
        }
    }
    if cut.sstables > 0 {
        let (sstables, tables) = (wording::counted(cut.sstables, "SSTable"), cut.tables());
        findings.say(
            codes::FOREIGN_PARTITIONS,
            &tables,
            format!("in {sstables} of {tables} are partitions that their nodes do not own: they are left out"),
            "they are left over from before the ring or the replication changed; `nodetool cleanup` on the source's nodes removes them there",
        );
    }
    if uncut.sstables > 0 {
        let (sstables, tables) = (wording::counted(uncut.sstables, "SSTable"), uncut.tables());
        say_cleanup(
            &tables,
            &format!(
                "{sstables} of {tables} cannot be cut, and may hold partitions that their nodes do not own"
            ),
            &uncut.keyspaces(),
            findings,
        );
    }
    if moves.pairs().any(|(target, _)| moves.is_uncounted(target)) {
        say_cleanup(
            "ring",
            "the ring has too many ranges for a plan to say which of them each node owns, so that SSTables may hold partitions of others",
            moves.keyspaces(),
            findings,
        );
    } else if !moves.not_understood().is_empty() {
        let keyspaces = moves.not_understood();
        let names = wording::list(keyspaces);
        say_cleanup(
            &names,
            &format!(
                "which partitions of {names} each node owns cannot be determined, so that SSTables may hold partitions of others"
            ),
            keyspaces,
            findings,
        );
    }
}

fn say_cleanup(subject: &str, why: &str, keyspaces: &[String], findings: &mut Findings) {
    let commands = keyspaces
        .iter()
        .map(|keyspace| format!("`nodetool cleanup {keyspace}`"));
    findings.say(
        codes::CLEANUP_ADVISED,
        subject,
        format!("{why}: they are loaded whole, without Cassandra's check of tokens"),
        format!("afterwards, on each node: {}", wording::list(commands)),
    );
}

#[derive(Default)]
struct Met {
    sstables: u64,
    tables: BTreeSet<TableRef>,
}

impl Met {
    fn note(&mut self, table: &TableRef) {
        self.sstables += 1;
        self.tables.insert(table.clone());
    }

    fn tables(&self) -> String {
        wording::list(&self.tables)
    }

    fn keyspaces(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.tables.iter().map(|table| &table.keyspace).collect();
        names.into_iter().cloned().collect()
    }
}
