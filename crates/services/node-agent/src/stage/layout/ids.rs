//! Ids of staged SSTables: those of the backup where they can be kept, else new ones, so that no two collide.

use std::collections::{HashMap, HashSet};

use cassandra_formats::Descriptor;
use model::TableId;

use super::{Rules, Source};
use crate::restore::Placement;

/// The ids in use in each folder, so that two SSTables never get one.
pub(super) struct Ids {
    used: HashMap<(TableId, Option<String>), HashSet<String>>,
    next: HashMap<(TableId, Option<String>), u64>,
}

impl Ids {
    pub fn new(sources: &[Source<'_>], placed: &[Placement]) -> Self {
        let mut ids = Self {
            used: HashMap::new(),
            next: HashMap::new(),
        };
        for placement in placed {
            let folder = (placement.table, placement.index.clone());
            if let Some(id) = placement.to.split('-').nth(1) {
                ids.raise(&folder, id);
                ids.used.entry(folder).or_default().insert(id.to_owned());
            }
        }
        for source in sources {
            // New numbers begin behind all that exist, so that those which can be kept are.
            ids.raise(&folder(source), &source.descriptor.id);
        }
        ids
    }

    fn raise(&mut self, folder: &(TableId, Option<String>), id: &str) {
        let next = self.next.entry(folder.clone()).or_insert(1);
        if let Some(number) = number(id) {
            *next = (*next).max(number + 1);
        }
    }

    pub fn name(&mut self, source: &Source<'_>, rules: Rules) -> Descriptor {
        let folder = folder(source);
        let id = source.descriptor.id.clone();
        let used = self.used.entry(folder.clone()).or_default();
        let keep = rules.keep_time_ids || number(&id).is_some();
        let id = if keep && !used.contains(&id) {
            id
        } else {
            let next = self.next.entry(folder).or_insert(1);
            while used.contains(&next.to_string()) {
                *next += 1;
            }
            let id = next.to_string();
            *next += 1;
            id
        };
        used.insert(id.clone());
        Descriptor {
            format: source.descriptor.format.clone(),
            id,
        }
    }
}

fn folder(source: &Source<'_>) -> (TableId, Option<String>) {
    (source.target.target_id, source.index.clone())
}

/// A sequence id; what is longer than these is made of time, digits only by chance.
fn number(id: &str) -> Option<u64> {
    (id.len() <= 10).then(|| id.parse().ok()).flatten()
}
