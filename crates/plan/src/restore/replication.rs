//! How each keyspace is replicated in the backup and will be on the target.
//!
//! A keyspace that is there stays as it is replicated, and its data is mapped onto that. One that is not there is made as it
//! was, with the target's datacenters in the place of the backup's.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::Product;
use model::cql::{literal, quote};
use model::manifest::BackupManifest;
use model::{SchemaEntry, SchemaKind, Severity};
use placement::{Replication, ReplicationError, Ring};

use super::RestoreMode;
use super::chosen::Chosen;
use super::datacenters::Datacenters;
use super::live::Live;
use super::rings::Rings;
use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::{codes, cql};

const CLASS: &str = "class";
const FACTOR: &str = "replication_factor";
const TOPOLOGY: &str = "NetworkTopologyStrategy";

pub(super) type Options = BTreeMap<String, String>;

pub(super) struct KeyspacePlan {
    pub name: String,
    /// None where it is not understood, which is said, or where the ring is not.
    pub source: Option<Replication>,
    pub target: Option<Replication>,
    /// In the backup, and on the target when data is loaded.
    pub was: Options,
    pub will_be: Options,
}

impl KeyspacePlan {
    pub fn keeps_replication(&self) -> bool {
        self.was == self.will_be
    }
}

pub(super) struct Context<'a> {
    pub mode: RestoreMode,
    pub backup: &'a BackupManifest,
    pub live: &'a Live<'a>,
    pub cluster: &'a Cluster<'a>,
    pub rings: Option<&'a Rings>,
    pub datacenters: Option<&'a Datacenters>,
}

pub(super) fn plan(
    context: &Context,
    chosen: &Chosen,
    findings: &mut Findings,
) -> Vec<KeyspacePlan> {
    let mut plans = Vec::new();
    for keyspace in &chosen.keyspaces {
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
    let was = options(entry);
    let source = context
        .rings
        .and_then(|rings| understood(name, "the backup", &was, &rings.source, findings));
    let will_be = match context.live.keyspace(name).map(options) {
        Some(now) => {
            say_live(context, name, &was, &now, findings);
            now
        }
        None => {
            let adjusted = match (context.rings, context.datacenters) {
                (Some(rings), Some(datacenters)) => {
                    adjust(context, name, &was, rings, datacenters, findings)
                }
                _ => was.clone(),
            };
            if adjusted != was {
                say_adjusted(name, &was, &adjusted, findings);
            }
            adjusted
        }
    };
    let target = context
        .rings
        .and_then(|rings| understood(name, "the target", &will_be, &rings.target, findings));
    KeyspacePlan {
        name: name.to_owned(),
        source,
        target,
        was,
        will_be,
    }
}

fn say_live(context: &Context, name: &str, was: &Options, now: &Options, findings: &mut Findings) {
    if was == now {
        return;
    }
    let (severity, hint) = match context.mode {
        RestoreMode::InPlace => (
            Severity::Refusal,
            format!(
                "before the restore: ALTER KEYSPACE {} WITH replication = {}; then plan again; or restore online",
                quote(name),
                text(was)
            ),
        ),
        RestoreMode::Online => (
            Severity::Advice,
            "its data is mapped onto the replicas that it has now".to_owned(),
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
            "to have it otherwise, make it before the restore and plan again: CREATE KEYSPACE {} WITH replication = {{…}}",
            quote(name)
        ),
    );
}

/// The replication with the target's datacenters, and no more replicas than there are nodes.
fn adjust(
    context: &Context,
    name: &str,
    was: &Options,
    rings: &Rings,
    datacenters: &Datacenters,
    findings: &mut Findings,
) -> Options {
    match Replication::expanded(was, &rings.source) {
        Ok(Replication::Simple { replicas }) => {
            let fitting = replicas.min(owners(&rings.target, None));
            let mut adjusted = was.clone();
            adjusted.insert(FACTOR.to_owned(), fitting.to_string());
            adjusted
        }
        Ok(Replication::NetworkTopology { datacenters: held }) => {
            let mut adjusted = topology();
            let mut holding = BTreeSet::new();
            for (source, replicas) in held {
                holding.insert(source.clone());
                for target in datacenters.fed_by(&source) {
                    let fitting = replicas.min(owners(&rings.target, Some(target)));
                    let known = adjusted.get(target).and_then(|text| text.parse().ok());
                    let replicas = fitting.max(known.unwrap_or(0));
                    adjusted.insert(target.clone(), replicas.to_string());
                }
            }
            match adjusted.len() {
                // Nothing feeds anything, which is said: as it was, it at least reads as what it is.
                1 => was.clone(),
                _ => adjusted,
            }
        }
        Ok(Replication::Everywhere) if !knows_everywhere(context.cluster) => {
            let mut adjusted = topology();
            for target in rings.target.owning_datacenters() {
                let all = owners(&rings.target, Some(target));
                adjusted.insert(target.to_owned(), all.to_string());
            }
            findings.say(
                codes::DSE_FEATURE_UNSUPPORTED,
                name,
                format!(
                    "{name} is replicated by EverywhereStrategy, which the target does not have"
                ),
                "nodes that join later need their datacenter's replicas to be raised",
            );
            adjusted
        }
        Ok(Replication::Everywhere | Replication::Local) | Err(_) => was.clone(),
    }
}

fn topology() -> Options {
    BTreeMap::from([(CLASS.to_owned(), TOPOLOGY.to_owned())])
}

fn knows_everywhere(cluster: &Cluster) -> bool {
    cluster
        .nodes
        .iter()
        .all(|node| node.release.product != Product::Cassandra)
}

/// Nodes that can hold replicas, in a datacenter or all.
fn owners(ring: &Ring, datacenter: Option<&str>) -> u32 {
    let owning = (0..ring.len()).filter(|at| {
        ring.owns_tokens(*at) && datacenter.is_none_or(|name| ring.datacenter(*at) == name)
    });
    u32::try_from(owning.count()).unwrap_or(u32::MAX)
}

fn understood(
    name: &str,
    whose: &str,
    options: &Options,
    ring: &Ring,
    findings: &mut Findings,
) -> Option<Replication> {
    match Replication::expanded(options, ring) {
        Ok(replication) => Some(replication),
        Err(error) => {
            findings.say(
                codes::REPLICATION_NOT_UNDERSTOOD,
                name,
                format!("who holds {name} on the ring of {whose} cannot be told: {error}"),
                not_understood_hint(&error),
            );
            None
        }
    }
}

fn not_understood_hint(error: &ReplicationError) -> &'static str {
    match error {
        ReplicationError::Class(_) => {
            "restore in place into a ring with the same tokens, datacenters and racks, or leave the keyspace out"
        }
        _ => "change the keyspace's replication, or leave the keyspace out",
    }
}

/// The datacenters that hold replicas of the keyspaces in the backup.
pub(super) fn holding(plans: &[KeyspacePlan], rings: &Rings) -> BTreeSet<String> {
    let mut holding = BTreeSet::new();
    for plan in plans {
        if let Some(Replication::NetworkTopology { datacenters }) = &plan.source {
            let owning = |name: &&String| rings.source.owning_datacenters().any(|dc| dc == **name);
            holding.extend(datacenters.keys().filter(owning).cloned());
        }
    }
    holding
}

/// The replication map, its class without the package.
fn options(keyspace: &SchemaEntry) -> Options {
    let statement = keyspace.cql.first().map(String::as_str).unwrap_or_default();
    let mut map = cql::option_map(statement, "replication").unwrap_or_default();
    if let Some(class) = map.get_mut(CLASS) {
        *class = class.rsplit('.').next().unwrap_or(class).to_owned();
    }
    map
}

/// As CQL writes it, the class first.
pub(super) fn text(replication: &Options) -> String {
    let class = replication.iter().filter(|(key, _)| *key == CLASS);
    let others = replication.iter().filter(|(key, _)| *key != CLASS);
    let entries: Vec<String> = class
        .chain(others)
        .map(|(key, value)| format!("{}: {}", literal(key), literal(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}
