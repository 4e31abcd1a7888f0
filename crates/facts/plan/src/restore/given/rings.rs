//! The rings of backup and target, ready to be asked who holds what.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::Partitioner;
use model::manifest::BackupManifest;
use model::{HostId, RingMember};
use placement::Ring;

use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;

pub(crate) struct Rings {
    pub source: Ring,
    pub target: Ring,
    /// The nodes whose data is in the backup, each with what it holds.
    pub stored_bytes: BTreeMap<HostId, u64>,
    pub available: BTreeSet<HostId>,
}

/// Why it is not known who holds what on a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotUnderstood {
    /// `the backup`, `the target`, or both.
    whose: &'static str,
    why: String,
}

impl NotUnderstood {
    pub fn say(&self, findings: &mut Findings) {
        let Self { whose, why } = self;
        findings.say(
            codes::RING_NOT_UNDERSTOOD,
            whose,
            format!("who holds what on the ring of {whose} is not known: {why}"),
            "restore the whole backup into a ring with the same tokens, datacenters and racks",
        );
    }
}

impl Rings {
    /// Rings that are not understood stand against a restore only if data is moved by ranges. If nothing is known of the
    /// target, that is reported already.
    pub fn of(backup: &BackupManifest, cluster: &Cluster) -> Result<Self, Vec<NotUnderstood>> {
        let Some(target) = cluster.nodes.first() else {
            return Err(Vec::new());
        };
        let members: Vec<RingMember> = cluster.ring.iter().map(|&member| member.clone()).collect();
        let source = ring("the backup", &backup.partitioner, &backup.ring);
        let target = ring("the target", &target.partitioner, &members);
        let (source, target) = match (source, target) {
            (Ok(source), Ok(target)) => (source, target),
            (Err(source), Err(target)) if source.why == target.why => {
                return Err(vec![NotUnderstood {
                    whose: "backup and target",
                    ..source
                }]);
            }
            (source, target) => {
                return Err([source.err(), target.err()].into_iter().flatten().collect());
            }
        };
        let stored_bytes: BTreeMap<HostId, u64> = backup
            .nodes
            .iter()
            .map(|node| (node.host_id, node.bytes))
            .collect();
        Ok(Self {
            source,
            target,
            available: stored_bytes.keys().copied().collect(),
            stored_bytes,
        })
    }
}

fn ring(
    whose: &'static str,
    partitioner: &str,
    members: &[RingMember],
) -> Result<Ring, NotUnderstood> {
    let made = match Partitioner::of(partitioner) {
        Some(partitioner) => Ring::new(&partitioner, members).map_err(|error| error.to_string()),
        None => Err(format!("its partitioner {partitioner} is not known here")),
    };
    made.map_err(|why| NotUnderstood { whose, why })
}
