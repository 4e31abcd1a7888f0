//! The order of steps as a graph: what may run now, and whether it makes sense at all.

use std::collections::{BTreeMap, BTreeSet};

use model::task::{Step, StepState, Task};

use crate::record::Work;

/// Whether whoever waits for this step need wait no longer.
fn is_settled(step: &Step<Work>) -> bool {
    match step.state {
        StepState::Succeeded => true,
        StepState::Failed => step.work.is_best_effort(),
        StepState::Pending | StepState::Running | StepState::Cancelled => false,
    }
}

pub(crate) fn all_settled(task: &Task<Work>) -> bool {
    task.steps.iter().all(is_settled)
}

/// Steps that wait for nothing any more.
pub(crate) fn ready(task: &Task<Work>) -> Vec<usize> {
    let settled: BTreeSet<&str> = task
        .steps
        .iter()
        .filter(|step| is_settled(step))
        .map(|step| step.id.as_str())
        .collect();
    let waits_for_none =
        |step: &Step<Work>| step.after.iter().all(|id| settled.contains(id.as_str()));
    task.steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.state == StepState::Pending && waits_for_none(step))
        .map(|(at, _)| at)
        .collect()
}

/// Refuses steps that could never all run: ids that are there twice, unknown predecessors, circles.
pub(crate) fn check(steps: &[Step<Work>]) -> Result<(), String> {
    let mut waiting: BTreeMap<&str, &[String]> = BTreeMap::new();
    for step in steps {
        if waiting.insert(&step.id, &step.after).is_some() {
            return Err(format!("step `{}` is there twice", step.id));
        }
    }
    for step in steps {
        if let Some(id) = step
            .after
            .iter()
            .find(|id| !waiting.contains_key(id.as_str()))
        {
            return Err(format!(
                "step `{}` waits for `{id}`, which is not there",
                step.id
            ));
        }
    }
    while !waiting.is_empty() {
        let free: Vec<&str> = waiting
            .iter()
            .filter(|(_, after)| after.iter().all(|id| !waiting.contains_key(id.as_str())))
            .map(|(id, _)| *id)
            .collect();
        if free.is_empty() {
            let left: Vec<&str> = waiting.into_keys().collect();
            return Err(format!("steps {} wait for each other", left.join(", ")));
        }
        for id in free {
            waiting.remove(id);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::step;

    /// `"b < a"` reads: step b, after a.
    fn steps(lines: &[&str]) -> Vec<Step<Work>> {
        lines
            .iter()
            .map(|line| {
                let (id, after) = line.split_once(" < ").unwrap_or((line, ""));
                let after: Vec<String> = after.split_whitespace().map(String::from).collect();
                step(id, "", &after, Work::Commit)
            })
            .collect()
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
            let answer = check(&steps(lines)).err().unwrap_or_default();
            assert_eq!(answer, why, "{lines:?}");
        }
    }
}
