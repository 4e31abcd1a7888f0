//! Starts a task as a user would, strikes its steps, and goes on as a user would until it has succeeded.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::arena::Arena;
use super::coverage::Coverage;
use super::fault::Fault;
use super::gate::{Held, Place};
use super::schedule::Strike;
use super::strike::Struck;
use crate::Answer;

/// How often a user resumes a task or starts it again.
const TRIES: usize = 8;
/// Between two looks at the task.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a task may take in all, on a busy machine.
const WITHIN: Duration = Duration::from_secs(3_600);
/// Steps from which on Cassandra may be down because the task has stopped it.
const STOPPING: [&str; 4] = ["stop", "swap", "swapback", "start"];

/// A task that is carried through.
pub struct Drive<'a> {
    pub arena: &'a mut Arena,
    pub coverage: &'a mut Coverage,
    strikes: Vec<Strike>,
    /// The newest task of before.
    before: Option<String>,
}

impl<'a> Drive<'a> {
    pub async fn new(
        arena: &'a mut Arena,
        coverage: &'a mut Coverage,
        strikes: &[Strike],
    ) -> Result<Self> {
        let mut wanted = Vec::new();
        for strike in strikes {
            let (kind, fault) = (strike.step.kind, strike.fault);
            if let Some(why) = fault.has_no_target(kind) {
                coverage.miss(kind, fault, why);
            } else if fault == Fault::DiskFull && !arena.has_disks {
                say!("  skipped: {fault} at {kind}, because no disk can be mounted here");
                coverage.skip(fault);
            } else {
                wanted.push(strike.clone());
            }
        }
        let before = newest(arena).await?.map(|task| id_of(&task));
        Ok(Self {
            arena,
            coverage,
            strikes: wanted,
            before,
        })
    }

    /// Carries a task through; `command` makes the command that starts it, another one with each number. The task as it has
    /// ended.
    pub async fn through(mut self, command: impl Fn(usize) -> Vec<String>) -> Result<Value> {
        let carried = tokio::time::timeout(WITHIN, self.carry(command)).await;
        self.arena.wanted.set(Vec::new());
        let Ok(ended) = carried else {
            bail!(
                "the task does not come to an end: {:?}",
                newest(self.arena).await?
            );
        };
        let ended = ended?;
        for strike in &self.strikes {
            let why = "the step was over or did not come";
            say!("  missed: {strike}: {why}");
            self.coverage.miss(strike.step.kind, strike.fault, why);
        }
        Ok(ended)
    }

    async fn carry(&mut self, command: impl Fn(usize) -> Vec<String>) -> Result<Value> {
        for number in 0..TRIES {
            let mut task = self.start(&command(number)).await?;
            while let Some(id) = task {
                let ended = self.until_final(&id).await?;
                if ended["state"] == "succeeded" {
                    return Ok(ended);
                }
                self.check_named(&ended)?;
                self.arena.supervise(may_stop(&ended)).await?;
                task = self.resume(&id, &ended).await?;
            }
        }
        bail!("no success after {TRIES} tries")
    }

    /// Runs the command that starts the task; None if it was refused and left no task.
    async fn start(&mut self, command: &[String]) -> Result<Option<String>> {
        self.want(false);
        let cli = self.arena.world.cli().clone();
        let command = command.to_vec();
        let mut started = tokio::spawn(async move {
            let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
            cli.run(&arguments).await
        });
        let answer: Answer = loop {
            tokio::select! {
                started = &mut started => break started??,
                Some(held) = self.arena.held.recv() => self.meet(held).await?,
            }
        };
        self.want(true);
        let newest = newest(self.arena).await?.map(|task| id_of(&task));
        if answer.code != 0 {
            say!(
                "  `{}` exited with {}: {}",
                answer.command,
                answer.code,
                answer.stderr.trim()
            );
            ensure!(
                !answer.stderr.trim().is_empty(),
                "a failure without a reason"
            );
        }
        let is_new = newest.is_some() && newest != self.before;
        if is_new {
            self.before.clone_from(&newest);
            return Ok(newest);
        }
        ensure!(answer.code != 0, "started, but there is no task");
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(None)
    }

    /// A task that has failed or is paused says why.
    fn check_named(&self, ended: &Value) -> Result<()> {
        let why = match ended["state"].as_str() {
            Some("paused") => &ended["paused"]["why"],
            _ => &ended["error"],
        };
        let error = why.as_str().unwrap_or_default();
        say!("  the {} is {}: {error}", ended["kind"], ended["state"]);
        ensure!(!error.is_empty(), "a failure without a reason: {ended}");
        Ok(())
    }

    /// None: it cannot be resumed. What it has replaced is taken back, and another one has to be started.
    async fn resume(&mut self, id: &str, ended: &Value) -> Result<Option<String>> {
        let resumed = self.arena.world.cli().run(&["task", "resume", id]).await?;
        if resumed.code == 0 {
            say!("  resumed");
            return Ok(Some(id.to_owned()));
        }
        say!("  not resumed: {}", resumed.stderr.trim());
        let steps = ended["steps"].as_array().map_or(&[][..], Vec::as_slice);
        if has_begun(steps, "swap") {
            let rollback = ["restore", "rollback", id, "--yes", "--wait"];
            self.arena.world.cli().ok(&rollback).await?;
            say!("  rolled back");
        }
        Ok(None)
    }

    async fn until_final(&mut self, id: &str) -> Result<Value> {
        loop {
            tokio::select! {
                Some(held) = self.arena.held.recv() => self.meet(held).await?,
                () = tokio::time::sleep(PAUSE) => {
                    let shown = self.arena.world.cli().run(&["task", "show", id]).await?;
                    if matches!(shown.json["state"].as_str(), Some("succeeded" | "failed" | "cancelled" | "paused")) {
                        return Ok(shown.json);
                    }
                    self.arena.supervise(may_stop(&shown.json)).await?;
                }
            }
        }
    }

    /// Has the gates hold the calls of the steps that are still to be struck.
    fn want(&self, is_planned: bool) {
        let strikes = self.strikes.iter();
        let strikes = strikes.filter(|strike| is_planned || !strike.step.planning_calls_too);
        let wanted = strikes.flat_map(|strike| {
            let place = strike.step.on_each.then_some(Place::Agent(strike.node));
            strike
                .step
                .methods
                .iter()
                .map(move |method| (*method, place))
        });
        self.arena.wanted.set(wanted.collect());
    }

    /// Strikes if the call is one of a step that is to be struck, and lets it pass otherwise.
    async fn meet(&mut self, held: Held) -> Result<()> {
        let running = self.running(&held).await?;
        // Whoever made it may have been killed meanwhile.
        let (Some(at), false) = (running, held.go.is_closed()) else {
            let _ = held.go.send(());
            let _ = held.end.send(());
            return Ok(());
        };
        let mut strike = self.strikes.remove(at);
        // Of a step of the whole cluster, the node that does it.
        if let Place::Agent(node) = held.place {
            strike.node = node;
        }
        self.want(true);
        say!("  {strike} ({})", held.method);
        match strike.hit(self.arena, held).await? {
            Struck::Hit => self.coverage.hit(strike.step.kind, strike.fault),
            Struck::Missed(why) => {
                say!("  missed: {why}");
                self.coverage.miss(strike.step.kind, strike.fault, why);
            }
        }
        Ok(())
    }

    /// Which strike is for the step whose call this is: one that runs now by what the task-runner says.
    async fn running(&self, held: &Held) -> Result<Option<usize>> {
        let Some(task) = newest(self.arena).await? else {
            return Ok(None);
        };
        let id = id_of(&task);
        if Some(&id) == self.before.as_ref() && task["state"] != "running" {
            return Ok(None);
        }
        let shown = self.arena.world.cli().run(&["task", "show", &id]).await?;
        let steps = shown.json["steps"].as_array();
        let steps: Vec<&Value> = steps.into_iter().flatten().collect();
        Ok(self.strikes.iter().position(|strike| {
            let is_its_call = strike.step.methods.contains(&held.method.as_str())
                && (!strike.step.on_each || held.place == Place::Agent(strike.node));
            let address = self.arena.world.cluster.node(strike.node).address;
            is_its_call
                && steps.iter().any(|step| {
                    step["kind"] == strike.step.kind
                        && step["state"] == "running"
                        && (!strike.step.on_each || step["node"] == address.to_string())
                })
        }))
    }
}

/// The task that was started last, if the task-runner replies.
async fn newest(arena: &Arena) -> Result<Option<Value>> {
    let listed = arena.world.cli().run(&["task", "list"]).await?;
    let tasks = listed.json.as_array();
    Ok(tasks.and_then(|tasks| tasks.first()).cloned())
}

fn id_of(task: &Value) -> String {
    task["id"].as_str().unwrap_or_default().to_owned()
}

/// Whether the task may have stopped Cassandra and not started it yet. Of a reply that is no task nothing is known.
fn may_stop(task: &Value) -> bool {
    let Some(steps) = task["steps"].as_array() else {
        return true;
    };
    let mut starts = steps.iter().filter(|step| step["kind"] == "start");
    let all_started = starts.all(|step| step["state"] == "succeeded");
    !all_started && STOPPING.iter().any(|kind| has_begun(steps, kind))
}

fn has_begun(steps: &[Value], kind: &str) -> bool {
    let mut steps = steps.iter().filter(|step| step["kind"] == kind);
    steps.any(|step| step["state"] != "pending")
}
