//! What tasks have left on nodes, and what became of it.

use plan::TextTable;
use views::leftovers::{ClearedOneView, ClearedView, LeftoversView};

use crate::human;

pub fn list_text(view: &LeftoversView) -> String {
    if view.leftovers.is_empty() {
        return String::new();
    }
    let mut table = TextTable::new(&["AGENT", "KIND", "TASK", ">SIZE", "OWNER"]);
    for leftover in &view.leftovers {
        let owner = match leftover.half_swapped {
            true => format!("{}, half swapped", leftover.owner),
            false => leftover.owner.to_owned(),
        };
        table.row([
            leftover.agent.clone(),
            leftover.kind.to_owned(),
            leftover.task.clone(),
            human::bytes(leftover.bytes),
            owner,
        ]);
    }
    table.render()
}

pub fn cleared_text(view: &ClearedView) -> String {
    let mut text = String::new();
    for leftover in &view.leftovers {
        let ClearedOneView {
            agent, kind, task, ..
        } = leftover;
        let what = match &leftover.kept_because {
            None => format!("{} freed", human::bytes(leftover.freed_bytes)),
            Some(why) => format!("stays: {why}"),
        };
        text.push_str(&format!("{agent}: {kind} of task {task}: {what}\n"));
    }
    for agent in &view.unreachable {
        text.push_str(&format!(
            "{}: did not reply: {}\n",
            agent.agent, agent.reason
        ));
    }
    if text.is_empty() {
        text.push_str("there was nothing of these tasks\n");
    }
    text
}
