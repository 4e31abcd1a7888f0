//! Runs the steps of a task until all have succeeded or the task is on its way to another end.

use std::collections::HashMap;
use std::sync::Mutex;

use model::task::StepState;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::{Driver, Exit, ticks};
use crate::engine::step::{self, EVENTS_MAX, Event, Output, StepRun};
use crate::engine::step_error::StepError;
use crate::signals;

type Running = JoinSet<Result<Output, StepError>>;

impl Driver {
    pub(super) async fn run_steps(&mut self) -> Result<(), Exit> {
        let mut running: Running = JoinSet::new();
        let mut places: HashMap<Id, usize> = HashMap::new();
        let (events, mut reports) = mpsc::channel(EVENTS_MAX);
        let mut ticks = ticks();
        let drain = self.engine.drain.clone();
        let exit = loop {
            if self.ending().is_some() || self.graph.all_settled() {
                break Ok(());
            }
            if self.pausing.is_some() {
                break Err(Exit::Paused);
            }
            if let Err(exit) = self.start_ready(&mut running, &mut places, &events).await {
                break Err(exit);
            }
            let turn = tokio::select! {
                biased;
                () = drain.cancelled() => Err(Exit::Drained),
                Some(command) = self.slot.commands.recv() => self.handle(command).await,
                // Before steps that end and reports, of which there may be so many at once that the lease would run out.
                _ = ticks.tick() => self.tick().await,
                Some(ended) = running.join_next_with_id() => {
                    let (at, result) = ended_step(&mut places, ended);
                    self.settle(at, result).await
                }
                Some(event) = reports.recv() => {
                    self.note(event);
                    Ok(())
                }
            };
            if let Err(exit) = turn {
                break Err(exit);
            }
        };
        // Dropped calls stop the agents' work at a safe point.
        running.shutdown().await;
        match exit {
            Err(Exit::Drained) => self.save().await?,
            Err(Exit::Paused) => self.pause_now().await?,
            _ => {}
        }
        exit
    }

    /// Starts what is ready. That it runs is on disk before it does, and so is that there is no way back.
    async fn start_ready(
        &mut self,
        running: &mut Running,
        places: &mut HashMap<Id, usize>,
        events: &mpsc::Sender<Event>,
    ) -> Result<(), Exit> {
        let starting = self.mark_ready(places);
        if starting.is_empty() {
            return Ok(());
        }
        self.save().await?;
        for at in starting {
            let (traits, kind) = {
                let task = self.task.read();
                (self.traits(&task, at), task.steps[at].kind)
            };
            let limits = &self.engine.context.config.step_limits;
            let run = StepRun {
                starts_over: traits.starts_over,
                limit: limits.of(kind, traits.moves_data),
                context: self.context.clone(),
                task: self.task.clone(),
                at,
                fence: self.fence.clone(),
                lease: self.lease.clone(),
                events: events.clone(),
                limits: self.limits.subscribe(),
                course: Mutex::default(),
            };
            let (job, lease) = (self.job.clone(), self.lease.clone());
            let started = running.spawn(async move {
                let began_at = Instant::now();
                let result = lease.guard(step::run(job, run)).await;
                signals::count_step(kind, result.is_ok(), began_at.elapsed());
                result
            });
            places.insert(started.id(), at);
        }
        Ok(())
    }

    /// Marks as running what waits for nothing, as far as the limit on steps that move data allows.
    fn mark_ready(&mut self, places: &HashMap<Id, usize>) -> Vec<usize> {
        let mut task = self.task.write();
        let moving = places
            .values()
            .filter(|at| self.traits(&task, **at).moves_data)
            .count();
        let limit = self.engine.context.config.parallel_steps.max(1);
        let mut free = limit.saturating_sub(moving);
        let mut starting = Vec::new();
        for at in self.graph.ready() {
            if task.statuses[at].state != StepState::Pending {
                continue;
            }
            let traits = self.traits(&task, at);
            if traits.moves_data {
                if free == 0 {
                    continue;
                }
                free -= 1;
            }
            let status = &mut task.statuses[at];
            status.state = StepState::Running;
            status.attempted = true;
            let record = &mut task.record;
            self.record_is_dirty |= traits.point_of_no_return && !record.past_point_of_no_return;
            self.record_is_dirty |= traits.makes_something && !record.made_something;
            record.past_point_of_no_return |= traits.point_of_no_return;
            record.made_something |= traits.makes_something;
            task.open_limits(at, self.kind.limited_steps());
            starting.push(at);
        }
        drop(task);
        self.dirty.extend(&starting);
        starting
    }
}

fn ended_step(
    places: &mut HashMap<Id, usize>,
    ended: Result<(Id, Result<Output, StepError>), JoinError>,
) -> (usize, Result<Output, StepError>) {
    let (id, result) = match ended {
        Ok(ended) => ended,
        Err(error) => (error.id(), Err(StepError::Panicked)),
    };
    let at = places
        .remove(&id)
        .expect("every step that runs was entered when it started");
    (at, result)
}
