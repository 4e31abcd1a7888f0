//! What a user can do about a refusal of the runner.

use super::RunnerError;

/// The next step, if there is one.
pub(super) fn of(error: &RunnerError) -> Option<String> {
    let hint = match error {
        RunnerError::UnknownCluster(_) => {
            "list the clusters with `ringkeep cluster list`, or register it with `ringkeep cluster add`"
        }
        RunnerError::DrivenElsewhere(_) => {
            "that runner has not replied: if it is gone, another takes the task over once its lease has run out, so try again in a minute"
        }
        RunnerError::ClusterExists(..) => {
            "remove it first with `ringkeep cluster remove`; its backups stay"
        }
        RunnerError::ClusterBusy {
            task, may_cancel, ..
        } => {
            let stop = match may_cancel {
                true => format!("stop it with `ringkeep task cancel {task}`"),
                false => format!(
                    "if it cannot go on, end it as it is with `ringkeep task fail {task} --force`, which reports what it leaves"
                ),
            };
            return Some(format!(
                "wait for it with `ringkeep task watch {task}`, or {stop}"
            ));
        }
        RunnerError::LeftoversInUse { id, by, .. } if id == by => {
            return Some(format!(
                "`ringkeep task cancel {id}` ends the task and clears what it has left"
            ));
        }
        RunnerError::LeftoversInUse { by, .. } => {
            return Some(format!(
                "its rollback needs it: go on with `ringkeep task resume {by}`, or wait for it with `ringkeep task watch {by}`"
            ));
        }
        RunnerError::ForceNeeded {
            id,
            may_cancel: true,
        } => {
            return Some(format!(
                "stop it with `ringkeep task cancel {id}`, which undoes what it has made; if that does not end either, add --force"
            ));
        }
        RunnerError::ForceNeeded { id, .. } => {
            return Some(format!(
                "let it finish if it can; else `ringkeep task fail {id} --force` ends it, and `ringkeep task show {id}` shows what it has left and how to go on"
            ));
        }
        RunnerError::ClusterHasSchedules(cluster) => {
            return Some(format!(
                "`ringkeep schedule list {cluster}` shows them, and `ringkeep schedule delete` removes one; its backups stay"
            ));
        }
        RunnerError::DocumentDiffers { task, .. } => {
            return Some(format!(
                "`ringkeep task show {task}` shows what it did; apply the new content under another name, or apply it again once ttlSecondsAfterFinished has passed"
            ));
        }
        RunnerError::UnknownDocument { .. } => {
            "`ringkeep maintenance list` shows the tasks of documents and commands"
        }
        RunnerError::ClusterAmbiguous { .. } | RunnerError::NoClusterWith { .. } => {
            "name the registered cluster with --cluster, or in the document by the annotation `ringkeep/cluster`"
        }
        RunnerError::MaintenanceRefused { .. } => {
            "nothing was touched; name only the nodes that are meant with --datacenter and --rack, or see to the others first"
        }
        RunnerError::UnknownSchedule(cluster, _) => {
            return Some(format!("list them with `ringkeep schedule list {cluster}`"));
        }
        RunnerError::ScheduleExists(..) => "change it with --replace",
        RunnerError::ScheduleRuns { task, .. } => {
            return Some(format!(
                "wait for it with `ringkeep task watch {task}`, or stop it with `ringkeep task cancel {task}`"
            ));
        }
        RunnerError::RetentionNotSet { cluster, .. } => {
            return Some(format!(
                "set one with `ringkeep retention set {cluster}`; `ringkeep retention show {cluster}` lists those that there are"
            ));
        }
        RunnerError::RetentionRuns { task, .. } => {
            return Some(format!(
                "wait for it with `ringkeep task watch {task}`, or stop it with `ringkeep task cancel {task}`"
            ));
        }
        RunnerError::RetentionPolicy(_) => "set the policy again with `ringkeep retention set`",
        RunnerError::UnknownTask(_) => "list the tasks with `ringkeep task list`",
        RunnerError::PlanDiffers(..) => {
            "give the same options as at `ringkeep restore plan`, or plan again with these and start that plan"
        }
        RunnerError::UnknownPlan(_) | RunnerError::PlanOutdated { .. } => {
            "plan again with `ringkeep restore plan`, and start the plan of the number that it shows"
        }
        RunnerError::NoWayBack { hint, .. } => return Some(hint.clone()),
        RunnerError::NotResumable { hint, .. } => hint,
        RunnerError::Superseded { id, .. } => {
            return Some(format!(
                "plan the restore again with `ringkeep restore plan` and start the new plan; then `ringkeep task cancel {id}` clears what this one left"
            ));
        }
        RunnerError::RestorePastPointOfNoReturn(_) => {
            "let it finish, or end it as it is with `ringkeep task fail --force`; if it has failed, resume it with `ringkeep task resume`, or restore all of its tables by a new restore, after which it can be cancelled"
        }
        RunnerError::BackupPastPointOfNoReturn(_) => {
            "let it finish; the backup can be deleted afterwards with `ringkeep backup delete`"
        }
        RunnerError::DeletionHasBegun(_) => {
            "let it finish; if it has failed, go on with `ringkeep task resume`"
        }
        RunnerError::UnknownKind(_) => "a newer task-runner has made it: run that one again",
        RunnerError::NotPausable(id, _) => {
            return Some(format!("wait for it with `ringkeep task watch {id}`"));
        }
        RunnerError::LimitsRefused(..) => {
            "limits are of backups, restores and verifications that have not ended"
        }
        RunnerError::ClaimContended(_)
        | RunnerError::TurnsContended
        | RunnerError::ScheduleContended(..)
        | RunnerError::RetentionContended(_) => "try again",
        RunnerError::AgentsUnreachable { .. } => "each reason says what to do about its agent",
        RunnerError::AgentsWithoutTls { .. } => {
            "write their addresses with https://, or as host:port alone; [clients.tls] of the task-runner is in force"
        }
        RunnerError::Remote { error, .. } => return error.hint.clone(),
        RunnerError::State(error) => return error.hint().map(str::to_owned),
        RunnerError::Conversion(_)
        | RunnerError::ClusterRefused { .. }
        | RunnerError::TaskEnded { .. }
        | RunnerError::TaskExists(_)
        | RunnerError::PlanNotUnderstood(_)
        | RunnerError::DocumentLost { .. }
        | RunnerError::NoSchema(..)
        | RunnerError::ShuttingDown
        | RunnerError::Fault
        | RunnerError::Connect { .. }
        | RunnerError::Unreadable { .. } => return None,
    };
    Some(hint.to_owned())
}
