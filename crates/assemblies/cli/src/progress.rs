//! Progress on stderr: a bar that redraws itself on a terminal, a line now and then elsewhere.

mod lines;

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::task::{Progress, ShownTask, ShownTaskStep, StepState, TaskKind};
use views::UNKNOWN;

use crate::human;
use crate::screen::Screen;
use crate::surroundings::Patience;
use crate::text::task::percent;

use lines::{TaskLines, Throttle};

const BYTES_TEMPLATE: &str =
    "{prefix} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {msg}";
/// Until a total is known there is nothing to fill a bar with.
const UNKNOWN_TEMPLATE: &str = "{prefix} {spinner} {msg}";
/// How often the spinner turns between two messages of the service.
const SPINNER_INTERVAL: std::time::Duration = std::time::Duration::from_millis(200);

/// A bar over bytes, with what is being worked on behind it.
struct Bar {
    bar: ProgressBar,
    bytes_known: bool,
}

impl Bar {
    fn new(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style(UNKNOWN_TEMPLATE));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(SPINNER_INTERVAL);
        Self {
            bar,
            bytes_known: false,
        }
    }

    fn show(&mut self, done: u64, total: u64, message: String) {
        if total > 0 {
            if !self.bytes_known {
                self.bar.set_style(style(BYTES_TEMPLATE));
                // What was done before the watch began is no measure of speed.
                self.bar.reset_eta();
                self.bytes_known = true;
            }
            self.bar.set_length(total);
            self.bar.set_position(done);
        }
        self.bar.set_message(message);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are constants that a test builds")
        .progress_chars("=> ")
}

/// The progress of a task over all its steps.
pub struct TaskMeter {
    face: TaskFace,
}

enum TaskFace {
    Bar(Bar),
    Lines(TaskLines),
}

impl TaskMeter {
    pub fn new(screen: &Screen, patience: Patience) -> Self {
        let face = match screen.has_live_stderr() {
            true => TaskFace::Bar(Bar::new("task")),
            false => TaskFace::Lines(TaskLines::new(patience.progress_line_interval)),
        };
        Self { face }
    }

    pub fn show(&mut self, task: &ShownTask, screen: &mut Screen) {
        match &mut self.face {
            TaskFace::Bar(bar) => {
                bar.bar
                    .set_prefix(format!("{} {}", kind(task), percent(task.progress)));
                let (done, total) = bytes(task);
                bar.show(done, total, bar_message(task));
            }
            TaskFace::Lines(lines) => {
                for line in lines.next(task, Instant::now()) {
                    screen.talk(&line);
                }
            }
        }
    }

    /// Something that is not progress, such as a lost connection.
    pub fn say(&self, line: &str, screen: &mut Screen) {
        match &self.face {
            TaskFace::Bar(bar) => bar.bar.set_message(line.to_owned()),
            TaskFace::Lines(_) => screen.talk(line),
        }
    }

    pub fn finish(self) {
        if let TaskFace::Bar(bar) = self.face {
            bar.bar.finish_and_clear();
        }
    }
}

/// What the task does, in a word.
fn kind(task: &ShownTask) -> &'static str {
    task.kind.map_or(UNKNOWN, TaskKind::as_str)
}

/// Bytes of all steps: totals come to be known step by step.
fn bytes(task: &ShownTask) -> (u64, u64) {
    let sum = |figure: fn(&ShownTaskStep) -> u64| task.steps.iter().map(figure).sum();
    (sum(|step| step.bytes_done), sum(|step| step.bytes_total))
}

/// Time left, and what runs now.
fn bar_message(task: &ShownTask) -> String {
    let mut running: Vec<String> = Vec::new();
    for step in &task.steps {
        if step.state == Some(StepState::Running) && !running.contains(&step.kind) {
            running.push(step.kind.clone());
        }
    }
    let left = match task.eta_seconds {
        None => String::new(),
        Some(seconds) => format!("{} left  ", human::seconds(seconds)),
    };
    let retried = task
        .steps
        .iter()
        .find(|step| step.state == Some(StepState::Running) && !step.error.is_empty());
    match retried {
        Some(step) => format!("{left}{}, trying again: {}", running.join(", "), step.error),
        None => format!("{left}{}", running.join(", ")),
    }
}

/// The progress of one stream, such as verifying a backup.
pub struct Meter {
    what: &'static str,
    face: MeterFace,
}

enum MeterFace {
    Bar(Bar),
    Lines(Throttle),
}

impl Meter {
    pub fn new(what: &'static str, screen: &Screen, patience: Patience) -> Self {
        let face = match screen.has_live_stderr() {
            true => MeterFace::Bar(Bar::new(what)),
            false => MeterFace::Lines(Throttle::new(patience.progress_line_interval)),
        };
        Self { what, face }
    }

    pub fn show(&mut self, progress: &Progress, screen: &mut Screen) {
        match &mut self.face {
            MeterFace::Bar(bar) => {
                let (done, total) = (progress.bytes_done, progress.bytes_total);
                bar.show(
                    done,
                    total,
                    format!("{}  {}", items(progress), progress.note),
                );
            }
            MeterFace::Lines(throttle) => {
                if throttle.passes(Instant::now()) {
                    screen.talk(&format!("{}: {}", self.what, meter_line(progress)));
                }
            }
        }
    }

    pub fn finish(self) {
        if let MeterFace::Bar(bar) = self.face {
            bar.bar.finish_and_clear();
        }
    }
}

fn items(progress: &Progress) -> String {
    match progress.items_total {
        0 => format!("{} done", progress.items_done),
        total => format!("{} of {total}", progress.items_done),
    }
}

fn meter_line(progress: &Progress) -> String {
    let bytes = match progress.bytes_total {
        0 => human::bytes(progress.bytes_done),
        total => format!(
            "{} of {}",
            human::bytes(progress.bytes_done),
            human::bytes(total)
        ),
    };
    match progress.note.as_str() {
        "" => format!("{bytes}, {}", items(progress)),
        note => format!("{bytes}, {}, {note}", items(progress)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_templates_are_well_formed() {
        style(BYTES_TEMPLATE);
        style(UNKNOWN_TEMPLATE);
    }

    #[test]
    fn a_line_says_what_is_known_and_no_more() {
        let progress = |bytes_total, items_total, note: &str| Progress {
            bytes_done: 1 << 20,
            bytes_total,
            items_done: 3,
            items_total,
            note: note.into(),
        };
        assert_eq!(meter_line(&progress(0, 0, "")), "1.0 MiB, 3 done");
        assert_eq!(
            meter_line(&progress(2 << 20, 9, "shop.orders")),
            "1.0 MiB of 2.0 MiB, 3 of 9, shop.orders"
        );
    }
}
