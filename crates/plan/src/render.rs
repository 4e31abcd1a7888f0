//! Plans and findings as text for people.

use std::fmt::Write;

use model::{Finding, Severity, TableRef, When};

use crate::restore::{PlanStep, RestorePlan, TableAction, TablePlan};
use crate::{BackupPlan, text};

/// A restore plan, whole: what it says, what each node takes, what becomes of each table, and every step with its CQL.
pub fn restore_plan(plan: &RestorePlan) -> String {
    let verdict = match plan.supported {
        true => "can be done",
        false => "REFUSED",
    };
    let mut out = format!(
        "restore of {} into {}, {}: {verdict}\n",
        plan.backup, plan.target, plan.mode
    );
    out += &section("findings", &findings(&plan.findings));
    let nodes: Vec<[String; 4]> = plan
        .nodes
        .iter()
        .map(|node| {
            [
                node.node.clone(),
                format!("downloads {}", text::bytes(node.download_bytes)),
                text::count(node.sstables as usize, "SSTable"),
                format!("needs {} of disk", text::bytes(node.disk_bytes_needed)),
            ]
        })
        .collect();
    out += &section("nodes", &columns(&nodes));
    let tables: Vec<[String; 3]> = plan
        .tables
        .iter()
        .map(|table| {
            [
                table.table.to_string(),
                action(table).to_owned(),
                ids(table),
            ]
        })
        .collect();
    out += &section("tables", &columns(&tables));
    out += &section("steps", &steps(&plan.steps));
    out
}

/// A backup plan: what it says and what it takes.
pub fn backup_plan(name: &str, plan: &BackupPlan) -> String {
    let verdict = match plan.supported {
        true => "can be done",
        false => "REFUSED",
    };
    let mut out = format!("backup {name}: {verdict}\n");
    out += &section("findings", &findings(&plan.findings));
    out += &section("tables", &tables(&plan.tables));
    out
}

fn tables(tables: &[TableRef]) -> String {
    tables.iter().map(|table| format!("{table}\n")).collect()
}

/// One line for each finding, with its hint below.
pub fn findings(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Refusal => "refusal",
            Severity::Warning => "warning",
            Severity::Advice => "advice ",
        };
        let when = match finding.when {
            When::Before => "before",
            When::During => "during",
            When::After => "after",
        };
        let _ = writeln!(
            out,
            "{severity}  {} ({when}): {}",
            finding.code, finding.message
        );
        if !finding.hint.is_empty() {
            let _ = writeln!(out, "         {}", finding.hint);
        }
    }
    out
}

fn action(table: &TablePlan) -> &'static str {
    match table.action {
        TableAction::Create => "made",
        TableAction::Truncate => "emptied",
        TableAction::Recreate => "dropped and made as it was",
        TableAction::RebuildView => "built anew from its table",
        TableAction::Swap => "files swapped",
    }
}

fn ids(table: &TablePlan) -> String {
    match table.action {
        TableAction::RebuildView => String::new(),
        _ if table.source_id == table.target_id => format!("id {}", table.target_id),
        _ => format!("id {} goes into {}", table.source_id, table.target_id),
    }
}

fn steps(steps: &[PlanStep]) -> String {
    let rows: Vec<[String; 2]> = steps
        .iter()
        .map(|step| {
            let after = match step.after.as_slice() {
                [] => String::new(),
                after => format!("after {}", text::list(after)),
            };
            [step.id.clone(), after]
        })
        .collect();
    let lines = columns(&rows);
    let mut out = String::new();
    for (line, step) in lines.lines().zip(steps) {
        out.push_str(line);
        out.push('\n');
        for statement in &step.cql {
            for cql_line in format!("{statement};").lines() {
                let _ = writeln!(out, "    {cql_line}");
            }
        }
    }
    out
}

/// A titled block, indented; nothing where there is nothing to say.
fn section(title: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let indented: String = body.lines().map(|line| format!("  {line}\n")).collect();
    format!("\n{title}\n{indented}")
}

/// Rows with their cells under each other.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| {
        rows.iter()
            .map(|row| row[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut out = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
