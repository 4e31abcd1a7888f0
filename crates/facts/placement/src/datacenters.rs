//! Which datacenter of the source feeds which of the target, and so which groups of replicas are matched with each other.

use std::collections::BTreeSet;

use crate::{MappingError, Replication, Ring};

/// Pairs of a source and a target datacenter. One may feed several, and several one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatacenterMap {
    /// Each pair with the target first.
    pairs: BTreeSet<(String, String)>,
}

impl DatacenterMap {
    /// From pairs of source and target datacenter.
    pub fn new<S: Into<String>, T: Into<String>>(pairs: impl IntoIterator<Item = (S, T)>) -> Self {
        Self {
            pairs: pairs
                .into_iter()
                .map(|(source, target)| (target.into(), source.into()))
                .collect(),
        }
    }

    /// Each datacenter that both rings have feeds the one of its name.
    pub fn same_names(source: &Ring, target: &Ring) -> Self {
        let shared = target
            .datacenters()
            .iter()
            .filter(|name| source.datacenters().contains(name));
        Self::new(shared.map(|name| (name.as_str(), name.as_str())))
    }

    /// Whether the source datacenter feeds the target datacenter.
    pub fn feeds(&self, source: &str, target: &str) -> bool {
        self.pairs
            .iter()
            .any(|(to, from)| from == source && to == target)
    }

    fn refuse_unknown(&self, source: &Ring, target: &Ring) -> Result<(), MappingError> {
        for (to, from) in &self.pairs {
            for (ring, name, which) in [(source, from, "source"), (target, to, "target")] {
                if ring.datacenter_index(name).is_none() {
                    return Err(MappingError::UnknownDatacenter {
                        ring: which,
                        datacenter: name.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// Replicas that make a quorum among themselves: those of one datacenter, by its index, or those of the whole ring.
pub(crate) type Group = Option<usize>;

/// The groups in which a replication keeps replicas on a ring.
pub(crate) fn groups(ring: &Ring, replication: &Replication) -> Vec<Group> {
    match replication {
        Replication::NetworkTopology { datacenters } => ring
            .owning_datacenters()
            .filter(|name| datacenters.get(*name).is_some_and(|replicas| *replicas > 0))
            .map(|name| ring.datacenter_index(name))
            .collect(),
        Replication::Simple { replicas: 0 } | Replication::Local => Vec::new(),
        Replication::Simple { .. } | Replication::Everywhere => vec![None],
    }
}

/// For each group of the target, with the groups of the source that feed it.
pub(crate) fn feeding(
    (source, source_replication): (&Ring, &Replication),
    (target, target_replication): (&Ring, &Replication),
    datacenters: &DatacenterMap,
) -> Result<Vec<(Group, Vec<Group>)>, MappingError> {
    datacenters.refuse_unknown(source, target)?;
    let sources = groups(source, source_replication);
    let mut feeding = Vec::new();
    for to in groups(target, target_replication) {
        let feeds = |from: &Group| match (from, to) {
            (Some(from), Some(to)) => {
                datacenters.feeds(&source.datacenters()[*from], &target.datacenters()[to])
            }
            // Replicas can be matched by datacenter only if both sides replicate by datacenter.
            _ => true,
        };
        let from: Vec<Group> = sources.iter().copied().filter(feeds).collect();
        if let (Some(to), true) = (to, from.is_empty()) {
            return Err(MappingError::UnfedDatacenter(
                target.datacenters()[to].clone(),
            ));
        }
        feeding.push((to, from));
    }
    Ok(feeding)
}
