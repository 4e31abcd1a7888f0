//! Which table of the backup gets which name, and what is wrong with the names that were asked for.

mod check;

use std::collections::{BTreeMap, BTreeSet};

use model::manifest::TableSummary;
use model::plan::{Rename, RestoreRequest};
use model::{SchemaKind, Selection, TableRef};

use crate::findings::Findings;

pub(in crate::restore) use check::check_selected;

/// What is taken of one keyspace of the backup into one keyspace of the target.
#[derive(Debug, Default)]
pub(super) struct Pair {
    pub from: String,
    pub to: String,
    /// Whether the keyspace is restored with all that is in it.
    pub is_whole: bool,
    /// Names before and after.
    pub tables: BTreeMap<String, String>,
    /// Views keep their names.
    pub views: BTreeSet<String>,
}

pub(super) struct Names {
    pub pairs: Vec<Pair>,
    /// Tables and views, by their names in the backup.
    targets: BTreeMap<TableRef, TableRef>,
    /// Tables that have a rename of their own: their views do not come.
    pub alone: BTreeSet<TableRef>,
}

impl Names {
    /// Of renames that are wrong nothing is taken.
    pub fn of(request: &RestoreRequest, findings: &mut Findings) -> Self {
        let stored = request.backup.tables();
        let renames = check::valid(request, &stored, findings);
        let mut names = Self {
            pairs: Vec::new(),
            targets: BTreeMap::new(),
            alone: BTreeSet::new(),
        };
        for rename in &renames {
            if let Rename::Table { from, to } = rename {
                names.alone.insert(from.clone());
                names.take_table(from, to);
            }
        }
        for rename in &renames {
            if let Rename::Keyspace { from, to } = rename {
                names.take_keyspace(from, to, &stored, request);
            }
        }
        for source in check::targets(&names, findings) {
            names.leave(&source);
        }
        names
    }

    fn pair(&mut self, from: &str, to: &str) -> &mut Pair {
        let mut pairs = self.pairs.iter();
        let at = pairs.position(|pair| pair.from == from && pair.to == to);
        let at = at.unwrap_or_else(|| {
            self.pairs.push(Pair {
                from: from.to_owned(),
                to: to.to_owned(),
                ..Pair::default()
            });
            self.pairs.len() - 1
        });
        &mut self.pairs[at]
    }

    fn take_table(&mut self, from: &TableRef, to: &TableRef) {
        let pair = self.pair(&from.keyspace, &to.keyspace);
        pair.tables.insert(from.table.clone(), to.table.clone());
        self.targets.insert(from.clone(), to.clone());
    }

    fn take_keyspace(
        &mut self,
        from: &str,
        to: &str,
        stored: &[TableSummary],
        request: &RestoreRequest,
    ) {
        let wanted = &request.options.selection;
        let is_whole = is_whole(wanted, from);
        self.pair(from, to).is_whole = is_whole;
        let of_keyspace = stored.iter().filter(|table| table.keyspace == from);
        for table in of_keyspace.filter(|table| table.view_of.is_none()) {
            let source = table.table_ref();
            if wanted.contains(from, &table.table) && !self.alone.contains(&source) {
                self.take_table(&source, &TableRef::new(to, &table.table));
            }
        }
        // By the schema, because a backup need not have files of a view.
        let entries = request.backup.schema.entries.iter();
        let views = entries.filter(|it| it.kind == SchemaKind::View && it.keyspace == from);
        for view in views {
            let base = TableRef::new(from, &view.base_table);
            if self.targets.contains_key(&base) && !self.alone.contains(&base) {
                let target = TableRef::new(to, &view.name);
                self.targets.insert(TableRef::new(from, &view.name), target);
                self.pair(from, to).views.insert(view.name.clone());
            }
        }
    }

    fn leave(&mut self, source: &TableRef) {
        self.targets.remove(source);
        let pairs = self.pairs.iter_mut();
        for pair in pairs.filter(|pair| pair.from == source.keyspace) {
            pair.tables.remove(&source.table);
            pair.views.remove(&source.table);
        }
    }

    /// The name on the target; none of what is not restored.
    pub fn target(&self, source: &TableRef) -> Option<&TableRef> {
        self.targets.get(source)
    }

    /// The tables that are restored, without views: names before and after.
    pub fn tables(&self) -> impl Iterator<Item = (TableRef, TableRef)> {
        self.pairs.iter().flat_map(|pair| {
            let each = pair.tables.iter();
            each.map(|(before, after)| {
                let source = TableRef::new(&pair.from, before);
                (source, TableRef::new(&pair.to, after))
            })
        })
    }

    /// The views that come with their tables, by their names on the target.
    pub fn views(&self) -> impl Iterator<Item = (TableRef, TableRef)> {
        self.pairs.iter().flat_map(|pair| {
            let each = pair.views.iter();
            each.map(|name| {
                (
                    TableRef::new(&pair.from, name),
                    TableRef::new(&pair.to, name),
                )
            })
        })
    }

    /// What the backup was made of, by the names on the target.
    pub fn backed_up(&self, selection: &Selection) -> Selection {
        if selection.is_everything() {
            return selection.clone();
        }
        self.of_whole(|pair| is_whole(selection, &pair.from))
    }

    /// What is restored, by the names on the target.
    pub fn selection(&self) -> Selection {
        self.of_whole(|pair| pair.is_whole)
    }

    /// The keyspaces of these pairs, and the tables of the others.
    fn of_whole(&self, is_whole: impl Fn(&Pair) -> bool) -> Selection {
        let whole = self.pairs.iter().filter(|pair| is_whole(pair));
        let keyspaces: Vec<String> = whole.map(|pair| pair.to.clone()).collect();
        let tables = self.tables().map(|(_, target)| target);
        Selection {
            tables: tables
                .filter(|table| !keyspaces.contains(&table.keyspace))
                .collect(),
            keyspaces,
        }
    }
}

/// Whether a keyspace is selected with all that is in it.
fn is_whole(wanted: &Selection, keyspace: &str) -> bool {
    wanted.is_everything() || wanted.keyspaces.iter().any(|name| name == keyspace)
}
