//! One course of events.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::clients::TaskRunner;
use api::pb::task_runner::{Task, TaskState};
use model::TaskId;
use schedule::{Overlap, Pause, RunOutcome, Schedule};
use task_runner::StepLimits;
use tokio::time::{Instant, sleep, timeout};

use super::Chance;
use super::oracle;
use super::store::SharedState;
use super::tally::Tally;
use super::users;
use super::way::FaultyWay;
use crate::fleet::{Claims, Fault, Work};
use crate::schedules::{nightly, schedule, shop};
use crate::world::{Life, World, is_final};

const NODES: [&str; 2] = ["n1", "n2"];
const RUNNERS: u64 = 3;
const TURNS: u64 = 6;
/// How long a call that hangs is waited for.
const CALL_SECONDS: u64 = 120;
/// Virtual time in which all must have ended once nothing goes wrong any more.
const ENDS_WITHIN: Duration = Duration::from_secs(3 * 3_600);

/// A runner, and its way to the state.
pub struct Running {
    pub life: Life,
    way: Arc<FaultyWay>,
}

pub struct Scene {
    pub world: World,
    pub chance: Chance,
    state: Arc<SharedState>,
    pub runners: Vec<Running>,
    deaths: u64,
    pauses_seen: u64,
}

pub async fn course(seed: u64, tally: &mut Tally) {
    let mut scene = Scene::new(seed).await;
    for _ in 0..TURNS {
        scene.turn().await;
    }
    scene.settle().await;
    scene.resume_restores(tally).await;
    scene.check(tally).await;
}

impl Scene {
    async fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let mut world = World::new(&NODES);
        world.runs_in_virtual_time();
        world.has_backup("old");
        world.has_backup(users::TAKEN_AGAIN);
        let config = &mut world.config;
        config.lease_seconds = 6;
        config.nodetool_silence_seconds = 60;
        config.step_limits = StepLimits {
            snapshot_seconds: CALL_SECONDS,
            commit_seconds: CALL_SECONDS,
            cql_seconds: CALL_SECONDS,
            tidy_seconds: CALL_SECONDS,
            other_seconds: CALL_SECONDS,
            ..StepLimits::default()
        };
        config.leftovers_every_seconds = 0;
        config.schedules_every_seconds = 5;
        // Rounded up to whole milliseconds, so that no other chance than the seed's is in it.
        (config.step_retry_first_ms, config.step_retry_max_ms) = (2, 2);
        config.step_retry_for_seconds = chance.below(2) * 30;
        config.pause_when_retries_run_out = chance.one_in(2);
        config.running_per_store = chance.below(3) as usize;
        config.running_per_cluster = chance.below(3) as usize;
        let state = Arc::new(SharedState::default());
        let mut first = world.start_on(state.clone());
        first
            .add_cluster(&world.fleet.nodes)
            .await
            .expect("a cluster");
        let every_minute = Schedule {
            overlap: *chance.pick(&[Overlap::Wait, Overlap::Skip]),
            deadline_seconds: chance.one_in(2).then_some(50),
            ..schedule("* * * * *")
        };
        let put = first.typed.put_schedule(every_minute, false).await;
        put.expect("a schedule");
        first.runner.drain().await;
        world.fleet.set_pace(chance.fork());
        let on_disk = state.clone();
        let has_claimed = move |task: TaskId, work: &Work<'_>| {
            oracle::has_claimed(&on_disk.kept().entries, &task.to_string(), work)
        };
        world.fleet.facts().claims = Some(Claims(Arc::new(has_claimed)));
        let mut scene = Self {
            world,
            chance,
            state,
            runners: Vec::new(),
            deaths: 0,
            pauses_seen: 0,
        };
        for _ in 0..=scene.chance.below(RUNNERS) {
            scene.start();
        }
        scene
    }

    fn start(&mut self) {
        let way = Arc::new(FaultyWay::new(self.state.clone(), self.chance.fork()));
        let life = self.world.start_on(way.clone());
        self.runners.push(Running { life, way });
    }

    async fn turn(&mut self) {
        sleep(self.chance.millis(9_000)).await;
        self.bury().await;
        if self.runners.is_empty()
            || (self.runners.len() < RUNNERS as usize && self.chance.one_in(2))
        {
            self.start();
        }
        if self.chance.one_in(3) {
            self.break_something();
        }
        users::act(self).await;
    }

    /// What has died is dead, and at times something else dies with it.
    async fn bury(&mut self) {
        let mut alive = Vec::new();
        for running in self.runners.drain(..) {
            if running.way.dead.is_cancelled() || self.chance.one_in(25) {
                running.life.runner.kill().await;
                self.deaths += 1;
            } else {
                alive.push(running);
            }
        }
        self.runners = alive;
    }

    /// The next calls of a kind go wrong.
    fn break_something(&self) {
        let calls = [
            "begin",
            "snapshot n1",
            "snapshot n2",
            "upload n1",
            "upload n2",
            "commit",
            "clear n1",
            "pin",
            "stage n1",
            "stage n2",
            "cql n1",
            "replace n1",
            "load n1",
            "load n2",
            "finish n2",
            "limits n1",
            "unpin",
            "verify",
            "delete",
            "abandon",
        ];
        let faults = [
            Fault::Unavailable,
            Fault::Unavailable,
            Fault::LoseAnswer,
            Fault::Break,
            Fault::Late,
            Fault::Hang,
            Fault::Damaged,
        ];
        let fault = *self.chance.pick(&faults);
        let call: &str = self.chance.pick::<&str>(&calls);
        self.world.fleet.fail(call, &[fault]);
    }

    /// Nothing goes wrong any more: everything must come to its end.
    async fn settle(&mut self) {
        self.world.fleet.facts().faults.clear();
        self.bury().await;
        if self.runners.is_empty() {
            self.start();
        }
        for running in &self.runners {
            running.way.is_faulty.store(false, Ordering::SeqCst);
        }
        self.pause_schedule().await;
        self.come_to_rest().await;
    }

    /// Waits until all tasks have ended; those that are paused go on.
    async fn come_to_rest(&mut self) {
        let began_at = Instant::now();
        loop {
            let open = self.open_tasks().await;
            if open.is_empty() && self.schedule_rests().await {
                return;
            }
            assert!(began_at.elapsed() < ENDS_WITHIN, "still {open:#?}");
            for task in open.iter().filter(|task| task.state() == TaskState::Paused) {
                self.go_on_with(task).await;
            }
            sleep(Duration::from_secs(10)).await;
        }
    }

    /// Restores that have failed or were cancelled go on, if they still may; nothing goes wrong any more, so each that goes on
    /// comes to its end.
    async fn resume_restores(&mut self, tally: &mut Tally) {
        let tasks = self.any().tasks().await;
        for task in users::resumable_restores(tasks) {
            let attempt = match self.any().resume(&task.id).await {
                Ok(resumed) => resumed.attempt,
                Err(error) => {
                    tally.add(&format!("resume refused: {}", error.reason), 1);
                    continue;
                }
            };
            assert_eq!(attempt, task.attempt + 1);
            self.come_to_rest().await;
            let ended = self.any().task(&task.id).await.expect("the task");
            assert!(ended.attempt >= attempt, "{ended:#?}");
            tally.add(&format!("resumed restore {:?}", ended.state()), 1);
        }
    }

    fn any(&mut self) -> &mut Life {
        &mut self.runners[0].life
    }

    async fn pause_schedule(&mut self) {
        loop {
            let pause = Pause {
                reason: "the end".into(),
                until: None,
            };
            let typed = self.any().typed.clone();
            let paused = typed.pause_schedule(&shop(), &nightly(), pause).await;
            if paused.is_ok() {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Whether no run is under way, and all that were due are in the history.
    async fn schedule_rests(&mut self) -> bool {
        let got = self.any().typed.get_schedule(&shop(), &nightly()).await;
        let (state, past) = got.expect("a schedule");
        let is_open = |run: &schedule::PastRun| run.outcome == RunOutcome::Running;
        state.progress.active.is_none() && !past.iter().any(is_open)
    }

    async fn open_tasks(&mut self) -> Vec<Task> {
        let mut tasks = self.any().tasks().await;
        tasks.retain(|task| !is_final(task.state()));
        tasks
    }

    /// Resumes a paused task; one that may not be is cancelled or, past its point of no return, ended.
    async fn go_on_with(&mut self, task: &Task) {
        self.pauses_seen += 1;
        let paused = task.paused.as_ref().expect("why it is paused");
        assert!(
            !paused.why.is_empty() && !paused.since.is_empty(),
            "{task:#?}"
        );
        let life = self.any();
        if life.resume(&task.id).await.is_err() && life.cancel(&task.id).await.is_err() {
            // Another task has the cluster: the next look comes after it.
            assert!(!paused.keeps_cluster, "{task:#?}");
        }
    }

    async fn check(mut self, tally: &mut Tally) {
        let state = self.state.clone();
        assert_eq!(state.kept().violations, Vec::<String>::new());
        let violations = self.world.fleet.facts().violations.clone();
        // The fake keeps the files of all restores in one place, so that one which is cancelled takes those of a paused one.
        let counts = |rule: &&String| !rule.contains("staged") && !rule.contains("staging");
        assert_eq!(violations.iter().find(counts), None);
        let tasks = self.any().tasks().await;
        for task in &tasks {
            assert!(!task.error.contains("fenced"), "{task:#?}");
        }
        let got = self.any().typed.get_schedule(&shop(), &nightly()).await;
        let (_, past) = got.expect("a schedule");
        assert_eq!(oracle::due_twice(&past), Vec::<String>::new());
        assert_eq!(oracle::gaps(&past), Vec::<String>::new());
        assert_eq!(
            oracle::made_twice(&state.kept().entries),
            Vec::<String>::new()
        );
        tally.add("deaths of runners", self.deaths);
        tally.add("pauses at the end", self.pauses_seen);
        let limited = tasks.iter().filter(|task| task.limits.is_some());
        tally.add("limits of tasks", limited.count() as u64);
        for task in &tasks {
            tally.add(&format!("{:?} {:?}", task.kind(), task.state()), 1);
        }
        let (shared, waited) = {
            let kept = state.kept();
            (kept.shared, kept.waited)
        };
        tally.add("backups beside restores", shared);
        tally.add("turns waited for", waited);
        for run in &past {
            tally.add(&format!("run {:?}", run.outcome), 1);
        }
        for running in self.runners {
            let drained = timeout(ENDS_WITHIN, running.life.runner.drain()).await;
            drained.expect("it comes to rest");
        }
    }
}
