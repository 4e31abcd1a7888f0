//! Who may call what: roles, one table of all rpcs, and the decision.
//!
//! A caller's roles are read from its certificate by the server; this module only decides. An rpc without a row may be
//! called by nobody, and a test fails until it has one.

mod named;
mod table;

use std::fmt;

pub use named::{Named, named_fields};
pub use table::RPCS;

/// Begins the URI in a certificate that names a role.
pub const ROLE_URI_PREFIX: &str = "ringkeep://role/";

/// What the holder of a certificate is. One certificate may name several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A person or a script that looks, and changes nothing.
    OperatorRead,
    /// A person or a script that registers clusters, makes, restores and deletes backups.
    OperatorWrite,
    /// The task-runner, the only service that calls others.
    Runner,
    /// The storage-catalog. It calls no service.
    Catalog,
    /// The planner. It calls no service.
    Planner,
    /// A node-agent. It calls no service.
    Agent,
}

impl Role {
    pub const ALL: &[Self] = &[
        Self::OperatorRead,
        Self::OperatorWrite,
        Self::Runner,
        Self::Catalog,
        Self::Planner,
        Self::Agent,
    ];

    /// The word for it in certificates, errors and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OperatorRead => "operator-read",
            Self::OperatorWrite => "operator-write",
            Self::Runner => "runner",
            Self::Catalog => "catalog",
            Self::Planner => "planner",
            Self::Agent => "agent",
        }
    }

    /// The role of this word, if there is one.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Roles as people read them: `runner, agent`.
pub fn list(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(", ")
}

/// One rpc, with who may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rpc {
    /// The service's name on the wire.
    pub service: &'static str,
    pub method: &'static str,
    pub roles: &'static [Role],
    /// Whether a call may change something, so that it is written to the audit log.
    pub changes: bool,
}

impl Rpc {
    /// The path of a call on the wire.
    pub fn path(&self) -> String {
        format!("/{}/{}", self.service, self.method)
    }
}

/// The row of a path such as `/ringkeep.planner.v1.Planner/PlanBackup`.
pub fn find(path: &str) -> Option<&'static Rpc> {
    let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
    RPCS.iter()
        .find(|rpc| rpc.method == method && rpc.service == service)
}

/// Why a caller may not make a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the certificate of the caller names no role, so it may call nothing")]
    NoRole { unknown: Vec<String> },
    #[error("{} may not be called with the role {}", .rpc.path(), list(.has))]
    OtherRole { rpc: &'static Rpc, has: Vec<Role> },
}

impl Refusal {
    /// Stable word for clients.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoRole { .. } => "NO_ROLE",
            Self::OtherRole { .. } => "ROLE_NOT_ALLOWED",
        }
    }

    /// What the operator can do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NoRole { unknown } if unknown.is_empty() => format!(
                "issue the certificate with a URI in its subject alternative names, such as \
                 {ROLE_URI_PREFIX}{}; roles are: {}",
                Role::OperatorRead,
                list(Role::ALL)
            ),
            Self::NoRole { unknown } => format!(
                "there is no role `{}`; roles are: {}",
                unknown.join("`, `"),
                list(Role::ALL)
            ),
            Self::OtherRole { rpc, .. } => {
                format!(
                    "call with a certificate of one of the roles: {}",
                    list(rpc.roles)
                )
            }
        }
    }
}

/// Whether a caller with these roles may make the call. `unknown` are words in its certificate that name no role.
pub fn check(rpc: &'static Rpc, roles: &[Role], unknown: &[String]) -> Result<(), Refusal> {
    if roles.is_empty() {
        return Err(Refusal::NoRole {
            unknown: unknown.to_vec(),
        });
    }
    if roles.iter().any(|role| rpc.roles.contains(role)) {
        Ok(())
    } else {
        Err(Refusal::OtherRole {
            rpc,
            has: roles.to_vec(),
        })
    }
}
