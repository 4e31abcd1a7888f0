//! A backup in full.

use plan::{TextTable, render, snapshots_apart};
use views::backup::BackupView;
use views::backup_list::BackupSummaryView;

use super::backup_list::pin_text;
use super::dash;
use super::kept_damage::{damaged_text, kept_text};
use crate::human;
use crate::screen::Paint;

/// What kind of backup it is, in one word or three.
fn kind_text(backup: &BackupSummaryView) -> String {
    match &backup.base {
        Some(base) => format!("{} on {base}", backup.kind),
        None => backup.kind.to_owned(),
    }
}

/// How the data came into the store: by the network of the nodes, by copies inside the store, or with the base.
fn added_text(backup: &BackupSummaryView) -> String {
    let BackupSummaryView {
        bytes,
        uploaded_bytes: added,
        copied_bytes: copied,
        ..
    } = backup;
    let mut text = format!("{} uploaded", human::bytes(added.saturating_sub(*copied)));
    if *copied > 0 {
        text.push_str(&format!(
            ", {} copied inside the store",
            human::bytes(*copied)
        ));
    }
    if backup.base.is_some() {
        text.push_str(&format!(
            ", {} in the base",
            human::bytes(bytes.saturating_sub(*added))
        ));
    }
    text
}

/// A few lines, as after `backup create --wait`.
pub fn summary_text(backup: &BackupView) -> String {
    let summary = &backup.summary;
    let coverage = &backup.coverage;
    let covered = match coverage.complete {
        true => "the whole ring".to_owned(),
        false => format!(
            "{} of {}: incomplete",
            coverage.backed_up_nodes, coverage.ring_nodes
        ),
    };
    let damaged = match summary.damaged_sstables {
        0 => String::new(),
        sstables => format!("damaged   {}\n", damaged_text(sstables)),
    };
    format!(
        "backup    {}/{}\nkind      {}\nstate     {}\nstarted   {}\nfinished  {}\nrelease   {} {}\nnodes     {} ({covered})\nsize      {} in {}, {}\nspread    {} between the first and the last snapshot\n{damaged}",
        summary.cluster,
        summary.name,
        kind_text(summary),
        summary.state,
        human::time(summary.started_at.as_deref().unwrap_or_default()),
        human::time(summary.finished_at.as_deref().unwrap_or_default()),
        dash(summary.product),
        dash(summary.version.as_deref()),
        backup.nodes.len(),
        human::bytes(summary.bytes),
        human::count(summary.sstables, "SSTable"),
        added_text(summary),
        human::milliseconds(backup.snapshot_spread_ms),
    )
}

/// The nodes that the backup was made without, and what it has of each keyspace.
fn missing_text(backup: &BackupView) -> String {
    let missing = backup.missing.iter();
    let missing = missing.map(|node| {
        format!(
            "missing   {} ({}): {}\n",
            node.node, node.host_id, node.reason
        )
    });
    let held = render::coverage(&backup.held);
    if held.is_empty() {
        missing.collect()
    } else {
        missing.chain([format!("\n{held}")]).collect()
    }
}

pub fn text(backup: &BackupView, _: &Paint) -> String {
    let mut nodes = TextTable::new(&[
        "NODE",
        "DATACENTER",
        "RACK",
        ">TOKENS",
        ">SIZE",
        ">UPLOADED",
        ">COPIED",
        ">SSTABLES",
        "HOST ID",
    ]);
    for node in &backup.nodes {
        nodes.row([
            node.node.clone(),
            node.datacenter.clone(),
            node.rack.clone(),
            node.tokens.len().to_string(),
            human::bytes(node.bytes),
            human::bytes(node.uploaded_bytes.saturating_sub(node.copied_bytes)),
            human::bytes(node.copied_bytes),
            node.sstables.to_string(),
            node.host_id.clone(),
        ]);
    }
    let mut tables = TextTable::new(&["TABLE", ">SIZE", ">SSTABLES", "FORMATS"]);
    for table in &backup.tables {
        tables.row([
            format!("{}.{}", table.keyspace, table.table),
            human::bytes(table.bytes),
            table.sstables.to_string(),
            dash(Some(&table.formats.join(", "))),
        ]);
    }
    let mut text = summary_text(backup);
    if let Some(detail) = &backup.summary.detail {
        text.push_str(&format!("detail    {detail}\n"));
    }
    if let Some(apart) = snapshots_apart(backup.snapshot_spread_ms) {
        text.push_str(&format!("apart     {apart}\n"));
    }
    for pin in &backup.summary.pins {
        text.push_str(&format!("held      {}\n", pin_text(pin)));
    }
    text.push_str(&missing_text(backup));
    format!(
        "{text}\n{}\n{}{}",
        nodes.render(),
        tables.render(),
        kept_text(&backup.nodes)
    )
}
