//! A node of fakes for this crate's tests, with an agent and a bucket.

mod bucket;
pub mod lives;
mod node;

pub use cassandra_node::testing::Misbehaviour;
pub use node::{FakeNode, TableFolder, fixture, statistics};
