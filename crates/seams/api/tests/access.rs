//! The table of rpcs is complete, and SECURITY.md shows it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use api::Described;
use api::access::{self, Rpc};
use api::pb::node_agent::node_agent_server::NodeAgentServer;
use api::pb::planner::planner_server::PlannerServer;
use api::pb::storage_catalog::storage_catalog_server::StorageCatalogServer;
use api::pb::task_runner::task_runner_server::TaskRunnerServer;
use prost::Message;
use prost_types::FileDescriptorSet;

const BEGIN: &str =
    "<!-- rpcs: made by a test of crates/seams/api; run it with UPDATE=1 after a change -->\n";
const END: &str = "<!-- end of rpcs -->\n";

/// The paths of all rpcs in a service's descriptors.
fn described<S: Described>() -> Vec<String> {
    let set = FileDescriptorSet::decode(S::DESCRIPTORS).expect("a set of descriptors");
    let services = set.file.iter().flat_map(|file| {
        let full = |name: &str| format!("{}.{name}", file.package());
        file.service.iter().map(move |one| (full(one.name()), one))
    });
    let methods = services.flat_map(|(name, service)| {
        let path = move |method: &str| format!("/{name}/{method}");
        service.method.iter().map(move |one| path(one.name()))
    });
    methods.collect()
}

fn rows(is_ours: bool) -> impl Iterator<Item = &'static Rpc> {
    let ours = move |rpc: &&Rpc| rpc.service.starts_with("ringkeep.") == is_ours;
    access::RPCS.iter().filter(ours)
}

#[test]
fn every_rpc_has_exactly_one_row_and_every_row_an_rpc() {
    let described: BTreeSet<String> = [
        described::<TaskRunnerServer<()>>(),
        described::<StorageCatalogServer<()>>(),
        described::<PlannerServer<()>>(),
        described::<NodeAgentServer<()>>(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rows_of_ours: Vec<String> = rows(true).map(Rpc::path).collect();
    let distinct: BTreeSet<String> = rows_of_ours.iter().cloned().collect();
    assert_eq!(rows_of_ours.len(), distinct.len(), "a row is there twice");
    let missing: Vec<&String> = described.difference(&distinct).collect();
    assert!(
        missing.is_empty(),
        "no row in crates/seams/api/src/access/table.rs says who may call {missing:#?}"
    );
    let too_many: Vec<&String> = distinct.difference(&described).collect();
    assert!(too_many.is_empty(), "rows without an rpc: {too_many:#?}");
    for rpc in access::RPCS {
        assert!(!rpc.roles.is_empty(), "{rpc:?}");
        assert_eq!(access::find(&rpc.path()), Some(rpc));
    }
}

fn page() -> String {
    let mut text = "\n| rpc | role | changes |\n|---|---|---|\n".to_owned();
    for rpc in rows(true).chain(rows(false)) {
        let service = rpc.service.strip_prefix("ringkeep.").unwrap_or(rpc.service);
        let changes = if rpc.changes { "yes" } else { "" };
        let roles = if rpc.roles.len() == access::Role::ALL.len() {
            "any".to_owned()
        } else {
            access::list(rpc.roles)
        };
        text += &format!("| `{service}/{}` | {roles} | {changes} |\n", rpc.method);
    }
    text + "\n"
}

#[test]
fn the_security_page_shows_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../SECURITY.md");
    let text = std::fs::read_to_string(&path).expect("SECURITY.md");
    let (before, rest) = text.split_once(BEGIN).expect("the line before the table");
    let (shown, after) = rest.split_once(END).expect("the line after the table");
    let expected = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("written");
    } else {
        assert_eq!(
            shown, expected,
            "run this test with UPDATE=1 and read the difference"
        );
    }
}
