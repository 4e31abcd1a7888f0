//! How each keyspace is replicated in the backup and will be on the target.
//!
//! A keyspace that is there stays as it is replicated, and its data is mapped onto that. One that is not there is made as it
//! was, with the target's datacenters in the place of the backup's.

mod adjust;

use std::collections::{BTreeMap, BTreeSet};

use model::cql::{literal, quote};
use model::manifest::BackupManifest;
use model::plan::RestoreMode;
use model::{SchemaEntry, SchemaKind, Severity};
use placement::{Replication, ReplicationError, Ring};

use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::restore::given::datacenters::Datacenters;
use crate::restore::given::rings::Rings;
use crate::restore::given::selected::Selected;
use crate::restore::given::target_schema::TargetSchema;
use crate::{codes, cql};
use adjust::adjust;
pub(crate) use adjust::owners;

const CLASS: &str = "class";
const PACKAGE: &str = "org.apache.cassandra.locator.";

pub(crate) type Options = BTreeMap<String, String>;

pub(crate) struct KeyspacePlan {
    pub name: String,
    /// None where it is not understood, where the ring is not, or where nothing would feed the target.
    pub source: Option<Replication>,
    pub target: Option<Replication>,
    /// What is not understood of it: it stands against a restore only where data is moved by ranges.
    not_understood: Vec<NotUnderstood>,
    /// Whether it is on the target now.
    pub is_live: bool,
    /// In the backup, and on the target when data is loaded.
    pub was: Options,
    pub will_be: Options,
}

impl KeyspacePlan {
    pub fn keeps_replication(&self) -> bool {
        self.was == self.will_be
    }

    /// Whether the nodes of one and the same ring hold the same by both.
    pub fn holds_alike(&self, rings: Option<&Rings>) -> bool {
        let effective = |replication: &Option<Replication>, ring: &Ring| {
            replication
                .as_ref()
                .map(|replication| effective(replication, ring))
        };
        let as_held = rings.map(|rings| {
            let was = effective(&self.source, &rings.source);
            was.is_some() && was == effective(&self.target, &rings.target)
        });
        self.keeps_replication() || as_held == Some(true)
    }

    pub fn say_not_understood(&self, findings: &mut Findings) {
        let both = match self.not_understood.as_slice() {
            [source, target] if source.error == target.error => Some("backup and target"),
            _ => None,
        };
        let told = if both.is_some() { 1 } else { 2 };
        for NotUnderstood { whose, error } in self.not_understood.iter().take(told) {
            let whose = both.unwrap_or(whose);
            findings.say(
                codes::REPLICATION_NOT_UNDERSTOOD,
                &self.name,
                format!("who holds {} on the ring of {whose} is not known: {error}", self.name),
                "restore it into a ring with the same tokens, datacenters and racks, replicated as it was; or leave the keyspace out",
            );
        }
    }
}

/// Why it is not known who holds a keyspace.
struct NotUnderstood {
    /// `the backup` or `the target`.
    whose: &'static str,
    error: ReplicationError,
}

/// Without datacenters that no node is in, and without replicas for which there are no nodes.
fn effective(replication: &Replication, ring: &Ring) -> Replication {
    match replication {
        Replication::Simple { replicas } => Replication::Simple {
            replicas: (*replicas).min(owners(ring, None)),
        },
        Replication::NetworkTopology { datacenters } => {
            let held = datacenters
                .iter()
                .map(|(name, replicas)| (name.clone(), (*replicas).min(owners(ring, Some(name)))));
            Replication::NetworkTopology {
                datacenters: held.filter(|(_, replicas)| *replicas > 0).collect(),
            }
        }
        Replication::Everywhere | Replication::Local => replication.clone(),
    }
}

pub(crate) struct Context<'a> {
    pub mode: RestoreMode,
    pub backup: &'a BackupManifest,
    pub live: &'a TargetSchema<'a>,
    pub cluster: &'a Cluster<'a>,
    pub rings: Option<&'a Rings>,
    pub datacenters: Option<&'a Datacenters>,
}

pub(crate) fn plan(
    context: &Context,
    selected: &Selected,
    findings: &mut Findings,
) -> Vec<KeyspacePlan> {
    let mut plans = Vec::new();
    for keyspace in &selected.keyspaces {
        let schema = &context.backup.schema;
        let Some(entry) = schema.find(SchemaKind::Keyspace, keyspace, keyspace) else {
            findings.say(
                codes::BACKUP_INCOMPLETE,
                keyspace,
                format!("the backup has tables of {keyspace}, and not its definition"),
                "pick another backup, or leave the keyspace out",
            );
            continue;
        };
        plans.push(plan_keyspace(context, keyspace, entry, findings));
    }
    plans
}

fn plan_keyspace(
    context: &Context,
    name: &str,
    entry: &SchemaEntry,
    findings: &mut Findings,
) -> KeyspacePlan {
    let mut not_understood = Vec::new();
    let mut understood = |whose, options: &Options, ring: &Ring| {
        Replication::expanded(options, ring)
            .map_err(|error| not_understood.push(NotUnderstood { whose, error }))
            .ok()
    };
    let was = options(entry);
    let rings = context.rings;
    let source = rings.and_then(|rings| understood("the backup", &was, &rings.source));
    let now = context.live.keyspace(name).map(options);
    let is_live = now.is_some();
    let made = now.or_else(|| match (rings, context.datacenters) {
        (Some(rings), Some(datacenters)) => {
            adjust(context, name, &was, rings, datacenters, findings)
        }
        _ => Some(was.clone()),
    });
    let target = match (rings, &made) {
        (Some(rings), Some(made)) => understood("the target", made, &rings.target),
        _ => None,
    };
    let will_be = made.unwrap_or_else(|| was.clone());
    if was != will_be {
        if is_live {
            say_live(
                context,
                name,
                &was,
                &will_be,
                source.is_some() && target.is_some(),
                findings,
            )
        } else {
            say_adjusted(name, &was, &will_be, findings)
        }
    }
    KeyspacePlan {
        name: name.to_owned(),
        source,
        target,
        not_understood,
        is_live,
        was,
        will_be,
    }
}

fn say_live(
    context: &Context,
    name: &str,
    was: &Options,
    now: &Options,
    understood: bool,
    findings: &mut Findings,
) {
    let (severity, hint) = match context.mode {
        RestoreMode::InPlace => (
            Severity::Refusal,
            format!(
                "restore online, which maps its data; or first: ALTER KEYSPACE {} WITH replication = {}; and plan again",
                quote(name),
                text(was)
            ),
        ),
        RestoreMode::Online => (
            Severity::Advice,
            if understood {
                "its data is mapped onto the replicas that it has now"
            } else {
                ""
            }
            .to_owned(),
        ),
    };
    findings.say_as(
        severity,
        codes::KEYSPACE_REPLICATION_MISMATCH,
        name,
        format!(
            "{name} is replicated by {} on the target, and was by {} in the backup",
            text(now),
            text(was)
        ),
        hint,
    );
}

fn say_adjusted(name: &str, was: &Options, adjusted: &Options, findings: &mut Findings) {
    findings.say(
        codes::REPLICATION_ADJUSTED,
        name,
        format!(
            "{name} is made with the replication {}; in the backup it was {}",
            text(adjusted),
            text(was)
        ),
        format!(
            "to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE {} WITH replication = {}",
            quote(name),
            text(adjusted)
        ),
    );
}

/// The datacenters that hold replicas of the keyspaces in the backup.
pub(crate) fn holding(plans: &[KeyspacePlan], rings: &Rings) -> BTreeSet<String> {
    let mut holding = BTreeSet::new();
    for plan in plans {
        if let Some(Replication::NetworkTopology { datacenters }) = &plan.source {
            let owning = |name: &&String| rings.source.owning_datacenters().any(|dc| dc == **name);
            holding.extend(datacenters.keys().filter(owning).cloned());
        }
    }
    holding
}

/// The replication map, its class without Cassandra's own package.
fn options(keyspace: &SchemaEntry) -> Options {
    let statement = keyspace.cql.first().map(String::as_str).unwrap_or_default();
    let mut map = cql::option_map(statement, "replication").unwrap_or_default();
    if let Some(class) = map.get_mut(CLASS) {
        *class = class.strip_prefix(PACKAGE).unwrap_or(class).to_owned();
    }
    map
}

/// As CQL writes it, the class first.
pub(crate) fn text(replication: &Options) -> String {
    let class = replication.iter().filter(|(key, _)| *key == CLASS);
    let others = replication.iter().filter(|(key, _)| *key != CLASS);
    let entries: Vec<String> = class
        .chain(others)
        .map(|(key, value)| format!("{}: {}", literal(key), literal(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}
