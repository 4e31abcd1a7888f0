//! The descriptors of each service, for gRPC reflection.

use tonic::server::NamedService;

use crate::pb;

/// A gRPC service with the descriptors of its own file and of what that imports.
pub trait Described: NamedService {
    /// An encoded `FileDescriptorSet`.
    const DESCRIPTORS: &'static [u8];
}

macro_rules! describe {
    ($name:literal, $server:path) => {
        impl<T> Described for $server {
            const DESCRIPTORS: &'static [u8] =
                include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bin"));
        }
    };
}

describe!(
    "node_agent",
    pb::node_agent::node_agent_server::NodeAgentServer<T>
);
describe!(
    "storage_catalog",
    pb::storage_catalog::storage_catalog_server::StorageCatalogServer<T>
);
describe!("planner", pb::planner::planner_server::PlannerServer<T>);
describe!(
    "task_runner",
    pb::task_runner::task_runner_server::TaskRunnerServer<T>
);

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// The services that the descriptors describe.
    fn described<S: Described>() -> Vec<String> {
        let set = FileDescriptorSet::decode(S::DESCRIPTORS).expect("a set of descriptors");
        let services = set.file.iter().flat_map(|file| {
            let name = |service: &str| format!("{}.{service}", file.package());
            file.service.iter().map(move |one| name(one.name()))
        });
        services.collect()
    }

    #[test]
    fn each_service_brings_its_own_descriptors() {
        fn check<S: Described>() {
            let services = described::<S>();
            assert!(services.iter().any(|name| name == S::NAME), "{services:?}");
        }
        check::<pb::node_agent::node_agent_server::NodeAgentServer<()>>();
        check::<pb::storage_catalog::storage_catalog_server::StorageCatalogServer<()>>();
        check::<pb::planner::planner_server::PlannerServer<()>>();
        check::<pb::task_runner::task_runner_server::TaskRunnerServer<()>>();
    }
}
