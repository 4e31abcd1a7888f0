//! How fast each step of a task is, and which of them will take longest.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use model::task::{ShownTask, ShownTaskStep, StepState};

use crate::human;
use crate::text::task::is_barrier;

/// What a rate is measured over: long enough to be steady, short enough to show that something has changed.
const WINDOW: Duration = Duration::from_secs(20);
/// Two measurements that are closer together make no rate.
const WINDOW_MIN: Duration = Duration::from_secs(2);

/// The bytes that steps had done, for as long as the window is.
#[derive(Default)]
pub struct Pace {
    steps: HashMap<String, VecDeque<(Instant, u64)>>,
}

impl Pace {
    /// Notes how far each step is now.
    pub fn note(&mut self, task: &ShownTask, now: Instant) {
        for step in &task.steps {
            if !is_running(step) {
                self.steps.remove(&step.id);
                continue;
            }
            let seen = self.steps.entry(step.id.clone()).or_default();
            if seen
                .back()
                .is_some_and(|(_, bytes)| *bytes > step.bytes_done)
            {
                // It starts over.
                seen.clear();
            }
            seen.push_back((now, step.bytes_done));
            // The oldest one that stays is the last from before the window.
            while seen
                .get(1)
                .is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW)
            {
                seen.pop_front();
            }
        }
    }

    /// Bytes per second; none until that can be said.
    pub fn rate(&self, step: &ShownTaskStep) -> Option<u64> {
        let seen = self.steps.get(&step.id)?;
        let ((from, before), (to, after)) = (seen.front()?, seen.back()?);
        let time = to.duration_since(*from);
        (time >= WINDOW_MIN).then(|| ((after - before) as f64 / time.as_secs_f64()) as u64)
    }

    /// Of all steps that run.
    pub fn whole_rate(&self, task: &ShownTask) -> Option<u64> {
        let rates = task.steps.iter().filter_map(|step| self.rate(step));
        rates.reduce(|all, rate| all + rate)
    }

    /// Steps that run, the one that will take longest first: those whose size is not known yet come last.
    pub fn slowest_first<'task>(&self, task: &'task ShownTask) -> Vec<&'task ShownTaskStep> {
        let mut running: Vec<_> = task.steps.iter().filter(|step| is_running(step)).collect();
        running.sort_by_key(|step| Reverse(self.seconds_left(step)));
        running
    }

    /// Without any progress it lasts for ever.
    fn seconds_left(&self, step: &ShownTaskStep) -> Option<u64> {
        let left = step.bytes_total.checked_sub(step.bytes_done)?;
        if left == 0 {
            return (step.bytes_total > 0).then_some(0);
        }
        let rate = self.rate(step).unwrap_or_default();
        Some(left.checked_div(rate).unwrap_or(u64::MAX))
    }

    /// How far a step is, how fast, and what it is at; empty if there is nothing to say.
    pub fn text(&self, step: &ShownTaskStep) -> String {
        let mut parts = Vec::new();
        if step.bytes_total > 0 {
            let done = human::bytes(step.bytes_done);
            parts.push(format!("{done} of {}", human::bytes(step.bytes_total)));
            parts.extend(self.rate(step).map(per_second));
            let left = self.seconds_left(step).filter(|left| *left < u64::MAX);
            parts.extend(left.map(|left| format!("{} left", human::seconds(left))));
        }
        parts.extend(Some(doing(step)).filter(|text| !text.is_empty()));
        parts.join(", ")
    }
}

/// What a step is at; empty if there is nothing to say.
pub fn doing(step: &ShownTaskStep) -> String {
    match step.error.as_str() {
        "" => step.note.clone(),
        error => format!("trying again: {error}"),
    }
}

fn is_running(step: &ShownTaskStep) -> bool {
    step.state == Some(StepState::Running) && !is_barrier(&step.kind)
}

/// The kind of a step, and its node if it has one.
pub fn name(step: &ShownTaskStep) -> String {
    match step.node.as_str() {
        "" => step.kind.clone(),
        node => format!("{} on {node}", step.kind),
    }
}

pub fn per_second(rate: u64) -> String {
    format!("{}/s", human::bytes(rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::lines::tests::{step, task};

    /// Each moment is seconds since the start, and the steps as they are then; after the last one, the steps by what is left.
    fn paced(moments: &[(u64, &[&str])]) -> Vec<String> {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut last = task(Vec::new());
        for (seconds, steps) in moments {
            last = task(steps.iter().map(|text| step(text)).collect());
            pace.note(&last, start + Duration::from_secs(*seconds));
        }
        let steps = pace.slowest_first(&last).into_iter();
        steps
            .map(|it| format!("{}: {}", name(it), pace.text(it)))
            .collect()
    }

    #[test]
    fn the_step_that_takes_longest_comes_first() {
        let paced = paced(&[
            (
                0,
                &[
                    "upload a running 0/10240",
                    "upload b running 0/10240",
                    "load c running 0/0",
                ],
            ),
            (
                10,
                &[
                    "upload a running 5120/10240",
                    "upload b running 1024/10240",
                    "load c running 0/0",
                ],
            ),
        ]);
        assert_eq!(
            paced,
            [
                "upload on b: 1.0 KiB of 10.0 KiB, 102 B/s, 1m 30s left",
                "upload on a: 5.0 KiB of 10.0 KiB, 512 B/s, 10s left",
                "load on c: ",
            ]
        );
    }

    #[test]
    fn a_step_without_progress_comes_first_and_has_no_time() {
        let paced = paced(&[
            (0, &["upload a running 0/1024", "upload b running 512/1024"]),
            (
                10,
                &[
                    "upload a running 512/1024",
                    "upload b running 512/1024 the store is slow",
                ],
            ),
        ]);
        assert_eq!(
            paced,
            [
                "upload on b: 512 B of 1.0 KiB, 0 B/s, trying again: the store is slow",
                "upload on a: 512 B of 1.0 KiB, 51 B/s, 10s left",
            ]
        );
    }

    #[test]
    fn a_rate_forgets_what_was_before_its_window_and_before_a_step_started_over() {
        let fast_then_slow = paced(&[
            (0, &["upload a running 0/102400"]),
            (10, &["upload a running 51200/102400"]),
            (30, &["upload a running 51220/102400"]),
        ]);
        assert_eq!(
            fast_then_slow,
            ["upload on a: 50.0 KiB of 100.0 KiB, 1 B/s, 14h 13m left"]
        );
        let again = paced(&[
            (0, &["upload a running 0/1024"]),
            (10, &["upload a running 1000/1024"]),
            (11, &["upload a running 0/1024"]),
        ]);
        assert_eq!(again, ["upload on a: 0 B of 1.0 KiB"]);
    }
}
