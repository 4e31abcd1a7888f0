//! Compares the cluster with the one that a plan was made for.

use model::NodeDescription;
use model::plan::{NodePlan, StepKind};

use super::spec::RestoreSpec;
use crate::describe::{Described, describe_agreed, describe_all, fingerprints};
use crate::engine::{StepError, StepRun};

/// Compares nodes, ring and schema with those that the plan was made from. Only a node that replies can show that nothing has
/// changed, so one that does not is asked again.
pub(super) async fn check(spec: &RestoreSpec, step: &StepRun) -> Result<(), StepError> {
    let nodes = described(spec, step).await?;
    // After a schema step that was cut short the schema is another by this restore's own doing.
    let was_changed = step.was_attempted(StepKind::Schema);
    if was_changed {
        check_agreement(&nodes)?;
        check_tables(spec, &nodes)?;
    }
    for (node, ring) in nodes.iter().zip(fingerprints(&nodes)) {
        check_node(spec, node, &ring, was_changed)?;
    }
    Ok(())
}

fn check_node(
    spec: &RestoreSpec,
    node: &NodeDescription,
    ring: &str,
    schema_was_changed: bool,
) -> Result<(), StepError> {
    let outdated = |why: String| Err(StepError::PlanOutdated { why });
    let agent = &node.agent;
    let plan = spec.plan();
    let planned = plan.nodes.iter().find(|planned| planned.agent == *agent);
    let planned = planned
        .ok_or_else(|| StepError::incomplete(format!("agent {agent} is of none of its nodes")))?;
    if node.member.host_id != planned.host_id {
        return outdated(format!(
            "agent {agent} is of the node {}, the plan was made for {} there",
            node.member.host_id, planned.host_id
        ));
    }
    if ring != plan.target_ring {
        return outdated(format!("agent {agent} sees another ring than the plan"));
    }
    if !schema_was_changed && node.schema_version != plan.target_schema_version {
        return outdated(format!(
            "agent {agent} has schema version {}, the plan was made from {}",
            node.schema_version, plan.target_schema_version
        ));
    }
    Ok(())
}

/// Every node of the restore as it is now.
pub(super) async fn described(
    spec: &RestoreSpec,
    step: &StepRun,
) -> Result<Vec<NodeDescription>, StepError> {
    let nodes = spec.plan().nodes.iter();
    let agents: Vec<String> = nodes.map(|node| node.agent.clone()).collect();
    all_of(describe_agreed(&step.context, &agents).await)
}

/// The ring is the plan's also after the node has loaded: if a node joined or left meanwhile, rows are on nodes that do not own
/// them, or were streamed before they were there.
pub(super) async fn check_ring(
    spec: &RestoreSpec,
    step: &StepRun,
    node: &NodePlan,
) -> Result<(), StepError> {
    let agent = std::slice::from_ref(&node.agent);
    let nodes = all_of(describe_all(&step.context, agent).await)?;
    let ring = &spec.plan().target_ring;
    match fingerprints(&nodes).iter().all(|seen| seen == ring) {
        true => Ok(()),
        false => Err(StepError::PlanOutdated {
            why: format!(
                "agent {} has loaded, and sees another ring than the plan: a node joined or left meanwhile",
                node.agent
            ),
        }),
    }
}

fn all_of(described: Described) -> Result<Vec<NodeDescription>, StepError> {
    match described.unreachable.first() {
        None => Ok(described.nodes),
        Some(agent) => Err(StepError::unavailable(format!(
            "agent {}: {}",
            agent.agent, agent.reason
        ))),
    }
}

/// Each node is asked itself: what one node has heard of the others may be old.
pub(super) fn check_agreement(nodes: &[NodeDescription]) -> Result<(), StepError> {
    let Some(first) = nodes.first() else {
        return Ok(());
    };
    let differs = |node: &&NodeDescription| node.schema_version != first.schema_version;
    match nodes.iter().find(differs) {
        None => Ok(()),
        Some(node) => Err(StepError::unavailable(format!(
            "the nodes do not agree on a schema: agent {} has {}, agent {} has {}",
            first.agent, first.schema_version, node.agent, node.schema_version
        ))),
    }
}

/// A table that the plan fills or makes is the one of its id, or not there: what the schema step may drop to make it from
/// the start was made by this restore.
fn check_tables(spec: &RestoreSpec, nodes: &[NodeDescription]) -> Result<(), StepError> {
    for planned in spec.kept_or_made() {
        let found = nodes.iter().flat_map(|node| &node.tables);
        let mut of_name = found.filter(|table| table.table == planned.table);
        if let Some(other) = of_name.find(|table| table.id != planned.target_id) {
            return Err(StepError::PlanOutdated {
                why: format!(
                    "table {} has the id {}, and {} in the plan",
                    planned.table, other.id, planned.target_id
                ),
            });
        }
    }
    Ok(())
}
