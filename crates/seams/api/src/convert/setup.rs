//! How a node is set up, between wire and model.

use model::{AgentRole, Grant, NodeSetup};

use super::all_into;
use crate::pb::types as pb;

impl From<NodeSetup> for pb::NodeSetup {
    fn from(setup: NodeSetup) -> Self {
        Self {
            settings: setup.settings.into_iter().collect(),
            role: setup.role.map(pb::AgentRole::from),
        }
    }
}

impl From<pb::NodeSetup> for NodeSetup {
    fn from(setup: pb::NodeSetup) -> Self {
        Self {
            settings: setup.settings.into_iter().collect(),
            role: setup.role.map(AgentRole::from),
        }
    }
}

impl From<AgentRole> for pb::AgentRole {
    fn from(role: AgentRole) -> Self {
        Self {
            name: role.name,
            superuser: role.superuser,
            grants_known: role.grants.is_some(),
            grants: all_into(role.grants.unwrap_or_default()),
            unreadable: role.unreadable,
        }
    }
}

impl From<pb::AgentRole> for AgentRole {
    fn from(role: pb::AgentRole) -> Self {
        Self {
            name: role.name,
            superuser: role.superuser,
            grants: role.grants_known.then(|| all_into(role.grants)),
            unreadable: role.unreadable,
        }
    }
}

impl From<Grant> for pb::Grant {
    fn from(grant: Grant) -> Self {
        Self {
            resource: grant.resource,
            permissions: grant.permissions,
        }
    }
}

impl From<pb::Grant> for Grant {
    fn from(grant: pb::Grant) -> Self {
        Self {
            resource: grant.resource,
            permissions: grant.permissions,
        }
    }
}
