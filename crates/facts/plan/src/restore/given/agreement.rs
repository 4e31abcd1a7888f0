//! Whether the backup and what was read of the target belong together.

use std::collections::BTreeMap;

use cassandra_formats::simple_name;

use super::inputs::Inputs;
use crate::findings::Findings;
use crate::{codes, wording};

/// The schema is read after the nodes are described: a change in between would go unseen.
pub(crate) fn check_schema_version(inputs: &Inputs, findings: &mut Findings) {
    let (request, cluster) = (inputs.request, &inputs.cluster);
    let read = &request.schema.version;
    let changed = cluster
        .nodes
        .iter()
        .any(|node| node.schema_version != *read);
    let agreed = cluster
        .nodes
        .windows(2)
        .all(|pair| pair[0].schema_version == pair[1].schema_version);
    // Nodes that disagree among themselves are reported as that.
    if changed && agreed {
        findings.say(
            codes::SCHEMA_DISAGREEMENT,
            &request.target,
            format!(
                "the schema was read at version {read}, and the nodes are at {}",
                cluster.nodes[0].schema_version
            ),
            "it changed in between: plan again",
        );
    }
}

pub(crate) fn check_partitioner(inputs: &Inputs, findings: &mut Findings) {
    let (backup, cluster) = (&inputs.request.backup, &inputs.cluster);
    let name = inputs.request.target.as_str();
    let source = simple_name(&backup.partitioner);
    let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &cluster.nodes {
        let target = simple_name(&node.partitioner);
        if source != target {
            others.entry(target).or_default().push(&node.member.address);
        }
    }
    for (target, nodes) in others {
        let nodes = wording::list(nodes);
        findings.say(
            codes::PARTITIONER_DIFFERS,
            name,
            format!("the backup places rows by {source}, and {nodes} by {target}"),
            format!("restore into a cluster with {source}"),
        );
    }
}
