//! The rings of backup and target, ready to be asked who holds what.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_formats::token::Partitioner;
use model::manifest::BackupManifest;
use model::{HostId, RingMember};
use placement::Ring;

use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;

pub(super) struct Rings {
    pub source: Ring,
    pub target: Ring,
    /// The nodes whose data is in the backup, each with what it holds.
    pub stored_bytes: BTreeMap<HostId, u64>,
    pub available: BTreeSet<HostId>,
}

impl Rings {
    /// None where one of them is not understood, which is said, or where nothing is known of the target.
    pub fn of(backup: &BackupManifest, cluster: &Cluster, findings: &mut Findings) -> Option<Self> {
        let target = cluster.nodes.first()?;
        let target_members: Vec<RingMember> =
            cluster.ring.iter().map(|&member| member.clone()).collect();
        let source = ring("the backup", &backup.partitioner, &backup.ring, findings);
        let target = ring("the target", &target.partitioner, &target_members, findings);
        let stored_bytes: BTreeMap<HostId, u64> = backup
            .nodes
            .iter()
            .map(|node| (node.host_id, node.bytes))
            .collect();
        Some(Self {
            source: source?,
            target: target?,
            available: stored_bytes.keys().copied().collect(),
            stored_bytes,
        })
    }
}

fn ring(
    whose: &str,
    partitioner: &str,
    members: &[RingMember],
    findings: &mut Findings,
) -> Option<Ring> {
    let made = match Partitioner::of(partitioner) {
        Some(partitioner) => Ring::new(&partitioner, members).map_err(|error| error.to_string()),
        None => Err(format!("its partitioner {partitioner} is not known here")),
    };
    match made {
        Ok(ring) => Some(ring),
        Err(why) => {
            findings.say(
                codes::RING_NOT_UNDERSTOOD,
                whose,
                format!("who holds what on the ring of {whose} cannot be told: {why}"),
                "restore in place into a ring with the same tokens, datacenters and racks",
            );
            None
        }
    }
}
