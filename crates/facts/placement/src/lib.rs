//! Who holds which token range, and which node of a target cluster takes which ranges from which node of a source cluster, so that
//! what was readable at QUORUM stays readable at QUORUM. Placement is computed as Cassandra computes it; nothing is streamed or read.
//!
//! Members are named by their index in the ring that they were given in.

mod assign;
mod circle;
mod coverage;
mod datacenters;
mod map;
mod mapping;
mod matching;
mod pieces;
mod placed;
mod quorum;
mod replication;
mod ring;
mod spread;

pub use coverage::{Coverage, GroupCoverage, coverage};
pub use datacenters::DatacenterMap;
pub use map::{MappingError, Source, Target, map};
pub use mapping::{Mapping, Share};
pub use placed::Placement;
pub use quorum::quorum;
pub use replication::{Replication, ReplicationError};
pub use ring::{Ring, RingError};
pub use spread::{Load, Spread, Sstable};
