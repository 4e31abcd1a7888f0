//! Restore plans as text for people, to be read before they are agreed to: the command line prints this, word by word.
//!
//! The text is beside the rules, and not with the clients' documents in `views`: it is what golden plans are reviewed as,
//! so a rule and its words change together, and every client shows a plan in the same words.

mod coverage;
mod findings;
mod question;
mod schema;
mod statements;
mod steps;
mod tables;

use crate::text_table::TextTable;
use crate::wording;
use model::plan::{ShownNode, ShownPlan};

pub use coverage::coverage;
pub use findings::findings;
pub use question::question;
pub use statements::{Statements, script};

/// How many nodes have a line each.
const NODES_MAX: usize = 40;

/// What a word means at a glance, for those who show it in colour. The word says the same without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Refusal,
    Warning,
    Advice,
}

/// How words are shown; [`plain`] where there are no colours.
pub type Paint<'a> = &'a dyn Fn(Tone, &str) -> String;

pub fn plain(_: Tone, word: &str) -> String {
    word.to_owned()
}

/// The whole plan, for those who have yet to agree to it: what stands against it, what becomes of each table, what each
/// node takes, and every step. What is much is counted; JSON has all of it.
pub fn restore_plan(plan: &ShownPlan, statements: Statements, paint: Paint<'_>) -> String {
    let mut out = verdict(plan, paint);
    let sections = [
        tables::tables(plan),
        schema::changes(plan, statements),
        schema::rewrites(&plan.rewrites),
        coverage::coverage(&plan.coverage),
        nodes(plan),
        steps::steps(plan, statements),
        closing(plan),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        out.push('\n');
        out.push_str(section);
    }
    out
}

/// How long it may take, and how to start this very plan.
fn closing(plan: &ShownPlan) -> String {
    let mut out = String::new();
    // What is refused takes no time.
    if plan.seconds > 0 && plan.supported {
        out.push_str(&format!(
            "takes about {}\n",
            wording::duration(plan.seconds)
        ));
    }
    if plan.number > 0 {
        out.push_str(&format!(
            "plan {}: start it as shown with `ringkeep restore start {}/{} --into {} --plan {}`\n",
            plan.number, plan.cluster, plan.backup, plan.target, plan.number
        ));
    }
    out
}

/// The verdict and the findings, for those who have agreed already.
pub fn verdict(plan: &ShownPlan, paint: Paint<'_>) -> String {
    let verdict = if plan.supported {
        paint(Tone::Good, "can be done")
    } else {
        paint(Tone::Refusal, "REFUSED")
    };
    let mode = plan.mode.map(|mode| mode.to_string());
    let mode = mode.as_deref().unwrap_or("mode not decided");
    let mut out = format!(
        "restore of {}/{} into {}, {mode}: {verdict}\n",
        plan.cluster, plan.backup, plan.target
    );
    if !plan.findings.is_empty() {
        out.push('\n');
        out.push_str(&findings(&plan.findings, paint));
    }
    out
}

fn nodes(plan: &ShownPlan) -> String {
    let nodes = &plan.nodes;
    let nothing = |node: &ShownNode| node.sources.is_empty();
    // If it is not known who takes what, there are no figures.
    if nodes.is_empty() || !plan.supported && nodes.iter().all(nothing) {
        return String::new();
    }
    let mut rows = TextTable::new(&[
        "NODE",
        ">DOWNLOAD",
        ">DISK NEEDED",
        ">SSTABLES",
        ">SLICED",
        "FROM",
    ]);
    // Of many, those with the most to do.
    let mut shown: Vec<&ShownNode> = nodes.iter().collect();
    if shown.len() > NODES_MAX {
        shown.sort_by_key(|node| std::cmp::Reverse(node.download_bytes));
        shown.truncate(NODES_MAX);
    }
    for node in &shown {
        rows.row([
            node.node.clone(),
            wording::bytes(node.download_bytes),
            wording::bytes(node.disk_bytes_needed),
            node.sstables.to_string(),
            node.sliced_sstables.to_string(),
            if node.sources.is_empty() {
                "-".to_owned()
            } else {
                wording::list(&node.sources)
            },
        ]);
    }
    let mut out = rows.render();
    if nodes.len() > shown.len() {
        let more = wording::count((nodes.len() - shown.len()) as u64);
        let all = nodes.iter().map(|node| node.download_bytes).sum();
        out.push_str(&format!(
            "and {more} nodes that download less; all together {}\n",
            wording::bytes(all)
        ));
    }
    out
}
