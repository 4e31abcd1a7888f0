//! What is shipped in `deploy` fits the programs: metrics, alerts, dashboard, containers, compose and Kubernetes.

mod alerts;
mod compose;
mod containers;
mod grafana;
mod kubernetes;
mod metrics;
mod programs;
mod yaml;

use std::path::{Path, PathBuf};

/// The workspace.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    root.canonicalize().expect("the workspace")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
