//! Fakes of the ports: CQL as canned rows, recordings of real nodes, a Cassandra that lives on disk only, and its
//! process.

mod control;
mod cql;
mod node;
mod process;
mod replayed;

pub use control::{FakeControl, Misbehaviour, Upgrades};
pub use cql::FakeCql;
pub use node::FakeCassandra;
pub use process::FakeProcess;
pub use replayed::ReplayedCql;
