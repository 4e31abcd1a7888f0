//! Backups in lists.

use plan::TextTable;
use views::backup_list::{BackupSummaryView, PinView};

use super::dash;
use super::kept_damage::damaged_text;
use crate::human;

/// `2 of 3` if the backup was made without a node.
fn nodes_text(backup: &BackupSummaryView) -> String {
    if backup.ring_node_count > backup.node_count {
        format!("{} of {}", backup.node_count, backup.ring_node_count)
    } else {
        backup.node_count.to_string()
    }
}

/// What keeps a backup from being deleted.
pub fn pin_text(pin: &PinView) -> String {
    match (&pin.reason, &pin.until) {
        (None, _) => format!(
            "in use by task {}",
            pin.task_id.as_deref().unwrap_or_default()
        ),
        (Some(reason), None) => format!("pinned: {reason}"),
        (Some(reason), Some(until)) => format!("pinned until {until}: {reason}"),
    }
}

pub fn list_text(backups: &[BackupSummaryView]) -> String {
    let mut table = TextTable::new(&[
        "CLUSTER",
        "NAME",
        "KIND",
        "STATE",
        "STARTED",
        ">NODES",
        ">SIZE",
        ">UPLOADED",
        "BASE",
    ]);
    for backup in backups {
        table.row([
            backup.cluster.clone(),
            backup.name.clone(),
            backup.kind.into(),
            backup.state.into(),
            human::time(backup.started_at.as_deref().unwrap_or_default()),
            nodes_text(backup),
            human::bytes(backup.bytes),
            human::bytes(backup.uploaded_bytes.saturating_sub(backup.copied_bytes)),
            dash(backup.base.as_deref()),
        ]);
    }
    let mut text = table.render();
    for backup in backups {
        if backup.damaged_sstables > 0 {
            let damaged = damaged_text(backup.damaged_sstables);
            text.push_str(&format!("{}/{}: {damaged}\n", backup.cluster, backup.name));
        }
        for pin in &backup.pins {
            let pin = pin_text(pin);
            text.push_str(&format!("{}/{}: {pin}\n", backup.cluster, backup.name));
        }
        if backup.damage_found > 0 {
            let places = human::count(backup.damage_found, "place");
            text.push_str(&format!(
                "{}/{}: a verification found {places} damaged or missing\n",
                backup.cluster, backup.name
            ));
        }
        if let Some(detail) = &backup.detail {
            text.push_str(&format!("{}/{}: {detail}\n", backup.cluster, backup.name));
        }
    }
    text
}
