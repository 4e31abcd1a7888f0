use super::steps::backup_steps;
use super::*;

fn wish(cluster: &str) -> NewBackup {
    NewBackup {
        cluster: cluster.parse().expect("a name"),
        name: None,
        kind: BackupKind::Full,
        selection: Selection::default(),
        base: None,
        keep_damaged: false,
    }
}

#[test]
fn a_default_name_says_cluster_and_time_and_differs_on_collision() {
    let now = "2026-11-22T10:05:06.7Z".parse().expect("a time");
    let name = |number| name_for(&wish("shop"), now, number).to_string();
    assert_eq!(name(1), "shop-20261122t100506Z");
    assert_eq!(name(2), "shop-20261122t100506Z-2");
    let long = name_for(&wish(&"x".repeat(100)), now, 10).to_string();
    assert!(long.ends_with("-20261122t100506Z-10"), "{long}");
}

#[test]
fn nothing_is_uploaded_before_every_node_has_its_snapshot() {
    let nodes: Vec<Node> = ["a", "b"]
        .map(|name| Node {
            address: name.into(),
            agent: format!("{name}:7401"),
            host_id: name.into(),
        })
        .into();
    let lines: Vec<String> = backup_steps(&nodes)
        .iter()
        .map(|step| format!("{} < {}", step.id, step.after.join(" ")))
        .collect();
    assert_eq!(
        lines,
        [
            "begin < ",
            "snapshot-a < begin",
            "snapshot-b < begin",
            "capture < snapshot-a snapshot-b",
            "upload-a < snapshot-a snapshot-b",
            "upload-b < snapshot-a snapshot-b",
            "commit < upload-a upload-b capture",
            "clear-a < commit",
            "clear-b < commit",
        ]
    );
}
