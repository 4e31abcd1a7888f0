//! The steps of a restore, and what must be done before what.
//!
//! The barriers are what makes a restore safe: nothing is changed before every node has staged and checked its files,
//! nothing is dropped or emptied before all that is missing has been made, and in place no node starts on restored files
//! while another still has its own.

use super::ddl::Cql;
use super::nodes::Nodes;
use super::{PlanStep, RestoreMode, StepKind};

/// Steps in the order in which they were added, which is one in which they can run.
struct Steps<'a> {
    addresses: Vec<&'a str>,
    steps: Vec<PlanStep>,
}

pub(super) fn make(mode: RestoreMode, nodes: &Nodes, cql: Cql) -> Vec<PlanStep> {
    let mut steps = Steps {
        addresses: nodes.plans.iter().map(|node| node.node.as_str()).collect(),
        steps: Vec::new(),
    };
    let pin = steps.once(StepKind::Pin, &[], Vec::new());
    let staged = steps.on_each(StepKind::Stage, &pin);
    let mut last = staged;
    for (kind, cql) in [
        (StepKind::Schema, cql.schema),
        (StepKind::Replace, cql.replace),
    ] {
        if !cql.is_empty() {
            last = steps.once(kind, &last, cql);
        }
    }
    last = match mode {
        RestoreMode::Online => steps.on_each(StepKind::Load, &last),
        RestoreMode::InPlace => {
            let stopped = steps.on_each(StepKind::Stop, &last);
            let swapped = steps.on_each(StepKind::Swap, &stopped);
            steps.on_each(StepKind::Start, &swapped)
        }
    };
    if nodes.upgrade {
        last = steps.on_each_after_own(StepKind::UpgradeSstables, &last);
    }
    if !cql.views.is_empty() {
        last = steps.once(StepKind::Views, &last, cql.views);
    }
    steps.once(StepKind::Finish, &last, Vec::new());
    steps.steps
}

impl Steps<'_> {
    /// A step of the whole cluster; answers its id as the barrier for what follows.
    fn once(&mut self, kind: StepKind, after: &[String], cql: Vec<String>) -> Vec<String> {
        let id = kind.as_str().to_owned();
        self.steps.push(PlanStep {
            id: id.clone(),
            kind,
            node: String::new(),
            after: after.to_vec(),
            cql,
        });
        vec![id]
    }

    /// A step on each node, each after all of `after`.
    fn on_each(&mut self, kind: StepKind, after: &[String]) -> Vec<String> {
        self.each(kind, |_| after.to_vec())
    }

    /// A step on each node, each after the one step of `after` on the same node.
    fn on_each_after_own(&mut self, kind: StepKind, after: &[String]) -> Vec<String> {
        self.each(kind, |at| vec![after[at].clone()])
    }

    fn each(&mut self, kind: StepKind, after: impl Fn(usize) -> Vec<String>) -> Vec<String> {
        let first = self.steps.len();
        for (at, address) in self.addresses.iter().enumerate() {
            self.steps.push(PlanStep {
                id: format!("{kind}-{address}"),
                kind,
                node: (*address).to_owned(),
                after: after(at),
                cql: Vec::new(),
            });
        }
        self.steps[first..]
            .iter()
            .map(|step| step.id.clone())
            .collect()
    }
}
