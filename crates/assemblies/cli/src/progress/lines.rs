//! Progress as plain lines: one for each change of a step, and one now and then in between.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use api::pb::task_runner::{StepState, Task, TaskStep};

use crate::human;
use crate::view::task::{is_barrier, kind, percent, state, step_state};

/// Lets something through at most once in an interval.
pub struct Throttle {
    interval: Duration,
    last: Option<Instant>,
}

impl Throttle {
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
        }
    }

    pub fn passes(&mut self, now: Instant) -> bool {
        let passes = self
            .last
            .is_none_or(|last| now.duration_since(last) >= self.interval);
        if passes {
            self.last = Some(now);
        }
        passes
    }
}

/// How many intervals a line that says nothing new waits: a sign of life, not a flood.
const SAME_LINE_INTERVALS: u32 = 12;

/// Remembers what was said of a task.
pub struct TaskLines {
    said: HashMap<String, (StepState, String)>,
    throttle: Throttle,
    last_line: String,
    last_line_throttle: Throttle,
}

impl TaskLines {
    pub fn new(interval: Duration) -> Self {
        Self {
            said: HashMap::new(),
            throttle: Throttle::new(interval),
            last_line: String::new(),
            last_line_throttle: Throttle::new(interval * SAME_LINE_INTERVALS),
        }
    }

    /// The lines that this state of the task is worth.
    pub fn next(&mut self, task: &Task, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for step in task.steps.iter().filter(|step| !is_barrier(&step.kind)) {
            let new = (step.state(), step.error.clone());
            let old = self.said.insert(step.id.clone(), new.clone());
            let nothing_yet = old.is_none() && step.state() == StepState::Pending;
            if !nothing_yet && old.as_ref() != Some(&new) {
                lines.push(step_line(step));
            }
        }
        if self.throttle.passes(now) {
            let line = task_line(task);
            if line != self.last_line {
                self.last_line_throttle.last = None;
            }
            if self.last_line_throttle.passes(now) {
                lines.push(line.clone());
            }
            self.last_line = line;
        }
        lines
    }
}

fn step_line(step: &TaskStep) -> String {
    let node = match step.node.as_str() {
        "" => String::new(),
        node => format!(" on {node}"),
    };
    let what = match (step.state(), step.error.as_str()) {
        (state, "") => step_state(state).to_owned(),
        (StepState::Running, error) => format!("trying again: {error}"),
        (state, error) => format!("{}: {error}", step_state(state)),
    };
    format!("{}{node}: {what}", step.kind)
}

fn task_line(task: &Task) -> String {
    let done: u64 = task.steps.iter().map(|step| step.bytes_done).sum();
    let total: u64 = task.steps.iter().map(|step| step.bytes_total).sum();
    let bytes = match total {
        0 => String::new(),
        _ => format!(", {} of {}", human::bytes(done), human::bytes(total)),
    };
    let left = match task.eta_seconds {
        0 => String::new(),
        seconds => format!(", {} left", human::seconds(seconds)),
    };
    let note = task
        .steps
        .iter()
        .find(|step| step.state() == StepState::Running && !step.note.is_empty())
        .map(|step| format!("; {}: {}", step.kind, step.note))
        .unwrap_or_default();
    let (kind, state) = (kind(task.kind()), state(task.state()));
    format!(
        "{kind}: {state}, {}{bytes}{left}{note}",
        percent(task.progress)
    )
}

#[cfg(test)]
mod tests {
    use api::pb::task_runner::{TaskKind, TaskState};
    use expect_test::{Expect, expect};

    use super::*;

    /// `"upload a running 5/10 oops"` is a step: kind, node, state, bytes, and an error if any.
    fn step(text: &str) -> TaskStep {
        let mut words = text.splitn(5, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (kind, node, state) = (word(), word(), word());
        let (done, total) = word().split_once('/').unwrap_or(("0", "0"));
        TaskStep {
            id: format!("{kind}-{node}"),
            kind: kind.into(),
            node: node.into(),
            state: match state {
                "running" => StepState::Running,
                "succeeded" => StepState::Succeeded,
                "failed" => StepState::Failed,
                _ => StepState::Pending,
            } as i32,
            bytes_done: done.parse().expect("bytes"),
            bytes_total: total.parse().expect("bytes"),
            error: word().into(),
            note: String::new(),
        }
    }

    /// Each moment is seconds since the start, and the steps as they are then.
    #[track_caller]
    fn check(moments: &[(u64, &[&str])], expected: Expect) {
        let start = Instant::now();
        let mut lines = TaskLines::new(Duration::from_secs(5));
        let mut said = String::new();
        for (seconds, steps) in moments {
            let task = Task {
                kind: TaskKind::Backup as i32,
                state: TaskState::Running as i32,
                progress: 0.5,
                eta_seconds: 9,
                steps: steps.iter().map(|text| step(text)).collect(),
                ..Task::default()
            };
            for line in lines.next(&task, start + Duration::from_secs(*seconds)) {
                said.push_str(&format!("{seconds}s {line}\n"));
            }
        }
        expected.assert_eq(&said);
    }

    #[test]
    fn a_change_of_a_step_is_said_at_once_and_once() {
        check(
            &[
                (0, &["snapshot a running", "upload a pending"]),
                (1, &["snapshot a running", "upload a pending"]),
                (2, &["snapshot a succeeded", "upload a running 1024/4096"]),
                (3, &["barrier - running", "upload a running 1024/4096"]),
            ],
            expect![[r#"
                0s snapshot on a: running
                0s backup: running, 50 %, 9s left
                2s snapshot on a: succeeded
                2s upload on a: running
            "#]],
        );
    }

    #[test]
    fn bytes_are_said_every_few_seconds() {
        check(
            &[
                (0, &["upload a running 0/4096"]),
                (3, &["upload a running 1024/4096"]),
                (6, &["upload a running 2048/4096"]),
            ],
            expect![[r#"
                0s upload on a: running
                0s backup: running, 50 %, 0 B of 4.0 KiB, 9s left
                6s backup: running, 50 %, 2.0 KiB of 4.0 KiB, 9s left
            "#]],
        );
    }

    #[test]
    fn a_line_that_says_nothing_new_is_a_sign_of_life_once_a_minute() {
        let steps: &[&str] = &["load a running 0/0"];
        check(
            &[
                (0, steps),
                (5, steps),
                (30, steps),
                (60, steps),
                (65, steps),
            ],
            expect![[r#"
                0s load on a: running
                0s backup: running, 50 %, 9s left
                60s backup: running, 50 %, 9s left
            "#]],
        );
    }

    #[test]
    fn an_error_is_said_whether_it_is_tried_again_or_not() {
        check(
            &[
                (0, &["upload a running 0/0"]),
                (1, &["upload a running 0/0 the store is slow"]),
                (2, &["upload a failed 0/0 the store is gone"]),
            ],
            expect![[r#"
                0s upload on a: running
                0s backup: running, 50 %, 9s left
                1s upload on a: trying again: the store is slow
                2s upload on a: failed: the store is gone
            "#]],
        );
    }
}
