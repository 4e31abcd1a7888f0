//! The world that the fakes share: what is on the nodes and in the bucket, which calls came in, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use api::clients::RESTAGE_NEEDED;
use api::fence::{Fences, Scope};
use api::pb::types as pb;
use api::{ErrorKind, ServiceError};
use jiff::{SignedDuration, Timestamp};
use model::TaskId;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::simulation::Chance;

/// Whether what a task has claimed of its cluster, by what is on the disk, covers a piece of work.
#[derive(Clone)]
pub struct Claims(pub Arc<Covers>);

type Covers = dyn Fn(TaskId, &Work<'_>) -> bool + Send + Sync;

/// What a call of a task works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work<'a> {
    /// Snapshots of these keyspaces; none: of all.
    Backup(&'a [String]),
    /// Tables of these keyspaces.
    Restore(&'a [String]),
    /// Anything.
    Any,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claims")
    }
}

/// When everything in the bucket was made, unless it is known better.
pub const TIME: &str = "2026-01-02T03:04:05Z";

/// Something that goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Cannot be reached, this time.
    Unavailable,
    /// Reports damage.
    Damaged,
    /// Must stage again first.
    Restage,
    /// Has no backup to build on.
    NoBase,
    /// Could not cut clients off well before the cutoff.
    TooLate,
    /// Is of a release that does not have this call.
    NotThere,
    /// Never answers.
    Hang,
    /// Goes on once the gate is open.
    Gate,
    /// Cannot be reached, which shows once the gate is open.
    DownBehindGate,
    /// Does the work, and the answer is lost.
    LoseAnswer,
    /// A stream that ends in the middle.
    Break,
    /// A stream that reports the same for ever.
    Stuck,
    /// Cannot be reached, which shows after a second only.
    Late,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupNow {
    Running,
    Complete,
    Failed(String),
    /// A deletion was cut short.
    Deleting,
}

#[derive(Debug, Default)]
pub struct Facts {
    /// Every call in order, for example `upload n1`.
    pub calls: Vec<String>,
    /// What the fakes saw that must never be.
    pub violations: Vec<String>,
    /// Of the agents' calls.
    pub api_level: u32,
    /// The highest fences that each node has seen.
    pub fences: BTreeMap<String, HashMap<Scope, u64>>,
    /// Calls that nodes have refused for their fences, for example `SwapStaged n1`.
    pub fenced: Vec<String>,
    /// The others that change something, with theirs.
    pub fenced_calls: Vec<(String, Fences)>,
    pub faults: HashMap<String, VecDeque<Fault>>,
    /// Calls that hang, as long as their caller waits.
    pub hanging: BTreeSet<String>,
    pub gate: CancellationToken,
    /// Set in the simulation: how long calls take.
    pace: Option<Arc<Chance>>,
    /// Set in the simulation: what tasks have claimed.
    pub claims: Option<Claims>,
    /// Tags by node.
    pub snapshots: BTreeSet<(String, String)>,
    pub uploaded: BTreeSet<(String, String)>,
    /// What else is left on nodes: node, kind and task.
    pub left: BTreeSet<(String, pb::LeftoverKind, String)>,
    /// The name of each commit that has come in.
    pub commits: Vec<String>,
    /// Name to state and task.
    pub backups: BTreeMap<String, (BackupNow, String)>,
    pub pins: BTreeSet<String>,
    /// When each backup was begun, and the base of a differential; else the time of everything and none.
    pub started: BTreeMap<String, String>,
    pub bases: BTreeMap<String, String>,
    /// Names that were looked up for a request, with the times at which their backups were begun.
    pub found: BTreeSet<(String, String)>,
    /// How many backups were begun in the simulation.
    begun: i64,
    /// Backups that people keep. What is in the second one is added to it by the next deletion.
    pub kept: BTreeSet<String>,
    pub kept_next: BTreeSet<String>,
    /// Backups whose deletion the catalog refuses, although its list does not show why.
    pub undeletable: BTreeSet<String>,
    /// Backups of which a deletion that was cut short has left nothing but its mark.
    pub only_marked: BTreeSet<String>,
    /// Backups whose deletion is refused although it has begun.
    pub refused_half_done: BTreeSet<String>,
    /// Names of which something of no use is in the bucket.
    pub garbage: BTreeSet<String>,
    /// Backups that the catalog lists as pinned by a task.
    pub held_by: BTreeMap<String, String>,
    /// Every deletion that was carried out: the backup and what it relied on.
    pub deleted: Vec<(String, Vec<String>)>,
    /// The times after which deletions were not to begin.
    pub not_after: Vec<String>,
    /// What a verification finds.
    pub damage: Vec<String>,
    /// What was last set for a task at a node: bandwidth and files.
    pub limits: BTreeMap<(String, String), (u64, u32)>,
    pub staged: BTreeSet<String>,
    pub loaded: BTreeSet<String>,
    pub stopped: BTreeSet<String>,
    /// Nodes whose clients are cut off.
    pub cut_off: BTreeSet<String>,
    /// All times of truncation records, in the order in which they were first marked.
    pub cutoffs: Vec<String>,
    /// Node to the time of its truncation records.
    pub marked: BTreeMap<String, String>,
    pub schema_applied: bool,
    pub schema_version: String,
    /// Whether the planner was last told that the bucket was looked through.
    pub looked_for_missing: bool,
    /// How often the last node is yet to describe itself with an older schema.
    pub behind: u32,
    /// A statement with this in it sets that.
    pub behind_after: Option<(&'static str, u32)>,
    pub rack: String,
    /// The nodes that the last committed backup was made without.
    pub missing: Vec<String>,
    /// The first node that loads sees its ring change.
    pub rack_after_load: Option<String>,
    /// What the planner says against a backup or a restore.
    pub refusal: Option<String>,
    /// Names of the keys that the backup's tables need.
    pub keys: Vec<String>,
    /// What the planner was last told of the target's keys: node, name and fingerprint.
    pub target_keys: Vec<String>,
    /// What the planner was told of verifications of the backup.
    pub verifications: Vec<api::pb::storage_catalog::Verification>,
    /// Token ranges that each node is planned to take of its source.
    pub ranges: Vec<(String, String)>,
    /// What agents were told to take, for example `n1 of h1 (1, 5]`.
    pub shares: Vec<String>,
    /// Whether the addresses of the first two nodes have changed places since.
    pub swapped_addresses: bool,
    /// Whether restores are planned in place.
    pub in_place: bool,
    /// Whether restores in place drop something before nodes are made quiet.
    pub replaces_in_place: bool,
    /// The table of keyspace `ks` that restores are planned for.
    pub planned_table: String,
    /// Ids of tables of keyspace `ks` that agents describe, by name.
    pub table_ids: BTreeMap<String, String>,
    /// Whether restores are planned with a trial load.
    pub with_trial: bool,
    /// Whether scratch keyspaces are there.
    pub scratch: bool,
    /// Whether the live tables were emptied.
    pub emptied: bool,
    /// The base that the last upload was told.
    pub base: Option<String>,
    /// What the last upload was told to copy from.
    pub copy_from: Option<String>,
    /// Whether the last upload was told to keep what is damaged.
    pub keep_damaged: Option<bool>,
    /// What the last commit said of the snapshots' spread.
    pub spread_ms: Option<u64>,
    /// Nodes at which maintenance is at work now, and how many may be.
    pub maintained: BTreeSet<String>,
    pub maintained_max: usize,
    /// Nodes that have built the view once, that were asked to forget that, that do not forget it, and that have forgotten.
    pub built: BTreeSet<String>,
    pub asked_to_forget: BTreeSet<String>,
    pub forget_nothing: BTreeSet<String>,
    pub forgotten: BTreeSet<String>,
    /// What maintenance was asked of which node by which step, in order.
    pub maintenance: Vec<(String, String, pb::MaintenanceJob)>,
    /// Whether nodes can be restarted.
    pub can_restart: bool,
    /// Node to its datacenter and rack; others are in dc1 and in the rack of all.
    pub places: BTreeMap<String, (String, String)>,
    /// Node to the milliseconds at which its snapshot is taken.
    pub taken_ms: BTreeMap<String, i64>,
}

/// Calls that several callers may make at once: those that change no node, and those of tasks that are undone without a claim.
const MAY_OVERLAP: [&str; 18] = [
    // Of two tasks.
    "limits",
    "verifylimits",
    "describe",
    "schema?",
    "keys",
    "leftovers",
    "clear",
    "abandon",
    "get-backup",
    "check-objects",
    "find-",
    "list-backups",
    "plan-",
    "sstables",
    "verify",
    "delete",
    "pin",
    "unpin",
];

impl Facts {
    fn is_simulated(&self) -> bool {
        self.pace.is_some()
    }
}

/// Handed to every fake.
#[derive(Clone)]
pub struct Fleet {
    facts: Arc<Mutex<Facts>>,
    pub nodes: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(&'static str, ErrorKind, &'static str);

impl ServiceError for Refused {
    fn kind(&self) -> ErrorKind {
        self.1
    }

    fn reason(&self) -> &'static str {
        self.2
    }

    fn hint(&self) -> Option<String> {
        Some("ask a human".to_owned())
    }
}

pub fn refuse(message: &'static str, kind: ErrorKind, reason: &'static str) -> Status {
    api::status(Refused(message, kind, reason))
}

/// Notes that a call hangs until its caller has given it up.
struct Hanging<'a> {
    fleet: &'a Fleet,
    call: String,
}

impl<'a> Hanging<'a> {
    fn begin(fleet: &'a Fleet, call: String) -> Self {
        fleet.facts().hanging.insert(call.clone());
        Self { fleet, call }
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.fleet.facts().hanging.remove(&self.call);
    }
}

impl Fleet {
    pub fn new(nodes: &[&str]) -> Self {
        let facts = Facts {
            schema_version: "schema-1".into(),
            rack: "r1".into(),
            api_level: api::level::AGENT_API_LEVEL,
            planned_table: "t".into(),
            maintained_max: 1,
            ..Facts::default()
        };
        Self {
            facts: Arc::new(Mutex::new(facts)),
            nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
        }
    }

    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets the next calls of this kind, for example `upload n1`, go wrong one after the other.
    pub fn fail(&self, call: &str, faults: &[Fault]) {
        let mut facts = self.facts();
        let queue = facts.faults.entry(call.to_owned()).or_default();
        queue.extend(faults);
    }

    /// From now on calls take time, by chance.
    pub fn set_pace(&self, chance: Chance) {
        self.facts().pace = Some(Arc::new(chance));
    }

    /// Lets the call last. What was dropped by its caller has had the time to end before it is looked for.
    async fn last(&self, call: &str) -> Option<Hanging<'_>> {
        let pace = self.facts().pace.clone()?;
        tokio::time::sleep(Duration::from_millis(1)).await;
        if MAY_OVERLAP.iter().any(|kind| call.starts_with(kind)) {
            return None;
        }
        let is_twice = self.facts().hanging.contains(call);
        self.require(!is_twice, &format!("`{call}` by two at once"));
        let hanging = Hanging::begin(self, call.to_owned());
        tokio::time::sleep(pace.millis(700)).await;
        Some(hanging)
    }

    /// Takes a call down, and meets it with its fault. Faults that strike later are answered.
    pub async fn enter(&self, call: &str) -> Result<Option<Fault>, Status> {
        let lasting = self.last(call).await;
        let fault = {
            let mut facts = self.facts();
            if lasting.is_none() && facts.hanging.contains(call) && !facts.is_simulated() {
                facts.violations.push(format!("`{call}` by two at once"));
            }
            facts.calls.push(call.to_owned());
            facts.faults.get_mut(call).and_then(VecDeque::pop_front)
        };
        match fault {
            Some(Fault::Unavailable) => Err(Status::unavailable("down")),
            Some(Fault::Damaged) => Err(refuse("damaged", ErrorKind::DataLoss, "DAMAGED")),
            Some(Fault::Restage) => Err(refuse("lost", ErrorKind::Internal, RESTAGE_NEEDED)),
            Some(Fault::NoBase) => Err(refuse(
                "there is no full backup",
                ErrorKind::FailedPrecondition,
                "NO_BASE",
            )),
            Some(Fault::TooLate) => Err(refuse(
                "the cutoff is too near",
                ErrorKind::Unavailable,
                "CUTOFF_TOO_LATE",
            )),
            Some(Fault::NotThere) => Err(Status::unimplemented("")),
            Some(Fault::Hang) => {
                let _hanging = lasting.unwrap_or_else(|| Hanging::begin(self, call.to_owned()));
                std::future::pending().await
            }
            Some(Fault::Gate) => {
                let gate = self.facts().gate.clone();
                gate.cancelled().await;
                Ok(None)
            }
            Some(Fault::DownBehindGate) => {
                let gate = self.facts().gate.clone();
                gate.cancelled().await;
                Err(Status::unavailable("down"))
            }
            Some(Fault::Late) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Err(Status::unavailable("down"))
            }
            Some(later @ (Fault::LoseAnswer | Fault::Break | Fault::Stuck)) => Ok(Some(later)),
            None => Ok(None),
        }
    }

    /// When the backup of this name was begun.
    pub fn begun_at(&self, name: &str) -> String {
        let facts = self.facts();
        let known = facts.started.get(name);
        known.map_or_else(|| TIME.to_owned(), String::clone)
    }

    /// When a backup is begun now: in the simulation each a second later than the one before.
    pub fn time_of_beginning(&self) -> String {
        let mut facts = self.facts();
        let now = if facts.is_simulated() {
            facts.begun += 1;
            Timestamp::UNIX_EPOCH + SignedDuration::from_secs(facts.begun)
        } else {
            Timestamp::now()
        };
        format!("{now:.3}")
    }

    /// In the simulation nothing is deleted but on request, and a request is looked up first.
    pub fn check_meant(&self, facts: &mut Facts, name: &str) {
        let started = facts.started.get(name).map_or(TIME, String::as_str);
        let asked = (name.to_owned(), started.to_owned());
        if facts.is_simulated() && !facts.found.contains(&asked) {
            let rule = format!("backup {name} of {started} was deleted, and nobody asked for that");
            facts.violations.push(rule);
        }
    }

    /// Whether no node of another rack is at work, and not too many.
    pub fn begin_maintenance(&self, node: &str) -> bool {
        let rack = |name: &str| {
            let at = self.nodes.iter().position(|other| other == name);
            let member = self.member(at.expect("a node"));
            (member.datacenter, member.rack)
        };
        let own = rack(node);
        let others: Vec<String> = self.facts().maintained.iter().cloned().collect();
        let is_alone = others.iter().all(|other| rack(other) == own);
        let mut facts = self.facts();
        facts.maintained.insert(node.to_owned());
        is_alone && facts.maintained.len() <= facts.maintained_max
    }

    /// A call of a task is made only while what it has claimed covers it.
    pub fn require_claim(&self, method: &str, fences: &Fences, work: &Work<'_>) {
        let Some(claims) = self.facts().claims.clone() else {
            return;
        };
        let task = fences.iter().find_map(|(scope, _)| match scope {
            Scope::Task(task) => Some(task),
            Scope::Cluster(_) => None,
        });
        let is_covered = task.is_some_and(|task| (claims.0)(task, work));
        let rule = format!("{method} on {work:?} of a task that has not claimed it: {task:?}");
        self.require(is_covered, &rule);
    }

    /// A rule of the world that a call has broken.
    pub fn require(&self, holds: bool, rule: &str) {
        if !holds {
            self.facts().violations.push(rule.to_owned());
        }
    }

    pub fn count(&self, call: &str) -> usize {
        let facts = self.facts();
        facts.calls.iter().filter(|made| *made == call).count()
    }

    /// Calls other than reads, in order.
    pub fn changes(&self) -> Vec<String> {
        let reads = [
            "describe",
            "schema?",
            "get-backup",
            "check-objects",
            "find-backup",
            "list-backups",
            "find-garbage",
            "plan-",
            "sstables",
            "keys",
            "leftovers",
        ];
        let facts = self.facts();
        facts
            .calls
            .iter()
            .filter(|call| !reads.iter().any(|read| call.starts_with(read)))
            .cloned()
            .collect()
    }

    pub fn ring(&self) -> Vec<pb::RingMember> {
        (0..self.nodes.len()).map(|at| self.member(at)).collect()
    }

    pub fn member(&self, at: usize) -> pb::RingMember {
        let facts = self.facts();
        let place = facts.places.get(&self.nodes[at]).cloned();
        let (datacenter, rack) = place.unwrap_or_else(|| ("dc1".into(), facts.rack.clone()));
        pb::RingMember {
            host_id: host_id(at),
            address: self.nodes[at].clone(),
            datacenter,
            rack,
            tokens: vec![at.to_string()],
        }
    }
}

pub fn host_id(at: usize) -> String {
    uuid::Uuid::from_u128(at as u128 + 1).to_string()
}

/// The hash of a node's manifest, as every backup has it.
pub fn manifest_hash(host_id: &str) -> String {
    format!("hash of the manifest of {host_id}")
}

/// After its work: the answer may get lost.
pub fn lost(fault: Option<Fault>) -> Result<(), Status> {
    match fault {
        Some(Fault::LoseAnswer) => Err(Status::unavailable("the connection broke")),
        _ => Ok(()),
    }
}
