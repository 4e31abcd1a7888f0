//! What the agents' roles must be allowed for the statements of the plan.
//!
//! A role may do everything with what it has made, so that only what is there already counts.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::Release;
use model::cql::quote;
use model::plan::RestoreMode;
use model::{AgentRole, SchemaKind, Severity, TableRef};

use super::Asked;
use super::does::{Does, Verb};
use crate::findings::Findings;
use crate::{codes, wording};

const BUILT_VIEWS: &str = "system.built_views";
const BATCHES: &str = "system.batches";
const SETTINGS: &str = "system_views.settings";
/// Where a restore in place writes when a table was last truncated.
const LOCAL: &str = "system.local";
/// What the tables of Cassandra itself are in.
const SYSTEM: [&str; 2] = ["<all tables in system>", "<keyspace system>"];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Resource {
    AllKeyspaces,
    /// The keyspace, or all tables in it.
    Keyspace(String),
    Functions(String),
    Table(TableRef),
}

/// A permission on something.
type Need = (&'static str, Resource);

pub(super) fn check(asked: &Asked, findings: &mut Findings) {
    let needs: BTreeSet<Need> = asked
        .statements
        .iter()
        .flat_map(|does| need(asked, does))
        .collect();
    let makes_views = asked
        .statements
        .iter()
        .any(|does| does.verb == Verb::CreateView);
    let mut roles: BTreeMap<&str, (&AgentRole, Vec<&str>)> = BTreeMap::new();
    for node in asked.nodes() {
        let Some(role) = &node.setup.role else {
            continue;
        };
        let (_, nodes) = roles.entry(&role.name).or_insert((role, Vec::new()));
        nodes.push(&node.member.address);
    }
    check_records(asked, findings);
    if makes_views {
        check_forgetting(asked, findings);
    }
    for (name, (role, nodes)) in roles {
        let nodes = wording::list(nodes);
        say_missing(name, role, &nodes, &needs, findings);
        let unreadable = |table: &str| role.unreadable.iter().any(|it| it == table);
        let grant = |table: &str| format!("GRANT SELECT ON {table} TO {}", quote(name));
        if makes_views && unreadable(BUILT_VIEWS) {
            findings.say(
                codes::GRANT_MISSING,
                name,
                format!("the role {name} of the agents beside {nodes} may not read {BUILT_VIEWS}, which shows when the views are built"),
                grant(BUILT_VIEWS),
            );
        }
        if makes_views && unreadable(BATCHES) {
            findings.say_as(
                Severity::Warning,
                codes::GRANT_MISSING,
                name,
                format!("the role {name} of the agents beside {nodes} may not read {BATCHES}: the restore may end before the last rows of its views are on their nodes"),
                grant(BATCHES),
            );
        }
        if unreadable(SETTINGS) {
            findings.say_as(
                Severity::Warning,
                codes::GRANT_MISSING,
                name,
                format!("the role {name} of the agents beside {nodes} may not read {SETTINGS}: what the nodes refuse is taken from cassandra.yaml, which may have changed since they started"),
                grant(SETTINGS),
            );
        }
    }
}

/// A restore in place writes truncation records before it stops the nodes, and could go no further without.
fn check_records(asked: &Asked, findings: &mut Findings) {
    if asked.given.inputs.mode != RestoreMode::InPlace || asked.decided.is_empty() {
        return;
    }
    for ((name, by_grant), nodes) in may_not_write(asked, LOCAL) {
        findings.say(
            codes::GRANT_MISSING,
            name,
            format!(
                "the role {name} of the agents beside {} may not write to {LOCAL}, which keeps writes from after the restore point out of the restored tables",
                wording::list(nodes)
            ),
            way_to_records(name, by_grant),
        );
    }
}

/// Of more than one node, each forgets that it has built the views, and builds them again: what it sends while it builds them
/// first, a node that learns of them at that moment takes without keeping it.
fn check_forgetting(asked: &Asked, findings: &mut Findings) {
    if asked.nodes().len() < 2 {
        return;
    }
    for ((name, by_grant), nodes) in may_not_write(asked, BUILT_VIEWS) {
        findings.say_as(
            Severity::Warning,
            codes::GRANT_MISSING,
            name,
            format!(
                "the role {name} of the agents beside {} may not write to {BUILT_VIEWS}: Cassandra builds the views only once then, and rows of them may be lost",
                wording::list(nodes)
            ),
            way_to_records(name, by_grant),
        );
    }
}

/// The nodes whose role may not write to this table of Cassandra's own, by the role and by whether a grant would help.
fn may_not_write<'a>(asked: &Asked<'a>, table: &str) -> BTreeMap<(&'a str, bool), Vec<&'a str>> {
    let mut lacking: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
    for node in asked.nodes() {
        if let Some(role) = &node.setup.role
            && !may_write(role, &node.release, table)
        {
            let by_grant = node.release.all_keyspaces_include_its_own();
            let nodes = lacking.entry((&role.name, by_grant)).or_default();
            nodes.push(&node.member.address);
        }
    }
    lacking
}

/// Cassandra refuses to grant MODIFY on its own keyspaces, so that only what covers them by itself is left.
fn way_to_records(name: &str, by_grant: bool) -> String {
    let name = quote(name);
    if by_grant {
        format!("GRANT MODIFY ON ALL KEYSPACES TO {name}")
    } else {
        format!(
            "for the time of the restore, as a superuser: ALTER ROLE {name} WITH SUPERUSER = true"
        )
    }
}

fn may_write(role: &AgentRole, release: &Release, table: &str) -> bool {
    let Some(grants) = &role.grants else {
        return true;
    };
    let itself = format!("<table {table}>");
    let covers = |resource: &str| {
        resource == itself
            || SYSTEM.contains(&resource)
            || resource == "<all keyspaces>" && release.all_keyspaces_include_its_own()
    };
    let mut on_it = grants.iter().filter(|grant| covers(&grant.resource));
    role.superuser == Some(true)
        || on_it.any(|grant| grant.permissions.iter().any(|it| it == "MODIFY"))
}

fn say_missing(
    name: &str,
    role: &AgentRole,
    nodes: &str,
    needs: &BTreeSet<Need>,
    findings: &mut Findings,
) {
    let mut lacking: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut hints: BTreeSet<String> = BTreeSet::new();
    for (permission, resource) in needs {
        if role.superuser == Some(true) || resource.is_granted(role, permission) {
            continue;
        }
        lacking
            .entry(permission)
            .or_default()
            .push(resource.in_words());
        hints.insert(format!(
            "GRANT {permission} ON {} TO {}",
            resource.to_grant(),
            quote(name)
        ));
    }
    if lacking.is_empty() {
        return;
    }
    let lacking: Vec<String> = lacking
        .into_iter()
        .map(|(permission, on)| format!("{permission} on {}", wording::list(on)))
        .collect();
    findings.say(
        codes::GRANT_MISSING,
        name,
        format!(
            "the role {name} of the agents beside {nodes} lacks {}",
            lacking.join("; ")
        ),
        Vec::from_iter(hints).join("; "),
    );
}

fn need(asked: &Asked, does: &Does) -> Option<Need> {
    let live = &asked.given.live;
    let keyspace = &does.name.keyspace;
    let in_live = |resource: Resource| live.keyspace(keyspace).map(|_| ("CREATE", resource));
    match does.verb {
        Verb::CreateKeyspace => Some(("CREATE", Resource::AllKeyspaces)),
        Verb::CreateTable | Verb::CreateType => in_live(Resource::Keyspace(keyspace.clone())),
        Verb::CreateFunction | Verb::CreateAggregate => {
            in_live(Resource::Functions(keyspace.clone()))
        }
        Verb::DropTable => on_table(asked, "DROP", &does.name, true),
        Verb::Truncate => on_table(asked, "MODIFY", &does.name, false),
        Verb::CreateIndex | Verb::CreateView | Verb::AlterColumns => {
            on_table(asked, "ALTER", &does.on, false)
        }
        Verb::AlterOptions => on_table(asked, "ALTER", &base_of(asked, &does.name), false),
        Verb::DropView => on_table(asked, "ALTER", &base_of(asked, &does.name), true),
        Verb::DropIndex => {
            let index = live.find(SchemaKind::Index, keyspace, &does.name.table)?;
            let base = TableRef::new(keyspace, &index.base_table);
            on_table(asked, "ALTER", &base, false)
        }
        Verb::Other => None,
    }
}

/// Of a live view its table; else the table itself.
fn base_of(asked: &Asked, name: &TableRef) -> TableRef {
    let view = asked
        .given
        .live
        .find(SchemaKind::View, &name.keyspace, &name.table);
    view.map_or_else(
        || name.clone(),
        |view| TableRef::new(&name.keyspace, &view.base_table),
    )
}

/// A need on a live table. One that is dropped and made again is the role's own by then, unless this comes `first`.
fn on_table(
    asked: &Asked,
    permission: &'static str,
    table: &TableRef,
    first: bool,
) -> Option<Need> {
    let live = &asked.given.live;
    live.find(SchemaKind::Table, &table.keyspace, &table.table)?;
    let is_own = asked
        .decided
        .iter()
        .any(|it| it.plan.table == *table && it.is_made());
    (first || !is_own).then(|| (permission, Resource::Table(table.clone())))
}

impl Resource {
    /// Whether the role has this permission on it, or on what it is in. A role whose grants are not known is taken to.
    fn is_granted(&self, role: &AgentRole, permission: &str) -> bool {
        let Some(grants) = &role.grants else {
            return true;
        };
        let within = self.within();
        grants.iter().any(|grant| {
            within.contains(&grant.resource) && grant.permissions.iter().any(|it| it == permission)
        })
    }

    /// Itself and what it is in, as Cassandra names them.
    fn within(&self) -> Vec<String> {
        let of_keyspace = |name: &str| {
            vec![
                format!("<all tables in {name}>"),
                format!("<keyspace {name}>"),
                "<all keyspaces>".to_owned(),
            ]
        };
        match self {
            Self::AllKeyspaces => vec!["<all keyspaces>".to_owned()],
            Self::Keyspace(name) => of_keyspace(name),
            Self::Functions(name) => vec![
                format!("<all functions in {name}>"),
                "<all functions>".to_owned(),
            ],
            Self::Table(table) => {
                let mut within = of_keyspace(&table.keyspace);
                within.push(format!("<table {table}>"));
                within
            }
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::AllKeyspaces => "all keyspaces".to_owned(),
            Self::Keyspace(name) => format!("the keyspace {name}"),
            Self::Functions(name) => format!("all functions in {name}"),
            Self::Table(table) => table.to_string(),
        }
    }

    /// What a GRANT names: of tables their keyspace, so that one statement is enough for all of them.
    fn to_grant(&self) -> String {
        match self {
            Self::AllKeyspaces => "ALL KEYSPACES".to_owned(),
            Self::Keyspace(name) => format!("KEYSPACE {}", quote(name)),
            Self::Functions(name) => format!("ALL FUNCTIONS IN KEYSPACE {}", quote(name)),
            Self::Table(table) => format!("KEYSPACE {}", quote(&table.keyspace)),
        }
    }
}
