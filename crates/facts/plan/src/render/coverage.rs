//! What part of the ring the backup holds at which number of replicas.

use crate::restore::KeyspaceCoverage;
use crate::text_table::TextTable;

const PPM: u32 = 1_000_000;
/// How many keyspaces are shown.
const SHOWN_MAX: usize = 40;

/// Nothing where every replica is there: then there is nothing to choose.
pub fn coverage(coverage: &[KeyspaceCoverage]) -> String {
    let whole = |row: &KeyspaceCoverage| row.held_ppm.last() == Some(&PPM);
    if coverage.iter().all(whole) {
        return String::new();
    }
    let mut rows = TextTable::new(&["KEYSPACE", "DATACENTER", "OF THE RING THE BACKUP HOLDS"]);
    // Of the keyspaces of which the least is there, if there are many.
    let mut shown: Vec<&KeyspaceCoverage> = coverage.iter().collect();
    if shown.len() > SHOWN_MAX {
        shown.sort_by_key(|row| row.held_ppm.last().copied());
        shown.truncate(SHOWN_MAX);
    }
    for row in &shown {
        let parts = row
            .held_ppm
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, ppm)| **ppm > 0);
        let parts: Vec<String> = parts
            .map(|(held, ppm)| format!("{held} of {} replicas: {}", row.replicas, percent(*ppm)))
            .collect();
        let datacenter = match row.datacenter.as_str() {
            "" => "-",
            datacenter => datacenter,
        };
        rows.row([
            row.keyspace.clone(),
            datacenter.to_owned(),
            parts.join(", "),
        ]);
    }
    let mut out = rows.render();
    if coverage.len() > shown.len() {
        let more = coverage.len() - shown.len();
        out.push_str(&format!(
            "and {more} more, of which the backup holds as much or more\n"
        ));
    }
    out
}

/// Never 0 % of something, and never 100 % of less than all.
fn percent(ppm: u32) -> String {
    match f64::from(ppm) / 10_000.0 {
        _ if ppm == PPM => "100 %".to_owned(),
        percent if percent < 0.1 => "less than 0.1 %".to_owned(),
        percent if percent > 99.9 => "more than 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}
