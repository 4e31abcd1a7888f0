//! A cluster that was registered again, and what to do about what was found.

use views::adopted::AdoptedView;

use super::leftovers;
use crate::human;

pub fn text(view: &AdoptedView) -> String {
    let name = &view.name;
    let agents = human::count(view.agents.len() as u64, "agent");
    let mut text = format!("cluster {name} is registered with {agents}\n");
    if let Some(names) = &view.other_cluster_name {
        text.push_str(&format!(
            "its newest backup is of a cluster that Cassandra calls `{}`, and these nodes belong to `{}`: if they are not the \
             same, run `ringkeep cluster remove {name}` and adopt these under another name\n",
            names.backup, names.nodes
        ));
    }
    text.push_str(&match &view.newest_backup {
        None => format!("no backup of {name} can be restored\n"),
        Some(newest) => {
            let backups = human::count(view.complete_backups, "backup");
            format!("{backups} can be restored, the newest is {newest}\n")
        }
    });
    for running in &view.running_backups {
        let backup = format!("{name}/{}", running.name);
        text.push_str(&format!(
            "{backup} is recorded as running: if its task was lost, `ringkeep backup delete {backup} --even-if-running`\n"
        ));
    }
    for pin in &view.unknown_pins {
        text.push_str(&format!(
            "{name}/{} is pinned by task {}: if it was lost, `ringkeep gc run {name} --lost-task {}`\n",
            pin.backup, pin.task_id, pin.task_id
        ));
    }
    if !view.leftovers.leftovers.is_empty() {
        text.push_str(&format!(
            "tasks have left something on the nodes; `ringkeep leftovers clear {name} TASK` removes what a lost task has left:\n{}",
            leftovers::list_text(&view.leftovers)
        ));
    }
    for agent in &view.leftovers.unreachable {
        text.push_str(&format!(
            "agent {} did not reply: {}\n",
            agent.agent, agent.reason
        ));
    }
    text.push_str("schedules and retention policies were in the state: create them again\n");
    text
}
