//! Damage of one kind, of which there may be as much as there are rows: the first of it, and how much more there is.

use crate::error::Damage;

/// What follows the first is mostly its consequence.
const SHOWN_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct Findings {
    component: &'static str,
    /// What there is more of: "rows out of order".
    plural: &'static str,
    found: Vec<Damage>,
    more: u64,
}

impl Findings {
    pub(super) fn new(component: &'static str, plural: &'static str) -> Self {
        Self {
            component,
            plural,
            found: Vec::new(),
            more: 0,
        }
    }

    /// `damage` is called only if it will be shown.
    #[cold]
    pub(super) fn add(&mut self, damage: impl FnOnce() -> Damage) {
        if self.found.len() < SHOWN_MAX {
            self.found.push(damage());
        } else {
            self.more += 1;
        }
    }

    pub(super) fn into_damage(self) -> Vec<Damage> {
        let mut found = self.found;
        if self.more > 0 {
            let what = format!("{} more {}", self.more, self.plural);
            found.push(Damage::whole(self.component, what));
        }
        found
    }
}
