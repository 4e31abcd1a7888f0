//! The order of steps: whether a plan can ever come to its end, and which steps may run now.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::PlanStep;
use model::task::StepState;

use super::task::{StepStatus, TaskStep};

/// The steps of a plan, each with the places of those that it waits for. Refuses steps that could never all run: ids that are
/// there twice, unknown predecessors, circles.
pub(crate) fn steps_of(planned: &[PlanStep]) -> Result<Vec<TaskStep>, String> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, step) in planned.iter().enumerate() {
        if places.insert(&step.id, at).is_some() {
            return Err(format!("step `{}` is there twice", step.id));
        }
    }
    let mut steps = Vec::with_capacity(planned.len());
    for step in planned {
        let after = step.after.iter().map(|id| {
            places
                .get(id.as_str())
                .copied()
                .ok_or_else(|| format!("step `{}` waits for `{id}`, which is not there", step.id))
        });
        steps.push(TaskStep {
            id: step.id.clone(),
            kind: step.kind,
            node: step.node.clone(),
            after: after.collect::<Result<_, _>>()?,
        });
    }
    let mut graph = Graph::new(&steps);
    while let Some(at) = graph.ready.pop_first() {
        graph.settle(at);
    }
    if graph.all_settled() {
        return Ok(steps);
    }
    let stuck = graph
        .waits
        .iter()
        .zip(&steps)
        .filter(|(waits, _)| **waits > 0);
    let stuck: Vec<&str> = stuck.map(|(_, step)| step.id.as_str()).collect();
    Err(format!("steps {} wait for each other", stuck.join(", ")))
}

/// Which steps wait for nothing any more. Settling a step costs as much as it has successors.
pub(super) struct Graph {
    /// How many steps each still waits for.
    waits: Vec<usize>,
    successors: Vec<Vec<usize>>,
    settled: Vec<bool>,
    /// Steps that wait for nothing and are not settled: pending or running.
    ready: BTreeSet<usize>,
    /// Steps that others still wait for: not settled, or behind one that is not.
    held: usize,
}

impl Graph {
    pub fn new(steps: &[TaskStep]) -> Self {
        let mut successors = vec![Vec::new(); steps.len()];
        for (at, step) in steps.iter().enumerate() {
            for before in &step.after {
                successors[*before].push(at);
            }
        }
        let waits: Vec<usize> = steps.iter().map(|step| step.after.len()).collect();
        let ready = (0..steps.len()).filter(|at| waits[*at] == 0).collect();
        Self {
            waits,
            successors,
            settled: vec![false; steps.len()],
            ready,
            held: steps.len(),
        }
    }

    /// The order of a task of which some steps have been settled before.
    pub fn resumed(
        steps: &[TaskStep],
        statuses: &[StepStatus],
        is_best_effort: impl Fn(&TaskStep) -> bool,
    ) -> Self {
        let mut graph = Self::new(steps);
        for (at, (step, status)) in steps.iter().zip(statuses).enumerate() {
            let is_settled = match status.state {
                StepState::Succeeded => true,
                StepState::Failed => is_best_effort(step),
                StepState::Pending | StepState::Running | StepState::Cancelled => false,
            };
            if is_settled {
                graph.settle(at);
            }
        }
        graph
    }

    /// Steps that wait for this one need wait for it no longer, once all steps before it are settled, too: a step that is run
    /// again holds back everything behind it, also behind steps that have succeeded.
    pub fn settle(&mut self, at: usize) {
        if std::mem::replace(&mut self.settled[at], true) {
            return;
        }
        self.ready.remove(&at);
        if self.waits[at] == 0 {
            self.release(at);
        }
    }

    fn release(&mut self, at: usize) {
        let mut releasing = vec![at];
        while let Some(at) = releasing.pop() {
            self.held -= 1;
            for after in &self.successors[at] {
                self.waits[*after] -= 1;
                match (self.waits[*after], self.settled[*after]) {
                    (0, true) => releasing.push(*after),
                    (0, false) => drop(self.ready.insert(*after)),
                    _ => {}
                }
            }
        }
    }

    pub fn all_settled(&self) -> bool {
        self.held == 0
    }

    /// Steps that wait for nothing and are not settled, in the plan's order.
    pub fn ready(&self) -> impl Iterator<Item = usize> {
        self.ready.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use model::plan::StepKind;

    use super::*;

    /// `"b < a"` reads: step b, after a.
    fn planned(lines: &[&str]) -> Vec<PlanStep> {
        let step = |line: &&str| {
            let (id, after) = line.split_once(" < ").unwrap_or((line, ""));
            PlanStep {
                id: id.to_owned(),
                kind: StepKind::Commit,
                node: String::new(),
                after: after.split_whitespace().map(String::from).collect(),
                cql: Vec::new(),
            }
        };
        lines.iter().map(step).collect()
    }

    #[test]
    fn a_plan_that_can_never_end_is_refused_by_its_steps() {
        for (lines, why) in [
            (&["a", "b < a", "c < a b"][..], ""),
            (&["a", "a"], "step `a` is there twice"),
            (&["a < x"], "step `a` waits for `x`, which is not there"),
            (&["a", "b < c", "c < b a"], "steps b, c wait for each other"),
            (&["a < a"], "steps a wait for each other"),
        ] {
            let refused = steps_of(&planned(lines)).err().unwrap_or_default();
            assert_eq!(refused, why, "{lines:?}");
        }
    }

    #[test]
    fn steps_become_ready_once_all_that_they_wait_for_are_settled() {
        let steps = steps_of(&planned(&["a", "b", "c < a b", "d < c"])).expect("steps");
        let mut graph = Graph::new(&steps);
        let ready = |graph: &Graph| graph.ready().collect::<Vec<_>>();
        assert_eq!(ready(&graph), [0, 1]);
        graph.settle(0);
        graph.settle(0);
        assert_eq!(ready(&graph), [1], "settled twice counts once");
        graph.settle(1);
        assert_eq!(ready(&graph), [2]);
        let mut statuses = vec![StepStatus::default(); 4];
        statuses[0].state = StepState::Succeeded;
        statuses[1].state = StepState::Failed;
        let again = Graph::resumed(&steps, &statuses, |step| step.id == "b");
        assert_eq!(
            ready(&again),
            [2],
            "a failed step that was best effort is settled"
        );
        let again = Graph::resumed(&steps, &statuses, |_| false);
        assert_eq!(ready(&again), [1]);
        graph.settle(2);
        graph.settle(3);
        assert!(graph.all_settled());
    }

    #[test]
    fn a_step_that_is_run_again_holds_back_what_is_behind_steps_that_have_succeeded() {
        let lines = ["check", "schema < check", "replace < schema"];
        let steps = steps_of(&planned(&lines)).expect("steps");
        let mut statuses = vec![StepStatus::default(); 3];
        statuses[1].state = StepState::Succeeded;
        let mut graph = Graph::resumed(&steps, &statuses, |_| false);
        assert_eq!(graph.ready().collect::<Vec<_>>(), [0]);
        graph.settle(0);
        assert_eq!(graph.ready().collect::<Vec<_>>(), [2]);
    }
}
