//! Progress on stderr: bars that redraw themselves on a terminal, a line now and then elsewhere.

mod bar;
mod board;
mod lines;
mod pace;

use std::time::Instant;

use model::task::{Progress, ShownTask, ShownTaskStep, TaskKind};
use views::UNKNOWN;

use crate::human;
use crate::screen::Screen;
use crate::surroundings::Patience;

use bar::Bar;
use board::Board;
use lines::{TaskLines, Throttle};

/// The progress of a task over all its steps.
pub struct TaskMeter {
    face: TaskFace,
}

enum TaskFace {
    Board(Board),
    Lines(TaskLines),
}

impl TaskMeter {
    pub fn new(screen: &Screen, patience: Patience) -> Self {
        let face = match screen.has_live_stderr() {
            true => TaskFace::Board(Board::new()),
            false => TaskFace::Lines(TaskLines::new(patience.progress_line_interval)),
        };
        Self { face }
    }

    pub fn show(&mut self, task: &ShownTask, screen: &mut Screen) {
        match &mut self.face {
            TaskFace::Board(board) => board.show(task, Instant::now()),
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
            TaskFace::Board(board) => board.say(line),
            TaskFace::Lines(_) => screen.talk(line),
        }
    }

    pub fn finish(self) {
        if let TaskFace::Board(board) = self.face {
            board.clear();
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
            bar.clear();
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
