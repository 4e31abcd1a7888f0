//! The parts of a command that are done one after the other: tables, keyspaces, or the node as a whole.

use std::collections::BTreeMap;
use std::fmt;

use cassandra_node::control::Maintenance;
use cassandra_node::tables::{self, Table};
use model::selection::is_user_keyspace;
use model::{MaintenanceCommand, MaintenanceJob, TRIAL_KEYSPACE_PREFIX, TableId};

use super::MaintenanceError;
use crate::agent::Agent;

/// Keyspaces of the product that are replicated like those of users.
const REPLICATED: [&str; 3] = ["system_auth", "system_distributed", "system_traces"];

/// A part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    Upgrade(Table),
    Refresh(Table),
    OnTable(Table, Maintenance),
    OnNode(Maintenance),
}

impl Unit {
    /// The table that it is about; none if it may be about any.
    pub fn table_id(&self) -> Option<TableId> {
        match self {
            Self::Upgrade(table) | Self::Refresh(table) | Self::OnTable(table, _) => Some(table.id),
            Self::OnNode(_) => None,
        }
    }
}

/// Its name among those of its step.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upgrade(table) | Self::Refresh(table) => table.table.fmt(f),
            Self::OnTable(_, operation) | Self::OnNode(operation) => operation.fmt(f),
        }
    }
}

/// The parts of a job on this node. All that it names must be there.
pub async fn of(agent: &Agent, job: &MaintenanceJob) -> Result<Vec<Unit>, MaintenanceError> {
    if job.command == MaintenanceCommand::Rebuild {
        return Ok(rebuilds(job));
    }
    let mut tables = tables::select_all(&*agent.node.cql, &job.selection).await?;
    if job.selection.is_everything() {
        tables.retain(|table| is_meant(job.command, &table.table.keyspace));
    }
    if job.command == MaintenanceCommand::Repair {
        let is_named = |table: &&Table| job.selection.tables.contains(&table.table);
        let mut views = tables.iter().filter(|table| table.view_of.is_some());
        if let Some(view) = views.find(is_named) {
            return Err(MaintenanceError::IsView(view.table.clone()));
        }
        return Ok(repairs(job, &tables));
    }
    Ok(tables.into_iter().map(|table| unit(job, table)).collect())
}

/// Whether a keyspace is one of everything.
fn is_meant(command: MaintenanceCommand, keyspace: &str) -> bool {
    use MaintenanceCommand as C;
    match command {
        C::UpgradeSstables => !keyspace.starts_with(TRIAL_KEYSPACE_PREFIX),
        C::Cleanup | C::Repair => is_user_keyspace(keyspace) || REPLICATED.contains(&keyspace),
        _ => is_user_keyspace(keyspace),
    }
}

fn unit(job: &MaintenanceJob, of: Table) -> Unit {
    use MaintenanceCommand as C;
    let (args, table) = (&job.args, of.table.clone());
    let jobs = args.jobs;
    let operation = match job.command {
        C::UpgradeSstables => return Unit::Upgrade(of),
        C::Refresh => return Unit::Refresh(of),
        C::Cleanup => Maintenance::Cleanup { table, jobs },
        C::Scrub => Maintenance::Scrub {
            table,
            jobs,
            no_validate: args.no_validate,
            no_snapshot: args.no_snapshot,
            skip_corrupted: args.skip_corrupted,
        },
        C::Compact => Maintenance::Compact {
            table,
            split_output: args.split_output,
            tokens: args.start_token.clone().zip(args.end_token.clone()),
        },
        C::Flush => Maintenance::Flush { table },
        C::GarbageCollect => Maintenance::GarbageCollect { table, jobs },
        C::Rebuild | C::Repair | C::Restart => unreachable!("they have no part for a table"),
    };
    Unit::OnTable(of, operation)
}

fn rebuilds(job: &MaintenanceJob) -> Vec<Unit> {
    let source_datacenter = job.args.source_datacenter.clone().unwrap_or_default();
    let rebuild = |keyspace| {
        Unit::OnNode(Maintenance::Rebuild {
            source_datacenter: source_datacenter.clone(),
            keyspace,
        })
    };
    match job.selection.keyspaces.as_slice() {
        [] => vec![rebuild(None)],
        keyspaces => keyspaces.iter().cloned().map(Some).map(rebuild).collect(),
    }
}

/// One for each keyspace. Views are repaired with what they are views of.
fn repairs(job: &MaintenanceJob, tables: &[Table]) -> Vec<Unit> {
    let mut keyspaces: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for table in tables.iter().filter(|table| table.view_of.is_none()) {
        let names = keyspaces.entry(&table.table.keyspace).or_default();
        let is_named = job.selection.tables.contains(&table.table);
        if is_named && !job.selection.keyspaces.contains(&table.table.keyspace) {
            names.push(table.table.table.clone());
        }
    }
    let keyspaces = keyspaces.into_iter();
    keyspaces
        .map(|(keyspace, tables)| {
            Unit::OnNode(Maintenance::Repair {
                keyspace: keyspace.to_owned(),
                tables,
                primary_range: job.args.primary_range == Some(true),
                jobs: job.args.jobs,
            })
        })
        .collect()
}
