//! Damaged backups that a rule would keep and that no good one stands in for: a damaged archive is better than none.

use std::collections::{BTreeMap, BTreeSet};

use model::Covers;

use super::{Deciding, Group, KeepReason};
use crate::{Period, Standing};

impl Deciding<'_> {
    /// Keeps damaged backups in places that the good ones leave empty. They take no place of a good one.
    pub(super) fn keep_damaged(&mut self) {
        let mut kept = BTreeSet::new();
        for (covers, group) in &self.groups {
            let damaged = self.damaged(covers);
            kept.extend(self.in_empty_places(group, &damaged));
        }
        for at in kept {
            self.reasons[at].push(KeepReason::NoGoodInstead);
        }
    }

    /// The damaged ones that cover this, from the newest on. A differential without its base holds next to nothing.
    fn damaged(&self, covers: &Covers) -> Vec<usize> {
        let names: BTreeSet<_> = self.backups.iter().map(|backup| &backup.name).collect();
        let is_meant = |at: &usize| {
            let backup = &self.backups[*at];
            let has_base = backup.base.as_ref().is_none_or(|base| names.contains(base));
            let counts = self.standings[*at] == Standing::Damaged && backup.in_scope && has_base;
            counts && backup.started_at <= self.now && backup.covers.as_ref() == Some(covers)
        };
        let mut damaged: Vec<usize> = (0..self.backups.len()).filter(is_meant).collect();
        let newest_first = |at: &usize| {
            let backup = &self.backups[*at];
            std::cmp::Reverse((backup.started_at, &backup.name))
        };
        damaged.sort_by_key(newest_first);
        damaged
    }

    fn in_empty_places(&self, group: &Group, damaged: &[usize]) -> BTreeSet<usize> {
        let lacking = (self.policy.last as usize).saturating_sub(group.good.len());
        let mut kept: BTreeSet<usize> = damaged.iter().take(lacking).copied().collect();
        let of_day = |at: &usize| self.period_of(Period::Day, *at);
        let good_days: BTreeSet<i64> = group.good.iter().map(of_day).collect();
        for at in damaged {
            if self.is_young(*at, group) && !good_days.contains(&of_day(at)) {
                kept.insert(*at);
            }
        }
        for period in Period::ALL {
            kept.extend(self.in_empty_periods(period, group, damaged));
        }
        kept
    }

    /// The newest damaged one of each period that has no good one, among as many periods as the policy has.
    fn in_empty_periods(&self, period: Period, group: &Group, damaged: &[usize]) -> Vec<usize> {
        // Absent: a good one is there.
        let mut newest: BTreeMap<i64, Option<usize>> = BTreeMap::new();
        for at in &group.good {
            newest.insert(self.period_of(period, *at), None);
        }
        for at in damaged {
            newest
                .entry(self.period_of(period, *at))
                .or_insert(Some(*at));
        }
        let wanted = newest.into_values().rev();
        let wanted = wanted.take(self.policy.of(period) as usize);
        wanted.flatten().collect()
    }

    fn period_of(&self, period: Period, at: usize) -> i64 {
        period.number(&self.policy.zone.at(self.backups[at].started_at))
    }
}
