//! What a task needs of its cluster, and which tasks may run beside which.
//!
//! A backup excludes backups: they would share each node's disk and the agent's budget, so that both end later than one after
//! the other. A restore does not start beside a backup, also of other keyspaces: agents refuse the numbers of a cluster that are
//! lower than that of the restore, and the backup has one. A backup may start beside a restore that goes on while the nodes
//! serve, if no keyspace is of both: it cannot save a table that is half restored.

use std::collections::BTreeSet;

use model::Selection;
use serde::{Deserialize, Serialize};

/// More keyspaces than this count as all of them, so that claims stay small.
const KEYSPACES_MAX: usize = 100;

/// What a task needs of its cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Need {
    /// All of it, because nodes stop, or because any table may be worked on.
    Whole,
    /// It takes snapshots of these keyspaces.
    Backup(Keyspaces),
    /// It replaces tables of these keyspaces while the nodes serve.
    Restore(Keyspaces),
}

/// Some keyspaces, or all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Keyspaces(Option<BTreeSet<String>>);

impl Keyspaces {
    pub const ALL: Self = Self(None);

    /// Those of a selection, whole also if it selects only tables of them: types and functions belong to the keyspace.
    pub fn of(selection: &Selection) -> Self {
        if selection.is_everything() {
            return Self::ALL;
        }
        let of_tables = selection.tables.iter().map(|table| &table.keyspace);
        Self::new(selection.keyspaces.iter().chain(of_tables))
    }

    pub fn new<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        let names: BTreeSet<String> = names.into_iter().cloned().collect();
        Self((names.len() <= KEYSPACES_MAX).then_some(names))
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(mine), Some(theirs)) => mine.is_disjoint(theirs),
            _ => false,
        }
    }
}

impl Need {
    /// Whether a task that needs this may start while one runs that has that.
    pub fn may_start_beside(&self, running: &Self) -> bool {
        match (self, running) {
            (Self::Backup(mine), Self::Restore(theirs)) => mine.is_disjoint(theirs),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(names: &[&str]) -> Keyspaces {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Keyspaces::new(&names)
    }

    /// The needs by the words of docs/running.md.
    fn needs() -> [(&'static str, Need); 5] {
        [
            ("backup of `a`", Need::Backup(some(&["a"]))),
            ("backup of everything", Need::Backup(Keyspaces::ALL)),
            ("online restore of `a`", Need::Restore(some(&["a"]))),
            ("online restore of `b`", Need::Restore(some(&["b"]))),
            (
                "restore in place, rollback, acceptance, maintenance",
                Need::Whole,
            ),
        ]
    }

    #[test]
    fn the_documentation_says_what_excludes_what() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = page.join("../../../docs/running.md");
        let page = std::fs::read_to_string(page).expect("the page");
        for (starts, need) in needs() {
            let cells = needs().map(|(_, running)| match need.may_start_beside(&running) {
                true => "yes",
                false => "no",
            });
            let row = format!("| {starts} | {} |", cells.join(" | "));
            assert!(page.contains(&row), "docs/running.md lacks\n{row}");
        }
    }

    #[test]
    fn only_a_backup_of_other_keyspaces_starts_beside_an_online_restore() {
        let restore = Need::Restore(some(&["b", "c"]));
        for (keyspaces, expected) in [
            (some(&["a"]), true),
            (some(&["a", "c"]), false),
            (Keyspaces::ALL, false),
        ] {
            let backup = Need::Backup(keyspaces);
            assert_eq!(backup.may_start_beside(&restore), expected, "{backup:?}");
            assert!(!restore.may_start_beside(&backup));
        }
    }

    #[test]
    fn a_selection_of_tables_needs_their_keyspaces_and_too_many_are_all() {
        let selection = Selection {
            keyspaces: vec!["a".into()],
            tables: vec![model::TableRef {
                keyspace: "b".into(),
                table: "t".into(),
            }],
        };
        assert_eq!(Keyspaces::of(&selection), some(&["a", "b"]));
        let many: Vec<String> = (0..=KEYSPACES_MAX).map(|n| format!("k{n}")).collect();
        assert_eq!(Keyspaces::new(&many), Keyspaces::ALL);
        assert_eq!(Keyspaces::of(&Selection::default()), Keyspaces::ALL);
    }
}
