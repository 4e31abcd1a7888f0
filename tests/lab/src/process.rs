//! A process known by its id and its start time, so that a recycled id is never signalled.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

const POLL: Duration = Duration::from_millis(20);

/// A process that the lab has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pid: i32,
    /// Clock ticks after boot, as in `/proc/PID/stat`.
    started: u64,
}

impl Process {
    /// The process that has this id now.
    pub fn of(pid: i32) -> Option<Self> {
        let (_, started) = state_and_start(pid)?;
        Some(Self { pid, started })
    }

    /// Reads a file of `PID START`, as the node scripts write it.
    pub fn recorded(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let mut words = text.split_whitespace();
        Some(Self {
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
        })
    }

    pub fn record(self) -> String {
        format!("{} {}\n", self.pid, self.started)
    }

    pub fn pid(self) -> i32 {
        self.pid
    }

    /// A zombie counts as gone: it only waits for its parent to look.
    pub fn is_alive(self) -> bool {
        state_and_start(self.pid)
            .is_some_and(|(state, started)| started == self.started && state != 'Z')
    }

    /// Sends the signal, unless the process is gone.
    pub fn signal(self, signal: Signal) {
        if self.is_alive() {
            // It may end between the look and the signal: that is what was wanted.
            let _ = signal::kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Kills at once and waits until the process is gone.
    pub fn kill(self) {
        self.signal(Signal::SIGKILL);
        self.wait_gone(Duration::from_secs(30));
    }

    /// Asks to end; kills after `patience`.
    pub fn stop(self, patience: Duration) {
        self.signal(Signal::SIGTERM);
        if !self.wait_gone(patience) {
            self.kill();
        }
    }

    fn wait_gone(self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

fn state_and_start(pid: i32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in parentheses and may hold anything, also parentheses.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let started = fields.nth(18)?.parse().ok()?;
    Some((state, started))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_recycled_id_is_not_taken_for_the_process() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id() as i32).unwrap();
        let other = Process {
            started: process.started + 1,
            ..process
        };
        other.kill();
        assert!(process.is_alive() && !other.is_alive());
        process.kill();
        assert!(!process.is_alive(), "a zombie counts as gone");
        child.wait().unwrap();
    }
}
