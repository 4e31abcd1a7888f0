//! The wire: generated protobuf, conversions to the model, the one error contract, and clients.
//!
//! Wire types become model types at the edge, in [`convert`]; past it nothing that is required is optional.

pub mod access;
pub mod client;
pub mod clients;
pub mod convert;
mod described;
pub mod error;
pub mod fence;
pub mod level;

pub use described::Described;
pub use error::{ErrorKind, Origin, RemoteError, ServiceError, status};

/// Generated code, one module for each package.
pub mod pb {
    pub mod types {
        pub mod v1 {
            tonic::include_proto!("ringkeep.types.v1");
        }
        pub use v1::*;
    }
    pub mod node_agent {
        pub mod v1 {
            tonic::include_proto!("ringkeep.node_agent.v1");
        }
        pub use v1::*;
    }
    pub mod storage_catalog {
        pub mod v1 {
            tonic::include_proto!("ringkeep.storage_catalog.v1");
        }
        pub use v1::*;
    }
    pub mod planner {
        pub mod v1 {
            tonic::include_proto!("ringkeep.planner.v1");
        }
        pub use v1::*;
    }
    pub mod task_runner {
        pub mod v1 {
            tonic::include_proto!("ringkeep.task_runner.v1");
        }
        pub use v1::*;
    }
}
