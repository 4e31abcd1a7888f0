//! Which nodes hold which token range, and which node of a target cluster takes which ranges from which node of a
//! source cluster, so that what was readable at QUORUM stays readable at QUORUM. Placement is computed as Cassandra
//! computes it. The crate does no I/O.
//!
//! A member of a ring is referred to by its index in the list that the ring was built from.
//!
//! ```
//! use std::collections::{BTreeMap, BTreeSet};
//! use cassandra_tokens::Partitioner;
//! use model::{HostId, RingMember};
//! use placement::{DatacenterMap, Replication, Ring, Source, Target, map};
//!
//! let node = |nth: u32, token: &str| RingMember {
//!     host_id: format!("00000000-0000-0000-0000-00000000000{nth}").parse().expect("a UUID"),
//!     address: format!("10.0.0.{nth}"),
//!     datacenter: "dc1".into(),
//!     rack: "r1".into(),
//!     tokens: vec![token.into()],
//! };
//! // Two nodes were backed up, and are restored into three.
//! let backup = Ring::new(&Partitioner::Murmur3, &[node(1, "-100"), node(2, "100")])?;
//! let live = Ring::new(&Partitioner::Murmur3, &[node(3, "-200"), node(4, "0"), node(5, "200")])?;
//! let once = Replication::NetworkTopology { datacenters: BTreeMap::from([("dc1".into(), 1)]) };
//!
//! let available: BTreeSet<HostId> = (0..backup.len()).map(|member| backup.host_id(member)).collect();
//! let mapping = map(
//!     &Source { ring: &backup, replication: &once, available: &available, stored_bytes: &BTreeMap::new() },
//!     &Target { ring: &live, replication: &once },
//!     &DatacenterMap::same_names(&backup, &live),
//! )?;
//!
//! // The node that ends its range at 0 takes (-200, -100] from the first node and (-100, 0] from the second.
//! let shares: Vec<(usize, String)> = mapping
//!     .shares_of(1)
//!     .iter()
//!     .flat_map(|share| share.ranges.iter().map(|range| (share.source, format!("{}..{}", range.left, range.right))))
//!     .collect();
//! assert_eq!(shares, [(0, "-200..-100".to_owned()), (1, "-100..0".to_owned())]);
//! assert!(mapping.without_source().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

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
