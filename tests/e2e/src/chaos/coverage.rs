//! Which faults have hit which steps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::fault::{FAULTS, Fault};
use super::steps;

/// Hits of each fault at each kind of step, and what was not hit.
#[derive(Debug, Default)]
pub struct Coverage {
    hits: BTreeMap<(&'static str, Fault), usize>,
    /// Kind, fault and why.
    missed: Vec<(&'static str, Fault, String)>,
    /// Faults that cannot be made here.
    skipped: BTreeSet<Fault>,
}

/// All kinds of steps, in the order of the tasks.
fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = Vec::new();
    for step in steps::all() {
        if !kinds.contains(&step.kind) {
            kinds.push(step.kind);
        }
    }
    kinds
}

impl Coverage {
    pub fn hit(&mut self, kind: &'static str, fault: Fault) {
        *self.hits.entry((kind, fault)).or_default() += 1;
    }

    pub fn miss(&mut self, kind: &'static str, fault: Fault, why: &str) {
        self.missed.push((kind, fault, why.to_owned()));
    }

    pub fn skip(&mut self, fault: Fault) {
        self.skipped.insert(fault);
    }

    pub fn hits(&self) -> usize {
        self.hits.values().sum()
    }

    /// What was missed although there was something to hit.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.missed.iter();
        let missed = missed.filter(|(kind, fault, _)| fault.has_no_target(kind).is_none());
        missed
            .map(|(kind, fault, why)| format!("{fault} at {kind}: {why}"))
            .collect()
    }

    /// Kinds of steps that no fault has hit.
    pub fn kinds_without_hit(&self) -> Vec<&'static str> {
        let hit: BTreeSet<&str> = self.hits.keys().map(|(kind, _)| *kind).collect();
        kinds().into_iter().filter(|it| !hit.contains(it)).collect()
    }

    /// Every kind and fault that has not met, though it could.
    pub fn gaps(&self) -> Vec<String> {
        let pairs = kinds().into_iter();
        let pairs = pairs.flat_map(|kind| FAULTS.map(|fault| (kind, fault)));
        let gaps = pairs.filter(|(kind, fault)| {
            fault.has_no_target(kind).is_none()
                && !self.skipped.contains(fault)
                && !self.hits.contains_key(&(*kind, *fault))
        });
        gaps.map(|(kind, fault)| format!("{fault} at {kind}"))
            .collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "hits of each fault at each kind of step:")?;
        write!(f, "{:<16}", "")?;
        for fault in FAULTS {
            write!(f, " {:>16}", fault.to_string())?;
        }
        for kind in kinds() {
            write!(f, "\n{kind:<16}")?;
            for fault in FAULTS {
                let hits = self.hits.get(&(kind, fault)).copied().unwrap_or_default();
                let shown = match fault.has_no_target(kind) {
                    Some(_) => "-".to_owned(),
                    None => hits.to_string(),
                };
                write!(f, " {shown:>16}")?;
            }
        }
        for fault in &self.skipped {
            write!(f, "\nskipped: {fault}, which cannot be made here")?;
        }
        for (kind, fault, why) in &self.missed {
            write!(f, "\nnot hit: {fault} at {kind}: {why}")?;
        }
        Ok(())
    }
}
