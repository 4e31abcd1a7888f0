//! Restore plans as text for people, to be read before they are agreed to: the command line prints this, word by word.

mod coverage;
mod findings;
mod schema;
mod steps;

use crate::restore::TableAction;
use crate::shown::{ShownNode, ShownPlan, ShownTable};
use crate::text_table::TextTable;
use crate::wording;

pub use findings::findings;

/// What a word tells at a glance, for those who show it in colour. The word says the same without.
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
/// node takes, and every step with its CQL.
pub fn restore_plan(plan: &ShownPlan, paint: Paint<'_>) -> String {
    let mut out = verdict(plan, paint);
    let sections = [
        tables(plan),
        schema::changes(plan),
        schema::rewrites(&plan.rewrites),
        coverage::coverage(&plan.coverage),
        nodes(plan),
        steps::steps(plan),
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
    let verdict = match plan.supported {
        true => paint(Tone::Good, "can be done"),
        false => paint(Tone::Refusal, "REFUSED"),
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

fn tables(plan: &ShownPlan) -> String {
    if plan.tables.is_empty() {
        return String::new();
    }
    // Nobody is to think that a refused plan has been carried out.
    let fate = match plan.supported {
        true => "WHAT HAPPENS TO IT",
        false => "WHAT WOULD HAPPEN TO IT",
    };
    let mut rows = TextTable::new(&["TABLE", fate, "ID"]);
    for table in &plan.tables {
        let what = match table.action {
            Some(TableAction::Create) => "is not there: created, then loaded",
            Some(TableAction::Truncate) => "is there: emptied, then loaded",
            Some(TableAction::Recreate) => "is there: dropped, created as it was, then loaded",
            Some(TableAction::RebuildView) => "a view: made anew from its base table",
            Some(TableAction::Swap) => "its files are swapped while Cassandra is stopped",
            None => "not known to this release of ringkeep",
        };
        let name = format!("{}.{}", table.keyspace, table.table);
        rows.row([name, what.to_owned(), ids(table)]);
    }
    rows.render()
}

/// The id is in the name of the table's folder on the nodes.
fn ids(table: &ShownTable) -> String {
    match (&table.source_id, &table.target_id) {
        // No file of a view is taken.
        _ if table.action == Some(TableAction::RebuildView) => "-".to_owned(),
        (Some(source), Some(target)) if source != target => format!("{source} into {target}"),
        (Some(id), _) | (None, Some(id)) => id.clone(),
        (None, None) => "-".to_owned(),
    }
}

fn nodes(plan: &ShownPlan) -> String {
    let nodes = &plan.nodes;
    let nothing = |node: &ShownNode| node.sources.is_empty();
    // Where it is not known who takes what, figures would be of nothing.
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
    for node in nodes {
        rows.row([
            node.node.clone(),
            wording::bytes(node.download_bytes),
            wording::bytes(node.disk_bytes_needed),
            node.sstables.to_string(),
            node.sliced_sstables.to_string(),
            match node.sources.is_empty() {
                true => "-".to_owned(),
                false => wording::list(&node.sources),
            },
        ]);
    }
    rows.render()
}
