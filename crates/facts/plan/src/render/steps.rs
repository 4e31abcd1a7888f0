//! The steps of a plan in their order: what all nodes do alike is one line, and CQL is shown word by word if it is little.

use std::fmt::Write;

use super::statements::{self, Statements};
use crate::restore::StepKind;
use crate::text_table::TextTable;
use crate::wording;
use model::plan::{ShownPlan, ShownStep};

/// Steps that are of one kind, wait for the same, and differ in the node only.
struct Group<'a> {
    steps: Vec<&'a ShownStep>,
    /// What they wait for, in words.
    after: Vec<String>,
}

impl Group<'_> {
    fn takes(&self, step: &ShownStep, after: &[String]) -> bool {
        let first = self.steps[0];
        let on_nodes = first.node.is_some() && step.node.is_some();
        on_nodes && first.kind == step.kind && self.after == after && first.cql == step.cql
    }

    fn name(&self) -> String {
        match self.steps.as_slice() {
            [step] => step.id.clone(),
            steps => steps[0].kind.clone(),
        }
    }

    fn nodes(&self, plan: &ShownPlan) -> String {
        let nodes: Vec<&String> = self.steps.iter().filter_map(|s| s.node.as_ref()).collect();
        match nodes.len() {
            0 => "-".to_owned(),
            1 => nodes[0].clone(),
            _ if plan.nodes.iter().all(|node| nodes.contains(&&node.node)) => "every node".into(),
            _ => wording::list(nodes),
        }
    }

    fn after(&self) -> String {
        if self.after.is_empty() {
            "-".to_owned()
        } else {
            wording::list(&self.after)
        }
    }
}

pub(super) fn steps(plan: &ShownPlan, statements: Statements) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let groups = groups(&plan.steps);
    let mut table = TextTable::new(&["STEP", "ON", "AFTER"]);
    for group in &groups {
        table.row([group.name(), group.nodes(plan), group.after()]);
    }
    let lines = table.render();
    let mut lines = lines.lines();
    let mut out = format!("{}\n", lines.next().unwrap_or_default());
    for (line, group) in lines.zip(&groups) {
        let _ = writeln!(out, "{line}");
        statements::of_step(&mut out, &group.steps[0].cql, statements);
    }
    out
}

fn groups(steps: &[ShownStep]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for step in steps.iter().filter(|step| !is_barrier(step)) {
        let after = after(step, steps);
        match groups.last_mut() {
            Some(group) if group.takes(step, &after) => group.steps.push(step),
            _ => groups.push(Group {
                steps: vec![step],
                after,
            }),
        }
    }
    groups
}

/// Barriers are in a plan to keep it short, and say nothing to people.
fn is_barrier(step: &ShownStep) -> bool {
    step.kind == StepKind::Barrier.as_str()
}

/// The ids of the steps that a step waits for, those behind a barrier in its place.
fn waits_for<'a>(step: &'a ShownStep, steps: &'a [ShownStep]) -> Vec<&'a String> {
    let mut ids = Vec::new();
    for id in &step.after {
        match steps.iter().find(|other| other.id == *id) {
            Some(barrier) if is_barrier(barrier) => ids.extend(&barrier.after),
            _ => ids.push(id),
        }
    }
    ids
}

/// What a step waits for: every step of a kind and its own node's by one word each, any other by its id.
fn after(step: &ShownStep, steps: &[ShownStep]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let waited_for = waits_for(step, steps);
    for id in waited_for.iter().copied() {
        let name = match steps.iter().find(|other| other.id == *id) {
            None => id.clone(),
            Some(other) => {
                let alike = || steps.iter().filter(|any| any.kind == other.kind);
                if alike().count() == 1 {
                    id.clone()
                } else if alike().all(|any| waited_for.contains(&&any.id)) {
                    format!("every {}", other.kind)
                } else if other.node.is_some() && other.node == step.node {
                    format!("its own {}", other.kind)
                } else {
                    id.clone()
                }
            }
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
