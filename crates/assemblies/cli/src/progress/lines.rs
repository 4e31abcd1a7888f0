//! Progress as plain lines: one for each change of a step, and one now and then in between.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::task::{ShownTask, ShownTaskStep, StepState, TaskState};
use views::UNKNOWN;

use super::pace::{self, Pace};
use super::{bytes, kind};
use crate::human;
use crate::text::task::{is_barrier, percent};

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

/// How many intervals a line without news waits: a sign of life, not a flood.
const SAME_LINE_INTERVALS: u32 = 12;

/// Remembers what was shown of a task.
pub struct TaskLines {
    said: HashMap<String, (Option<StepState>, String)>,
    throttle: Throttle,
    last_line: String,
    last_line_throttle: Throttle,
    pace: Pace,
}

impl TaskLines {
    pub fn new(interval: Duration) -> Self {
        Self {
            said: HashMap::new(),
            throttle: Throttle::new(interval),
            last_line: String::new(),
            last_line_throttle: Throttle::new(interval * SAME_LINE_INTERVALS),
            pace: Pace::default(),
        }
    }

    /// The lines that this state of the task is worth.
    pub fn next(&mut self, task: &ShownTask, now: Instant) -> Vec<String> {
        self.pace.note(task, now);
        let mut lines = Vec::new();
        for step in task.steps.iter().filter(|step| !is_barrier(&step.kind)) {
            let new = (step.state, step.error.clone());
            let old = self.said.insert(step.id.clone(), new.clone());
            let nothing_yet = old.is_none() && step.state == Some(StepState::Pending);
            if !nothing_yet && old.as_ref() != Some(&new) {
                lines.push(step_line(step));
            }
        }
        if self.throttle.passes(now) {
            let line = self.task_line(task);
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

    /// All of the task, and the step that will take longest.
    fn task_line(&self, task: &ShownTask) -> String {
        let (done, total) = bytes(task);
        let mut parts = vec![percent(task.progress)];
        if total > 0 {
            parts.push(format!("{} of {}", human::bytes(done), human::bytes(total)));
            parts.extend(self.pace.whole_rate(task).map(pace::per_second));
        }
        if let Some(seconds) = task.eta_seconds {
            parts.push(format!("{} left", human::seconds(seconds)));
        }
        let slowest = self.pace.slowest_first(task).into_iter();
        let slowest = slowest.map(|step| {
            // Else the figures would be there twice.
            let is_all = step.bytes_total == total;
            let text = if is_all {
                pace::doing(step)
            } else {
                self.pace.text(step)
            };
            (pace::name(step), text)
        });
        let slowest = slowest
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| format!("; {name}: {text}"))
            .next()
            .unwrap_or_default();
        let state = task.state.map_or(UNKNOWN, TaskState::as_str);
        format!("{}: {state}, {}{slowest}", kind(task), parts.join(", "))
    }
}

fn step_line(step: &ShownTaskStep) -> String {
    let state = step.state.map_or(UNKNOWN, StepState::as_str);
    let what = match (step.state, step.error.as_str()) {
        (_, "") => state.to_owned(),
        (Some(StepState::Running), error) => format!("trying again: {error}"),
        (_, error) => format!("{state}: {error}"),
    };
    format!("{}: {what}", pace::name(step))
}

#[cfg(test)]
pub(super) mod tests {
    use expect_test::{Expect, expect};
    use model::task::TaskKind;

    use super::*;

    /// `"upload a running 5/10 oops"` is a step: kind, node, state, bytes, and an error if any.
    pub fn step(text: &str) -> ShownTaskStep {
        let mut words = text.splitn(5, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (kind, node, state) = (word(), word(), word());
        let (done, total) = word().split_once('/').unwrap_or(("0", "0"));
        ShownTaskStep {
            id: format!("{kind}-{node}"),
            kind: kind.into(),
            node: node.into(),
            state: Some(match state {
                "running" => StepState::Running,
                "succeeded" => StepState::Succeeded,
                "failed" => StepState::Failed,
                _ => StepState::Pending,
            }),
            bytes_done: done.parse().expect("bytes"),
            bytes_total: total.parse().expect("bytes"),
            error: word().into(),
            note: String::new(),
            limits: None,
        }
    }

    pub fn task(steps: Vec<ShownTaskStep>) -> ShownTask {
        ShownTask {
            id: "0192f000-0000-7000-8000-000000000001"
                .parse()
                .expect("an id"),
            kind: Some(TaskKind::Backup),
            state: Some(TaskState::Running),
            attempt: 1,
            cluster: "prod".parse().expect("a name"),
            backup: None,
            created_at: None,
            finished_at: None,
            progress: 0.5,
            eta_seconds: Some(9),
            steps,
            error: String::new(),
            findings: Vec::new(),
            verification: None,
            deletion: None,
            retention: None,
            collection: None,
            maintenance: Vec::new(),
            priority: None,
            waiting: None,
            paused: None,
            limits: None,
        }
    }

    /// Each moment is seconds since the start, and the steps as they are then.
    #[track_caller]
    fn check(moments: &[(u64, &[&str])], expected: Expect) {
        let start = Instant::now();
        let mut lines = TaskLines::new(Duration::from_secs(5));
        let mut said = String::new();
        for (seconds, steps) in moments {
            let task = task(steps.iter().map(|text| step(text)).collect());
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
                6s backup: running, 50 %, 2.0 KiB of 4.0 KiB, 341 B/s, 9s left
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
