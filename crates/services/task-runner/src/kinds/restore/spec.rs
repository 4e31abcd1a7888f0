//! What the steps of a restore share, kept with the task: the plan as it was started, and what it was made from.

use std::collections::{BTreeMap, BTreeSet};

use api::clients::Taking;
use model::plan::{NodePlan, PlanStep, RestorePlan, StepKind, TableAction, TablePlan};
use model::{Finding, HostId, TableRef, TableTarget, TaskId, When};
use plan::codes;
use serde::{Deserialize, Serialize};

use super::changes_target;
use crate::context::Context;
use crate::engine::{StepError, TaskRecord, Touched};
use crate::error::RunnerError;

/// The document's name among those of its task.
pub(super) const SPEC: &str = "restore";

/// A restore as it was started. Never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::kinds) struct RestoreSpec {
    plan: RestorePlan,
    /// The hex BLAKE3 of each source's node manifest, as the backup manifest had it when the plan was made: what is staged
    /// must be what was planned.
    manifests: BTreeMap<HostId, String>,
}

impl RestoreSpec {
    /// Refuses a plan that cannot be carried out safely, or whose sources' manifests are not known.
    pub fn new(
        plan: RestorePlan,
        manifests: &BTreeMap<HostId, String>,
    ) -> Result<Self, RunnerError> {
        check_order(&plan.steps).map_err(RunnerError::PlanNotUnderstood)?;
        check_nodes(&plan).map_err(RunnerError::PlanNotUnderstood)?;
        let sources = plan.nodes.iter().flat_map(|node| &node.sources);
        let manifests = sources.map(|source| match manifests.get(source) {
            Some(blake3) if !blake3.is_empty() => Ok((*source, blake3.clone())),
            _ => Err(RunnerError::PlanNotUnderstood(format!(
                "the catalog does not know the hash of the manifest of source node {source}"
            ))),
        });
        Ok(Self {
            manifests: manifests.collect::<Result<_, _>>()?,
            plan,
        })
    }

    /// The restore that a task was started as.
    pub async fn of(context: &Context, record: &TaskRecord) -> Result<Self, RunnerError> {
        let spec: Option<Self> = context.tasks.document(record.id, SPEC).await?;
        spec.ok_or_else(|| {
            RunnerError::PlanNotUnderstood(format!("task {} has lost its plan", record.id))
        })
    }

    pub fn plan(&self) -> &RestorePlan {
        &self.plan
    }

    /// The node of a step.
    pub fn node(&self, address: &str) -> Result<&NodePlan, StepError> {
        let found = self.plan.nodes.iter().find(|node| node.node == address);
        found.ok_or_else(|| StepError::incomplete(format!("the plan has no node {address}")))
    }

    fn filled(&self) -> impl Iterator<Item = &TablePlan> {
        let tables = self.plan.tables.iter();
        tables.filter(|table| table.action != TableAction::RebuildView)
    }

    /// Tables that are staged, and loaded or swapped.
    pub fn targets(&self) -> Vec<TableTarget> {
        let target = |table: &TablePlan| TableTarget {
            table: table.table.clone(),
            source: table.source.clone(),
            source_id: table.source_id,
            target_id: table.target_id,
        };
        self.filled().map(target).collect()
    }

    /// Tables that keep their id, or get it from the plan: one of the same name with another id is not this restore's.
    pub fn kept_or_made(&self) -> impl Iterator<Item = &TablePlan> {
        self.filled()
            .filter(|table| table.action != TableAction::Recreate)
    }

    pub fn table_refs(&self) -> Vec<TableRef> {
        self.filled().map(|table| table.table.clone()).collect()
    }

    /// Views that are built again from their tables.
    pub fn views(&self) -> Vec<TableRef> {
        let tables = self.plan.tables.iter();
        let views = tables.filter(|table| table.action == TableAction::RebuildView);
        views.map(|table| table.table.clone()).collect()
    }

    pub fn touched(&self) -> Touched {
        let loaded: BTreeSet<TableRef> = self.table_refs().into_iter().collect();
        let mut all = loaded.clone();
        all.extend(self.views());
        Touched::Tables { loaded, all }
    }

    /// What a node takes of its sources: a plan without shares for it means all of it.
    pub fn taking_of(&self, node: &NodePlan) -> Taking {
        match node.shares.is_empty() {
            true => Taking::Everything,
            false => Taking::Shares(node.shares.clone()),
        }
    }

    /// A node's sources, each with the hash of its manifest.
    pub fn sources_of(&self, node: &NodePlan) -> Result<Vec<(HostId, String)>, StepError> {
        let with_hash = |source: &HostId| {
            let blake3 = self.manifests.get(source).cloned();
            let blake3 = blake3.ok_or_else(|| {
                StepError::incomplete(format!("no hash of the manifest of source node {source}"))
            })?;
            Ok((*source, blake3))
        };
        node.sources.iter().map(with_hash).collect()
    }

    pub fn statements(&self, step: &str) -> &[String] {
        let found = self.plan.steps.iter().find(|planned| planned.id == step);
        found.map_or(&[], |planned| &planned.cql)
    }

    /// The statements that drop the scratch keyspaces of the trial.
    pub fn trial_drops(&self) -> &[String] {
        let mut steps = self.plan.steps.iter();
        let found = steps.find(|planned| planned.kind == StepKind::TrialDrop);
        found.map_or(&[], |planned| &planned.cql)
    }

    /// Findings of the plan to be shown once the restore is done, with the task's id in the commands that need it. What a
    /// step of the restore has done by then is no longer to be done.
    pub fn closing(&self, task: TaskId, accept_after_hours: u64) -> Vec<Finding> {
        let findings = self.plan.findings.iter();
        let mut steps = self.plan.steps.iter();
        let upgrades = steps.any(|step| step.kind == StepKind::UpgradeSstables);
        let is_done =
            |code: &str| upgrades && codes::DONE_BY_UPGRADE.iter().any(|it| it.name == code);
        let closing =
            findings.filter(|finding| finding.when == When::After && !is_done(&finding.code));
        let with_id = |finding: &Finding| {
            let mut finding = finding.clone();
            if finding.code == codes::OLD_FILES_KEPT.name {
                finding.hint = finding.hint.replace("TASK", &task.to_string());
                if accept_after_hours > 0 {
                    finding.hint.push_str(&format!(
                        "; they are deleted without being asked for {accept_after_hours} h after the restore, by accept_in_place_after_hours in [tasks] of the task-runner"
                    ));
                }
            }
            finding
        };
        closing.map(with_id).collect()
    }
}

fn check_nodes(plan: &RestorePlan) -> Result<(), String> {
    let known: BTreeSet<&str> = plan.nodes.iter().map(|node| node.node.as_str()).collect();
    let mut steps = plan.steps.iter();
    let stray = steps.find(|step| !step.node.is_empty() && !known.contains(step.node.as_str()));
    match stray {
        None => Ok(()),
        Some(step) => Err(format!(
            "step `{}` is for node `{}`, of which the plan knows no agent",
            step.id, step.node
        )),
    }
}

/// Whatever the planner says: nothing is changed before the backup is pinned, every node has staged everything, and the cluster
/// was compared with the plan.
fn check_order(steps: &[PlanStep]) -> Result<(), String> {
    if !steps.iter().any(|step| step.kind == StepKind::Pin) {
        return Err("it has no step `pin`".to_owned());
    }
    let Some(check) = steps.iter().find(|step| step.kind == StepKind::Check) else {
        return Err("it has no step `check`".to_owned());
    };
    let before: BTreeMap<&str, &[String]> = steps
        .iter()
        .map(|step| (step.id.as_str(), step.after.as_slice()))
        .collect();
    let waited_for = reached(&check.id, |id| {
        let after = before.get(id).copied().unwrap_or_default();
        after.iter().map(String::as_str).collect()
    });
    let is_first = |step: &&PlanStep| matches!(step.kind, StepKind::Pin | StepKind::Stage);
    if let Some(late) = steps
        .iter()
        .filter(is_first)
        .find(|step| !waited_for.contains(step.id.as_str()))
    {
        return Err(format!("step `check` does not wait for step `{}`", late.id));
    }
    let mut successors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in steps {
        for id in &step.after {
            successors.entry(id).or_default().push(&step.id);
        }
    }
    let behind = reached(&check.id, |id| {
        successors.get(id).cloned().unwrap_or_default()
    });
    let changing = steps.iter().filter(|step| changes_target(step.kind));
    match changing
        .clone()
        .find(|step| !behind.contains(step.id.as_str()))
    {
        Some(early) => Err(format!(
            "step `{}` does not wait for step `check`",
            early.id
        )),
        None => Ok(()),
    }
}

/// Everything that can be reached from a step, itself included.
fn reached<'a>(from: &'a str, next: impl Fn(&str) -> Vec<&'a str>) -> BTreeSet<&'a str> {
    let mut seen: BTreeSet<&str> = [from].into();
    let mut waiting = vec![from];
    while let Some(id) = waiting.pop() {
        waiting.extend(next(id).into_iter().filter(|id| seen.insert(id)));
    }
    seen
}

#[cfg(test)]
mod tests;
