//! Which nodes of a cluster a maintenance task is about, in which order, and what stands against it.

use std::collections::{BTreeMap, BTreeSet};

use model::{MaintenanceCommand, MaintenanceJob, NodeDescription, RingMember};

use super::spec::MaintainedNode;
use super::start::NewMaintenance;
use crate::describe::Described;

/// The nodes of each rack, or every reason why nothing is started.
pub(super) fn select(
    new: &NewMaintenance,
    described: &Described,
) -> Result<Vec<Vec<MaintainedNode>>, Vec<String>> {
    let Some(first) = described.nodes.first() else {
        let agents = described.unreachable.iter();
        return Err(agents
            .map(|agent| format!("agent {}: {}", agent.agent, agent.reason))
            .collect());
    };
    let ring = &first.ring;
    let mut problems = unknown(new, ring);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut racks = Vec::new();
    for ((_, rack), members) in by_rack(new, ring) {
        let mut nodes = Vec::with_capacity(members.len());
        for member in members {
            match described
                .nodes
                .iter()
                .find(|node| node.member.host_id == member.host_id)
            {
                None => problems.push(format!(
                    "node {} of rack {rack} is described by no agent",
                    member.address
                )),
                Some(node) => {
                    problems.extend(unfit(new, node));
                    nodes.push(MaintainedNode {
                        host_id: member.host_id,
                        address: member.address.clone(),
                        agent: node.agent.clone(),
                    });
                }
            }
        }
        racks.push(nodes);
    }
    if racks.iter().all(Vec::is_empty) && problems.is_empty() {
        problems.push("no node is in both the datacenters and the racks that are named".into());
    }
    if problems.is_empty() {
        return Ok(racks);
    }
    // An agent that does not reply may be the one of a node that is missing.
    let unreachable = described.unreachable.iter();
    problems.extend(unreachable.map(|agent| format!("agent {}: {}", agent.agent, agent.reason)));
    Err(problems)
}

/// Names that are in no node of the ring, with those that are.
fn unknown(new: &NewMaintenance, ring: &[RingMember]) -> Vec<String> {
    let datacenters = datacenters(ring);
    let racks: BTreeSet<&str> = ring.iter().map(|member| member.rack.as_str()).collect();
    let list = |known: &BTreeSet<&str>| Vec::from_iter(known.iter().copied()).join(", ");
    let mut problems = Vec::new();
    for name in &new.datacenters {
        if !datacenters.contains(name.as_str()) {
            let known = list(&datacenters);
            problems.push(format!(
                "there is no datacenter `{name}`; there are {known}"
            ));
        }
    }
    for name in &new.racks {
        if !racks.contains(name.as_str()) {
            let known = list(&racks);
            problems.push(format!("there is no rack `{name}`; there are {known}"));
        }
    }
    for job in &new.jobs {
        let sources = job.args.source_datacenter.iter();
        for source in sources.filter(|source| !datacenters.contains(source.as_str())) {
            let known = list(&datacenters);
            problems.push(format!(
                "there is no datacenter `{source}` to rebuild from; there are {known}"
            ));
        }
    }
    problems
}

pub(super) fn datacenters(ring: &[RingMember]) -> BTreeSet<&str> {
    let each = ring.iter().map(|member| member.datacenter.as_str());
    each.collect()
}

/// Members by datacenter, in the order in which they are named or else by name, and by rack; within it by address.
fn by_rack<'a>(
    new: &NewMaintenance,
    ring: &'a [RingMember],
) -> BTreeMap<(usize, &'a str), Vec<&'a RingMember>> {
    let names: Vec<&str> = match new.datacenters.is_empty() {
        true => datacenters(ring).into_iter().collect(),
        false => new.datacenters.iter().map(String::as_str).collect(),
    };
    let mut racks: BTreeMap<(usize, &str), Vec<&RingMember>> = BTreeMap::new();
    for member in ring {
        let place = names.iter().position(|name| *name == member.datacenter);
        let is_meant = new.racks.is_empty() || new.racks.contains(&member.rack);
        if let Some(place) = place.filter(|_| is_meant) {
            let rack = racks.entry((place, &member.rack)).or_default();
            rack.push(member);
        }
    }
    for members in racks.values_mut() {
        members.sort_by(|a, b| a.address.cmp(&b.address));
    }
    racks
}

/// Why a node cannot do what is asked for.
fn unfit(new: &NewMaintenance, node: &NodeDescription) -> Vec<String> {
    let (address, mut problems) = (&node.member.address, Vec::new());
    if !node.unhealthy.is_empty() {
        problems.push(format!("node {address}: {}", node.unhealthy));
    }
    for job in &new.jobs {
        match job.command {
            MaintenanceCommand::Restart if !node.can_restart => problems.push(format!(
                "node {address} cannot be restarted: its agent has no start_command and stop_command"
            )),
            MaintenanceCommand::Rebuild
                if job.args.source_datacenter.as_ref() == Some(&node.member.datacenter) =>
            {
                problems.push(format!(
                    "node {address} is itself in datacenter {}, and is not rebuilt from it",
                    node.member.datacenter
                ));
            }
            _ => {}
        }
    }
    problems
}

/// Repairs of which it was not said whether they are for primary ranges: only if every node of the ring is repaired do these
/// make up all ranges, and then no range is repaired twice.
pub(super) fn decide_ranges(
    new: &NewMaintenance,
    nodes: usize,
    ring: usize,
) -> Result<Vec<MaintenanceJob>, String> {
    let is_all = nodes == ring;
    let mut jobs = new.jobs.clone();
    for job in jobs
        .iter_mut()
        .filter(|job| job.command == MaintenanceCommand::Repair)
    {
        if job.args.primary_range == Some(true) && !is_all {
            return Err(
                "a repair of primary ranges is one of all nodes of all datacenters: name no datacenter and no rack, or leave primary_range out"
                    .to_owned(),
            );
        }
        job.args.primary_range.get_or_insert(is_all);
    }
    Ok(jobs)
}
