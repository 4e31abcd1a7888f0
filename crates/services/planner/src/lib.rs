//! The planner as a service: a thin gRPC face over the pure functions of [`plan`].
//!
//! It keeps nothing and calls no other service: everything that a plan depends on comes with the request.

mod config;
mod error;
mod grpc;

use api::client::{MESSAGE_BYTES_MAX, PLAN_MESSAGE_BYTES_MAX};
use api::pb::planner::planner_server::PlannerServer;

pub use config::Config;
pub use grpc::PlannerGrpc;

/// The service, ready to be served.
pub fn build() -> PlannerServer<PlannerGrpc> {
    PlannerServer::new(PlannerGrpc)
        .max_decoding_message_size(PLAN_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}
