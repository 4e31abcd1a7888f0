//! Guardrails of the target's nodes that refuse what the plan does.
//!
//! They hold for every role that is no superuser, and for none where the node asks for no login.

use std::collections::BTreeMap;

use model::{AgentRole, NodeDescription, Severity};

use super::{Asked, limits, switches};
use crate::findings::Findings;
use crate::{codes, wording};

/// A setting, and what it refuses.
pub(super) struct Guardrail {
    /// As Cassandra calls it, and DSE and HCD below `guardrails`.
    pub settings: &'static [&'static str],
    /// What is refused, for people.
    pub what: &'static str,
    /// The part of the plan that is refused at this value.
    pub refused: fn(&Asked, &str) -> Vec<String>,
}

/// One setting of one value, with what it refuses.
type Case<'a> = (&'a str, &'a str, &'static str, Vec<String>);

pub(super) fn check(asked: &Asked, findings: &mut Findings) {
    let held: Vec<(&NodeDescription, &AgentRole)> = asked
        .nodes()
        .iter()
        .filter_map(|node| Some((*node, node.setup.role.as_ref()?)))
        .filter(|(_, role)| role.superuser != Some(true))
        .collect();
    let mut met: BTreeMap<Case, Vec<(&str, &AgentRole)>> = BTreeMap::new();
    for guardrail in switches::ALL.iter().chain(limits::ALL) {
        let mut known: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (node, role) in &held {
            let Some((name, value)) = node.setup.setting(guardrail.settings) else {
                continue;
            };
            let refused = known
                .entry(value)
                .or_insert_with(|| (guardrail.refused)(asked, value));
            if !refused.is_empty() {
                let case = (name, value, guardrail.what, refused.clone());
                met.entry(case)
                    .or_default()
                    .push((&node.member.address, *role));
            }
        }
    }
    for ((name, value, what, refused), nodes) in met {
        let addresses = wording::list(nodes.iter().map(|(address, _)| *address));
        let role = nodes[0].1;
        let sure = nodes.iter().any(|(_, role)| role.superuser == Some(false));
        let severity = match sure {
            true => Severity::Refusal,
            false => Severity::Warning,
        };
        findings.say_as(
            severity,
            codes::GUARDRAIL_REFUSES,
            name,
            format!(
                "`{name}: {value}` on {addresses} refuses {what} to the role {}{}: {}",
                role.name,
                if sure { "" } else { ", unless that is a superuser" },
                wording::list(refused)
            ),
            format!("change `{name}` on {addresses}, by `nodetool setguardrailsconfig` or cassandra.yaml, or let the agents log in as a superuser; and plan again"),
        );
    }
}
