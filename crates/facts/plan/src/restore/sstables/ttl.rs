//! How much of the restored rows runs out before the restore is over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::manifest::{NodeSstables, SstableFacts};

use super::Restored;
use crate::findings::Findings;
use crate::restore::schema::tables;
use crate::{codes, wording};

/// A table of which less runs out is passed over. An SSTable keeps at most a hundred times of expiry and merges
/// neighbours, so that some cells stand where they do not expire; below a thousandth the figure says little, and a warning
/// for every table with a time to live, at every restore, would no longer be read.
const TOLD_FROM_PER_MILLE: u64 = 1;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let request = restored.given.request;
    let wanted = tables::is_staged(&restored.outcome.decided);
    let (sstables, seconds) = (&request.sstables, restored.seconds);
    check_tables(sstables, wanted, request.now, seconds, findings);
}

/// Says for each table that is `wanted`, by keyspace and name, what of it expires until a restore that is begun `now` and
/// takes `seconds` is over. Every replica counts.
fn check_tables(
    sstables: &[NodeSstables],
    wanted: impl Fn(&str, &str) -> bool,
    now: Timestamp,
    seconds: u64,
    findings: &mut Findings,
) {
    let now = u64::try_from(now.as_second()).unwrap_or(0);
    let end = now.saturating_add(seconds);
    let mut tables: BTreeMap<(&str, &str), Cells> = BTreeMap::new();
    for table in sstables.iter().flat_map(|node| &node.tables) {
        let name = (table.table.keyspace.as_str(), table.table.table.as_str());
        if !wanted(name.0, name.1) {
            continue;
        }
        let cells = tables.entry(name).or_default();
        for facts in &table.sstables {
            cells.add(facts, now, end);
        }
    }
    for ((keyspace, table), cells) in tables {
        if cells.are_worth_telling() {
            say(&format!("{keyspace}.{table}"), &cells, seconds, findings);
        }
    }
}

/// Cells of one table on all nodes.
#[derive(Debug, Default)]
struct Cells {
    all: u64,
    /// Some SSTables do not tell how many they have.
    all_unknown: bool,
    gone_at_start: u64,
    gone_at_end: u64,
}

impl Cells {
    fn add(&mut self, facts: &SstableFacts, now: u64, end: u64) {
        match facts.cells {
            Some(cells) => self.all = self.all.saturating_add(cells),
            None => self.all_unknown = true,
        }
        for expiring in &facts.expiring {
            if expiring.at_seconds <= end {
                self.gone_at_end = self.gone_at_end.saturating_add(expiring.cells);
            }
            if expiring.at_seconds <= now {
                self.gone_at_start = self.gone_at_start.saturating_add(expiring.cells);
            }
        }
    }

    /// Both figures are estimates: what expires may be more than what there is.
    fn all(&self) -> Option<u64> {
        (!self.all_unknown && self.all > 0).then_some(self.all.max(self.gone_at_end))
    }

    fn are_worth_telling(&self) -> bool {
        let enough = |all: u64| self.gone_at_end >= all.div_ceil(1000) * TOLD_FROM_PER_MILLE;
        self.gone_at_end > 0 && self.all().is_none_or(enough)
    }
}

fn say(table: &str, cells: &Cells, seconds: u64, findings: &mut Findings) {
    let gone = match cells.all() {
        Some(all) => format!(
            "about {} of {} of {table} ({})",
            wording::count(cells.gone_at_end),
            wording::counted(all, "cell"),
            percent(cells.gone_at_end, all)
        ),
        None => format!(
            "about {} of {table}",
            wording::counted(cells.gone_at_end, "cell")
        ),
    };
    let since = match cells.gone_at_start {
        0 => "none of them yet".to_owned(),
        some if some == cells.gone_at_end => "all of them since the backup".to_owned(),
        some => format!("{} of them since the backup", wording::count(some)),
    };
    findings.say(
        codes::TTL_MAY_EXPIRE,
        table,
        format!(
            "{gone} expire before the restore is over, which takes about {}; {since}",
            wording::duration(seconds)
        ),
        if cells.gone_at_start == cells.gone_at_end { "nothing brings them back, and a longer default_time_to_live does not either" } else { "nothing brings them back, and a longer default_time_to_live does not either; restore sooner, or this table first and alone" },
    );
}

fn percent(part: u64, all: u64) -> String {
    match u128::from(part) * 100 / u128::from(all.max(1)) {
        0 => "less than 1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use model::manifest::Expiring;

    use super::*;
    use crate::restore::world::{brief, facts, said, sstables};

    const NOW: u64 = 1_000_000;

    fn sstable(cells: Option<u64>, expiring: &[(u64, u64)]) -> SstableFacts {
        let expiring = expiring.iter().map(|(at_seconds, cells)| Expiring {
            at_seconds: *at_seconds,
            cells: *cells,
        });
        SstableFacts {
            cells,
            expiring: expiring.collect(),
            ..facts("nb-1-big")
        }
    }

    /// What is said of `shop.sessions` with these SSTables, when the restore takes an hour.
    fn message(tables: Vec<SstableFacts>) -> Option<(String, String)> {
        let sources = [sstables(1, &[("shop.sessions", tables)])];
        let now = Timestamp::from_second(NOW as i64).expect("a time");
        let mut found = said(|findings| check_tables(&sources, |_, _| true, now, 3600, findings));
        assert!(found.len() <= 1);
        let finding = found.pop()?;
        assert_eq!(
            brief(std::slice::from_ref(&finding)),
            ["Warning TTL_MAY_EXPIRE shop.sessions"]
        );
        Some((finding.message, finding.hint))
    }

    #[test]
    fn what_is_gone_and_what_will_be_is_told_with_figures() {
        let tables = vec![
            sstable(
                Some(30_000),
                &[(NOW - 10, 500), (NOW, 400), (NOW + 3600, 300)],
            ),
            sstable(Some(20_000), &[(NOW + 3601, 9_000)]),
        ];
        let (message, hint) = message(tables).expect("a finding");
        assert_eq!(
            message,
            "about 1,200 of 50,000 cells of shop.sessions (2 %) expire before the restore is over, which takes about 1h 00m; 900 of them since the backup"
        );
        assert!(hint.contains("restore sooner"), "{hint}");
    }

    #[test]
    fn what_is_gone_already_is_not_hurried() {
        let (message, hint) = message(vec![sstable(Some(100), &[(NOW, 50)])]).expect("a finding");
        assert!(
            message.ends_with("; all of them since the backup"),
            "{message}"
        );
        assert!(!hint.contains("sooner"), "{hint}");
    }

    #[test]
    fn nothing_is_said_where_nothing_or_next_to_nothing_expires() {
        for (cells, expiring, told) in [
            (Some(1000), vec![], false),
            (Some(1000), vec![(NOW + 3601, 1000)], false),
            (Some(1000), vec![(NOW + 10, 0)], false),
            (Some(10_000), vec![(NOW + 10, 9)], false),
            (Some(10_000), vec![(NOW + 10, 10)], true),
            (Some(3), vec![(NOW + 10, 1)], true),
            // Without the whole there is no telling how little it is.
            (None, vec![(NOW + 10, 1)], true),
            (Some(0), vec![(NOW + 10, 1)], true),
        ] {
            let got = message(vec![sstable(cells, &expiring)]).is_some();
            assert_eq!(got, told, "{cells:?} {expiring:?}");
        }
    }

    #[test]
    fn estimates_that_do_not_agree_do_not_make_more_than_all() {
        let (message, _) = message(vec![sstable(Some(10), &[(NOW + 1, 30)])]).expect("a finding");
        assert!(
            message.starts_with("about 30 of 30 cells of shop.sessions (100 %)"),
            "{message}"
        );
        // If one SSTable has no figure, no share is reported.
        let tables = vec![sstable(Some(10), &[(NOW + 1, 3)]), sstable(None, &[])];
        let (message, _) = self::message(tables).expect("a finding");
        assert!(
            message.starts_with("about 3 cells of shop.sessions expire"),
            "{message}"
        );
    }

    #[test]
    fn nodes_are_added_up_and_tables_are_told_apart() {
        let half = || vec![sstable(Some(10), &[(NOW + 1, 5)])];
        let sources = [
            sstables(
                1,
                &[("shop.a", half()), ("shop.b", half()), ("shop.c", half())],
            ),
            sstables(2, &[("shop.a", half())]),
        ];
        let now = Timestamp::from_second(NOW as i64).expect("a time");
        let found =
            said(|findings| check_tables(&sources, |_, table| table != "c", now, 60, findings));
        let starts: Vec<&str> = found
            .iter()
            .filter_map(|f| f.message.split(" (").next())
            .collect();
        assert_eq!(
            starts,
            [
                "about 10 of 20 cells of shop.a",
                "about 5 of 10 cells of shop.b"
            ]
        );
    }

    #[test]
    fn times_at_the_edge_of_what_is_possible_do_no_harm() {
        let sources = [sstables(
            1,
            &[(
                "a.b",
                vec![sstable(Some(u64::MAX), &[(u64::MAX, u64::MAX); 2])],
            )],
        )];
        for now in [Timestamp::MIN, Timestamp::MAX] {
            said(|findings| check_tables(&sources, |_, _| true, now, u64::MAX, findings));
        }
    }
}
