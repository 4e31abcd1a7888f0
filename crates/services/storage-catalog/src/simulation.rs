//! A simulation of one bucket: two catalogs whose clocks differ by up to two days run backups, differentials, deletions,
//! retention, collections of garbage, verifications and pins, whose store calls are interleaved by chance, fail, lose their
//! replies, and end in the middle. Requests to delete are held up and arrive when their senders are dead. Each seed is one
//! course of events.
//!
//! What must hold: no object that a complete backup needs is ever deleted, what is complete or pinned is whole, a backup that
//! was called complete is lost only by a deletion of its own, retention leaves as many as its floor, and in the end everything
//! unreachable can be collected.

mod acts;
mod bounds;
mod oracle;
mod scene;
mod store;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use acts::Act;
use scene::Scene;
use store::Chance;

/// Courses of events, unless [`SEEDS_VARIABLE`] has another number; `make soak` asks for 10,000.
const SEEDS: u64 = 4_000;
const SEEDS_VARIABLE: &str = "RINGKEEP_SIMULATION_SEEDS";
/// More turns than any course of events takes.
const TURNS_MAX: usize = 200_000;
/// One act may get so far ahead while the others wait.
const BURST_MAX: u64 = 16;

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls the acts by chance, one of them for a few store calls at a time, until all have ended; some are dropped in the middle.
fn interleave(mut running: Vec<Running>, chance: &Chance, crashes: bool) {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..TURNS_MAX {
        if running.is_empty() {
            return;
        }
        let at = chance.below(running.len() as u64) as usize;
        let burst = chance.below(BURST_MAX) + 1;
        let has_ended = (0..burst).any(|_| running[at].as_mut().poll(&mut context).is_ready());
        if has_ended || (crashes && chance.one_in(60)) {
            drop(running.swap_remove(at));
        }
    }
    panic!("an act never ends");
}

/// Runs one act alone and without faults.
fn alone(act: impl Future<Output = ()> + Send + 'static) {
    interleave(vec![Box::pin(act)], &Chance::new(0), false);
}

fn course(seed: u64, before: &Scene) {
    let scene = Arc::new(before.fork(seed));
    let chance = Chance::new(seed ^ 0x9e37_79b9_7f4a_7c15);
    for _ in 0..2 {
        let acts: Vec<Running> = (0..2 + chance.below(3))
            .map(|_| {
                let act = Act::by(&chance);
                let catalog = chance.below(2) as usize;
                let scene = scene.clone();
                Box::pin(async move { act.run(&scene, catalog).await }) as Running
            })
            .collect();
        interleave(acts, &chance, true);
    }
    scene.store.be_calm();
    let last = scene.clone();
    alone(async move { bounds::end(&last).await });
}

fn seeds() -> u64 {
    match std::env::var(SEEDS_VARIABLE) {
        Ok(number) => number.parse().expect("a number of seeds"),
        Err(_) => SEEDS,
    }
}

#[test]
fn nothing_that_is_needed_goes_and_nothing_else_stays() {
    let before = Scene::new();
    let making = before.clone();
    alone(async move { bounds::prepare(&making).await });
    let seeds = seeds();
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let before = &before;
            scope.spawn(move || {
                for seed in (thread..seeds).step_by(threads as usize) {
                    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        course(seed, before);
                    }));
                    assert!(ran.is_ok(), "seed {seed} breaks a rule");
                }
            });
        }
    });
}
