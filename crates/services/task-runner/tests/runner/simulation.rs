//! A simulation of the engine, its state and its schedules: several runners on one state, whose calls of it are late, fail, lose
//! their replies and end the runner, and agents that fail, hang and lose replies; users start, queue, cancel, pause and resume
//! tasks meanwhile. Time is virtual, and each seed is one course of events.
//!
//! What must hold: no two drivers are at one step, nothing excluded runs at once, each call to an agent works on what its task has
//! claimed at that moment, agents refuse no live driver, every task ends or is paused with a reason and ends once it is resumed,
//! so does a restore that has failed or was cancelled, and a schedule has each of its due times once.

mod chance;
mod course;
mod oracle;
mod store;
mod tally;
mod users;
mod way;

pub use chance::Chance;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tally::Tally;

/// Courses of events, unless [`SEEDS_VARIABLE`] has another number.
const SEEDS: u64 = 1_000;
const SEEDS_VARIABLE: &str = "RINGKEEP_SIMULATION_SEEDS";
/// Courses do not meet, so that each thread has its own.
const THREADS: u64 = 2;
/// Runs this seed alone.
const SEED_VARIABLE: &str = "RINGKEEP_SIMULATION_SEED";

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

fn run(seed: u64, tally: &mut Tally) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let course = || runtime.block_on(course::course(seed, tally));
    if let Err(panic) = catch_unwind(AssertUnwindSafe(course)) {
        eprintln!("seed {seed} failed; {SEED_VARIABLE}={seed} repeats it");
        resume_unwind(panic);
    }
}

#[test]
fn whatever_dies_or_is_late_every_task_ends_and_nothing_excluded_runs_at_once() {
    if let Some(seed) = number(SEED_VARIABLE) {
        return run(seed, &mut Tally::default());
    }
    let seeds = number(SEEDS_VARIABLE).unwrap_or(SEEDS);
    let mut tally = Tally::default();
    let of_thread = |first: u64| {
        let mut tally = Tally::default();
        let mine = (first..seeds).step_by(THREADS as usize);
        mine.for_each(|seed| run(seed, &mut tally));
        tally
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || of_thread(first)))
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(found) => tally.extend(found),
                Err(panic) => resume_unwind(panic),
            }
        }
    });
    println!("{tally:#?}");
    if seeds >= SEEDS {
        tally.check();
    }
}
