//! Faults at every step of backups and restores, by seeds: processes are killed and frozen, connections cut, disks filled, while
//! a client writes. Whatever happens, every task comes to an end that it names, and the content is right.
//!
//! `RINGKEEP_CHAOS_SEED` repeats one seed.

use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Context, Result};

/// Since when lines are timed.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Prints a line with the time since the first.
macro_rules! say {
    ($($text:tt)*) => {
        println!("{:7.1} {}", $crate::chaos::seconds(), format_args!($($text)*))
    };
}

mod arena;
mod coverage;
mod drive;
mod fault;
mod gate;
mod oracle;
mod schedule;
mod steps;
mod story;
mod strike;
mod upgrade;
mod wire;
mod writer;

pub use arena::Arena;
pub use coverage::Coverage;
pub use schedule::{SEEDS_FOR_ALL, Schedule, Scope};
pub use story::run;
pub use upgrade::run_upgrades;

/// The variable that names the one seed to run.
pub const SEED: &str = "RINGKEEP_CHAOS_SEED";
/// Nodes of an [`Arena`].
const NODES: usize = 3;
/// What is shown of the logs if a seed fails.
const LOG_LINES: usize = 60;

/// Stands for a seed: only the faults of upgrades.
const UPGRADES: &str = "upgrades";

/// The seed that the environment asks for, else these.
pub fn seeds(default: impl IntoIterator<Item = u64>) -> Result<Vec<u64>> {
    match std::env::var(SEED) {
        Ok(text) if text == UPGRADES => Ok(Vec::new()),
        Ok(text) => Ok(vec![
            text.parse().with_context(|| format!("{SEED}={text}"))?,
        ]),
        Err(_) => Ok(default.into_iter().collect()),
    }
}

/// Whether faults of upgrades are asked for: by name, or because everything is.
pub fn with_upgrades() -> bool {
    std::env::var(SEED).map_or(true, |text| text == UPGRADES)
}

/// Runs seeds one after the other in one arena, and in a fresh one after a failure. The failures.
pub async fn run_all(
    seeds: &[u64],
    scope: Scope,
    coverage: &mut Coverage,
) -> Result<Vec<anyhow::Error>> {
    let mut failures = Vec::new();
    let mut arena = None;
    for (number, seed) in seeds.iter().enumerate() {
        let mut there = match arena.take() {
            Some(arena) => arena,
            None => {
                say!("starting three nodes");
                Arena::start().await?
            }
        };
        let schedule = Schedule::of(*seed, NODES, scope);
        match run(&mut there, coverage, &schedule, number).await {
            Ok(()) => arena = Some(there),
            Err(error) => {
                say!(
                    "chaos seed {seed} failed: {error:#}\n{}",
                    complaints(&there)
                );
                say!("repeat it with {SEED}={seed}");
                failures.push(error);
            }
        }
    }
    Ok(failures)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn seconds() -> f64 {
    BEGUN.elapsed().as_secs_f64()
}

/// The last warnings and errors of all processes.
fn complaints(arena: &Arena) -> String {
    let logs = arena.world.deployment.logs();
    let lines = logs.lines();
    let complaints = lines.filter(|line| line.contains("WARN") || line.contains("ERROR"));
    let complaints: Vec<&str> = complaints.collect();
    complaints[complaints.len().saturating_sub(LOG_LINES)..].join("\n")
}
