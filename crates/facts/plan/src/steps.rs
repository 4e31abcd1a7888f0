//! Builds the steps of a plan so that every barrier is one step, however many nodes there are.

use model::plan::{PlanStep, StepKind};

/// Steps in the order in which they were added, which is one in which they can run.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    steps: Vec<PlanStep>,
}

/// The ids of steps that something waits for. Those of steps on each node are in the order of the nodes.
pub(crate) type Ids = Vec<String>;

impl Steps {
    pub fn into_vec(self) -> Vec<PlanStep> {
        self.steps
    }

    /// A step of the whole cluster after all of `after`.
    pub fn once(&mut self, kind: StepKind, after: &[String]) -> Ids {
        self.once_with(kind, after, Vec::new())
    }

    pub fn once_with(&mut self, kind: StepKind, after: &[String], cql: Vec<String>) -> Ids {
        self.add(kind.as_str().to_owned(), kind, "", after.to_vec(), cql)
    }

    /// A step on each node, each after all of `after`: by a barrier if these are several.
    pub fn on_each(&mut self, nodes: &[&str], kind: StepKind, after: &[String]) -> Ids {
        let after = self.barrier(after);
        self.each(nodes, kind, |_| after.clone())
    }

    /// A step on each node, each after the one step of `after` on the same node.
    pub fn on_each_after_own(&mut self, nodes: &[&str], kind: StepKind, after: &[String]) -> Ids {
        self.each(nodes, kind, |at| vec![after[at].clone()])
    }

    /// A step on each node, of which at most `lanes` run at a time: the first ones after all of `after`, each other one
    /// after the one before it in its lane. Returns the last of each lane.
    pub fn in_lanes(
        &mut self,
        nodes: &[&str],
        kind: StepKind,
        id: impl Fn(&str) -> String,
        after: &[String],
        lanes: usize,
    ) -> Ids {
        let mut last: Ids = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let lane = at % lanes.max(1);
            let before = match last.get(lane) {
                None => after.to_vec(),
                Some(before) => vec![before.clone()],
            };
            let added = self.add(id(node), kind, node, before, Vec::new());
            match last.get_mut(lane) {
                None => last.extend(added),
                Some(place) => *place = added.into_iter().next().unwrap_or_default(),
            }
        }
        last
    }

    /// One step that waits for all of `after`: the only one of them, or a barrier. The barrier is named by their kind.
    pub fn barrier(&mut self, after: &[String]) -> Ids {
        let first = self
            .steps
            .iter()
            .find(|step| after.first() == Some(&step.id));
        match first {
            Some(first) if after.len() > 1 => {
                let id = format!("{}-{}", StepKind::Barrier, first.kind);
                self.add(id, StepKind::Barrier, "", after.to_vec(), Vec::new())
            }
            _ => after.to_vec(),
        }
    }

    fn each(&mut self, nodes: &[&str], kind: StepKind, after: impl Fn(usize) -> Ids) -> Ids {
        let mut ids = Vec::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            ids.extend(self.add(format!("{kind}-{node}"), kind, node, after(at), Vec::new()));
        }
        ids
    }

    fn add(&mut self, id: String, kind: StepKind, node: &str, after: Ids, cql: Vec<String>) -> Ids {
        self.steps.push(PlanStep {
            id: id.clone(),
            kind,
            node: node.to_owned(),
            after,
            cql,
        });
        vec![id]
    }
}

#[cfg(test)]
pub(crate) mod order;
