//! The steps of a maintenance task: rack by rack, so that no two racks are at work at once, and job by job.

use model::plan::{PlanStep, StepKind};

use crate::steps::Steps;

/// The id of the step of a job on a node; jobs are counted from 0.
pub fn maintenance_step_id(job: usize, node: &str) -> String {
    match job {
        0 => format!("{}-{node}", StepKind::Maintain),
        later => format!("{}-{}-{node}", StepKind::Maintain, later + 1),
    }
}

/// Each job runs on the nodes of all racks, in the order of the racks, before the next job begins; at most `concurrency`
/// nodes are at work at a time, all of one rack.
pub fn maintenance_steps(racks: &[Vec<&str>], jobs: usize, concurrency: usize) -> Vec<PlanStep> {
    let mut steps = Steps::default();
    let mut last = Vec::new();
    for job in 0..jobs {
        let id = |node: &str| maintenance_step_id(job, node);
        for rack in racks.iter().filter(|rack| !rack.is_empty()) {
            last = steps.in_lanes(rack, StepKind::Maintain, id, &last, concurrency);
        }
    }
    steps.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each step with what it waits for, as `id < after`.
    fn lines(racks: &[&[&str]], jobs: usize, concurrency: usize) -> Vec<String> {
        let racks: Vec<Vec<&str>> = racks.iter().map(|rack| rack.to_vec()).collect();
        let steps = maintenance_steps(&racks, jobs, concurrency);
        let line = |step: &PlanStep| match step.after.is_empty() {
            true => step.id.clone(),
            false => format!("{} < {}", step.id, step.after.join(" ")),
        };
        steps.iter().map(line).collect()
    }

    #[test]
    fn one_node_at_a_time_and_one_rack_after_the_other() {
        assert_eq!(
            lines(&[&["a", "b"], &[], &["c"]], 2, 1),
            [
                "maintain-a",
                "maintain-b < maintain-a",
                "maintain-c < maintain-b",
                "maintain-2-a < maintain-c",
                "maintain-2-b < maintain-2-a",
                "maintain-2-c < maintain-2-b",
            ]
        );
    }

    #[test]
    fn so_many_nodes_of_one_rack_work_at_a_time_and_never_of_two_racks() {
        assert_eq!(
            lines(&[&["a", "b", "c"], &["d", "e"]], 1, 2),
            [
                "maintain-a",
                "maintain-b",
                "maintain-c < maintain-a",
                "maintain-d < maintain-c maintain-b",
                "maintain-e < maintain-c maintain-b",
            ]
        );
    }
}
