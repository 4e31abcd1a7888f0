//! Whether the target's nodes take the statements of the plan, from the agents' roles.
//!
//! A node refuses a statement when it runs, and by then tables may have been emptied. What can be known of that is said here,
//! before anything is touched.

pub(super) mod does;
mod grants;
mod guardrails;
mod limits;
mod memtables;
mod snapshots;
mod switches;

use cassandra_schema::{Schema as Parsed, Table};
use model::NodeDescription;

use self::does::Does;
use crate::codes;
use crate::findings::Findings;
use crate::restore::given::Given;
use crate::restore::placing::replication::KeyspacePlan;
use crate::restore::schema::ddl::Cql;
use crate::restore::schema::tables::Decided;
use crate::restore::schema::trial::Trial;

/// What the plan asks of the target's nodes.
pub(crate) struct Asked<'a> {
    pub given: &'a Given<'a>,
    pub keyspaces: &'a [KeyspacePlan],
    pub decided: &'a [Decided<'a>],
    pub statements: Vec<Does>,
}

const RULES: &[fn(&Asked, &mut Findings)] = &[
    guardrails::check,
    memtables::check,
    grants::check,
    snapshots::check,
];

impl<'a> Asked<'a> {
    pub fn of(
        given: &'a Given<'a>,
        keyspaces: &'a [KeyspacePlan],
        decided: &'a [Decided<'a>],
        cql: &Cql,
    ) -> Self {
        let all = cql.schema.iter().chain(&cql.replace).chain(&cql.views);
        Self {
            given,
            keyspaces,
            decided,
            statements: all.map(|statement| Does::of(statement)).collect(),
        }
    }

    pub fn check(&self, findings: &mut Findings) {
        for rule in RULES {
            rule(self, findings);
        }
    }

    /// The trial, unless the nodes are known to refuse its own statements: the restore itself may need less.
    pub fn possible(&self, trial: Trial, findings: &mut Findings) -> Trial {
        let makes = trial.make.iter().map(|statement| Does::of(statement));
        let asked = Asked {
            statements: makes.collect(),
            ..*self
        };
        let mut refusals = Findings::default();
        guardrails::check(&asked, &mut refusals);
        grants::check(&asked, &mut refusals);
        let refusals = refusals.into_sorted();
        let Some(refusal) = refusals.iter().find(|finding| finding.is_refusal()) else {
            return trial;
        };
        findings.say(
            codes::TRIAL_SKIPPED,
            &self.given.request.target,
            format!(
                "live data is replaced without a trial load, which the nodes would refuse: {}",
                refusal.message
            ),
            &*refusal.hint,
        );
        Trial::default()
    }

    fn nodes(&self) -> &[&'a NodeDescription] {
        &self.given.inputs.cluster.nodes
    }

    /// The backup's schema, as it is made.
    fn schema(&self) -> &Parsed {
        &self.given.inputs.schemas.backup
    }

    /// The tables that are made, as far as their definitions are understood.
    fn made_tables(&self) -> impl Iterator<Item = &Table> {
        let made = self.decided.iter();
        let made = made.filter(|table| table.is_made() && table.view_of.is_none());
        made.filter_map(|table| {
            let name = &table.plan.table;
            self.schema().table(&name.keyspace, &name.table)
        })
    }

    /// The keyspaces that are made.
    fn made_keyspaces(&self) -> impl Iterator<Item = &KeyspacePlan> {
        self.keyspaces.iter().filter(|keyspace| !keyspace.is_live)
    }
}
