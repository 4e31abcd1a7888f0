//! The Cassandra node on this host: what an agent asks of its process, and what is in its folders.
//!
//! - [`CassandraNode`] joins the ports to one node: [`Cql`] for statements, [`CassandraControl`] for snapshots, loading and
//!   draining, [`CassandraProcess`] for starting and stopping. Each port has its adapter beside it: the scylla driver,
//!   nodetool, and configured commands.
//! - [`lifecycle`] starts and stops the process and determines whether it is up or down.
//! - [`clients`] cuts clients off and lets them in again; [`truncation`] keeps what came before a moment from returning.
//! - [`yaml`] reads cassandra.yaml; [`folders`], [`sstables`], [`commit_log`] and [`hints`] read what is on disk;
//!   [`files`] is what they share.
//! - [`ring`], [`gossip`], [`role`], [`tables`], [`schema`], [`settings`] and [`keys`] read what the node reports of itself;
//!   [`statements`] runs the CQL of a plan.
//!
//! Errors implement [`NodeError`]: a kind from a closed set, a stable reason, a hint. The `testing` feature adds fakes of the
//! ports. Nothing here knows backups or the wire.

#![warn(missing_docs)]

pub mod clients;
pub mod commit_log;
mod config;
pub mod control;
pub mod cql;
mod error;
pub mod files;
pub mod folders;
pub mod gossip;
pub mod held_folder;
pub mod hints;
pub mod keys;
pub mod lifecycle;
mod node;
pub mod process;
pub mod ring;
pub mod role;
pub mod schema;
pub mod settings;
mod signs;
pub mod sstables;
pub mod statements;
mod switches;
pub mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod truncation;
pub mod yaml;

pub use config::{CassandraConfig, CqlTls, ProductError};
pub use control::{CassandraControl, ControlError};
pub use cql::{Cql, CqlError};
pub use error::{ErrorKind, NodeError};
pub use node::{CassandraNode, OpenError};
pub use process::{CassandraProcess, ProcessError};
