//! Whole paths on the real thing: real Cassandra, real S3, the binaries that users run.
//!
//! A [`World`] is a Cassandra cluster from the lab with Ringkeep beside it, as one process or as four services and agents.
//! Everything goes through the command line, as a user would.

mod binaries;
pub mod chaos;
mod cli;
mod deployment;
mod indexes;
mod ingress;
pub mod killed;
pub mod moving;
mod process;
mod world;

pub use cli::{Answer, Cli};
pub use deployment::{Deployment, Extras, Shape, Store};
pub use indexes::check_indexes;
pub use process::Process;
pub use world::{
    CLUSTER, World, WorldBuilder, assert_differ, assert_same, folder_objects, until_final,
    until_step,
};
