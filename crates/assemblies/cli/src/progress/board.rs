//! A task on a terminal: a bar for all of it, and one for each of the steps that will take longest.

use std::time::Instant;

use indicatif::{MultiProgress, ProgressDrawTarget};
use model::task::{ShownTask, ShownTaskStep, StepState};

use super::bar::Bar;
use super::pace::{self, Pace};
use super::{bytes, kind};
use crate::human;
use crate::text::task::percent;

/// Steps that have a bar of their own: a screen has room for more, and a reader has not.
const STEPS_SHOWN: usize = 8;

pub struct Board {
    bars: MultiProgress,
    whole: Bar,
    steps: Vec<Bar>,
    pace: Pace,
}

impl Board {
    pub fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let whole = Bar::among(&bars, "task");
        Self {
            bars,
            whole,
            steps: Vec::new(),
            pace: Pace::default(),
        }
    }

    pub fn show(&mut self, task: &ShownTask, now: Instant) {
        self.pace.note(task, now);
        let (done, total) = bytes(task);
        self.whole
            .set_what(format!("{} {}", kind(task), percent(task.progress)));
        self.whole.show(done, total, whole_message(task));
        let shown = shown(&self.pace, task);
        while self.steps.len() > shown.len() {
            if let Some(bar) = self.steps.pop() {
                bar.clear();
            }
        }
        while self.steps.len() < shown.len() {
            self.steps.push(Bar::among(&self.bars, ""));
        }
        for (bar, step) in self.steps.iter().zip(shown) {
            bar.set_what(format!("  {}", pace::name(step)));
            bar.say(self.pace.text(step));
        }
    }

    pub fn say(&self, line: &str) {
        self.whole.say(line.to_owned());
    }

    pub fn clear(self) {
        for bar in &self.steps {
            bar.clear();
        }
        self.whole.clear();
    }
}

/// Those that take longest, in the order of the task, so that lines keep their places.
fn shown<'task>(pace: &Pace, task: &'task ShownTask) -> Vec<&'task ShownTaskStep> {
    let mut slowest = pace.slowest_first(task);
    slowest.truncate(STEPS_SHOWN);
    let is_shown = |step: &&ShownTaskStep| slowest.iter().any(|it| it.id == step.id);
    task.steps.iter().filter(is_shown).collect()
}

/// Time left, and how many steps run.
fn whole_message(task: &ShownTask) -> String {
    let count = |wanted| {
        task.steps
            .iter()
            .filter(|step| step.state == Some(wanted))
            .count()
    };
    let left = match task.eta_seconds {
        None => String::new(),
        Some(seconds) => format!("{} left  ", human::seconds(seconds)),
    };
    let (done, running) = (count(StepState::Succeeded), count(StepState::Running));
    format!(
        "{left}{done} of {} done, {running} running",
        human::count(task.steps.len() as u64, "step")
    )
}
