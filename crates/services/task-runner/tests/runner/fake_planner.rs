//! A planner that always has the same plan.

use api::pb::planner as pb;
use api::pb::planner::planner_server::Planner;
use api::pb::types::{
    BackupRef, Finding, HeldReplicas, KeyFingerprint, MissingNode, NodeDescription, RingMember,
    Severity, SourceShare, TableRef, TokenRange, TrialTable, When,
};
use model::plan::PlannedNode;
use tonic::{Request, Response, Status};

use crate::fleet::Fleet;

pub struct FakePlanner {
    pub fleet: Fleet,
}

type Answer<T> = Result<Response<T>, Status>;

impl FakePlanner {
    fn findings(
        &self,
        nodes: &[NodeDescription],
        unreachable: &[pb::UnreachableAgent],
    ) -> Vec<Finding> {
        let refusal = self.fleet.facts().refusal.clone();
        let refused = refusal
            .into_iter()
            .map(|code| finding(&code, Severity::Refusal, When::Before));
        let down = unreachable
            .iter()
            .map(|_| finding("AGENT_UNREACHABLE", Severity::Refusal, When::Before));
        let disagree = nodes
            .windows(2)
            .any(|pair| pair[0].schema_version != pair[1].schema_version);
        let disagreement =
            disagree.then(|| finding("SCHEMA_DISAGREEMENT", Severity::Refusal, When::Before));
        let advice = finding("AUTH_NOT_INCLUDED", Severity::Advice, When::After);
        refused
            .chain(down)
            .chain(disagreement)
            .chain([advice])
            .collect()
    }

    /// As the real one has them, of all tables.
    fn missing(missing: &[api::pb::storage_catalog::Damage]) -> Option<Finding> {
        let any = !missing.is_empty();
        any.then(|| finding("OBJECTS_MISSING", Severity::Refusal, When::Before))
    }

    fn step(&self, kind: &str, node: Option<&str>, after: &[String]) -> pb::PlanStep {
        pb::PlanStep {
            id: node.map_or(kind.to_owned(), |node| format!("{kind}-{node}")),
            kind: kind.split('-').next().unwrap_or(kind).into(),
            node: node.unwrap_or_default().into(),
            after: after.to_vec(),
            cql: match kind {
                "schema" => vec!["CREATE TABLE IF NOT EXISTS ks.t (id int PRIMARY KEY)".into()],
                "replace" => vec!["TRUNCATE TABLE ks.u".into()],
                "trialschema" => vec!["CREATE KEYSPACE ringkeep_trial_1".into()],
                "trialdrop" => vec!["DROP KEYSPACE IF EXISTS ringkeep_trial_1".into()],
                "views" => vec!["CREATE SOMETHING".into()],
                _ => Vec::new(),
            },
        }
    }

    /// As the real one lays them out.
    fn steps(&self) -> Vec<pb::PlanStep> {
        let in_place = self.fleet.facts().in_place;
        let kinds: &[(&str, bool)] = if in_place {
            &[
                ("pin", false),
                ("stage", true),
                ("check", false),
                ("schema", false),
                ("quiesce", false),
                ("stop", true),
                ("barrier-stop", false),
                ("swap", true),
                ("barrier-swap", false),
                ("start", true),
                ("barrier-start", false),
                ("unpin", false),
            ]
        } else {
            &[
                ("pin", false),
                ("stage", true),
                ("check", false),
                ("schema", false),
                ("replace", false),
                ("load", true),
                ("barrier-load", false),
                ("upgradesstables", true),
                ("views", false),
                ("finish", true),
                ("unpin", false),
            ]
        };
        let mut kinds = kinds.to_vec();
        if in_place && self.fleet.facts().replaces_in_place {
            let quiesce = kinds.iter().position(|(kind, _)| *kind == "quiesce");
            kinds.insert(quiesce.expect("a step"), ("replace", false));
        }
        if self.fleet.facts().with_trial {
            let trial = [
                ("trialschema", false),
                ("trial", true),
                ("trialdrop", false),
            ];
            kinds.splice(2..2, trial);
        }
        let mut steps: Vec<pb::PlanStep> = Vec::new();
        let mut last: Vec<String> = Vec::new();
        for (kind, on_each) in &kinds {
            let made: Vec<pb::PlanStep> = if *on_each {
                let nodes = self.fleet.nodes.iter();
                nodes
                    .map(|node| self.step(kind, Some(node), &last))
                    .collect()
            } else {
                vec![self.step(kind, None, &last)]
            };
            last = made.iter().map(|step| step.id.clone()).collect();
            steps.extend(made);
        }
        steps
    }
}

fn finding(code: &str, severity: Severity, when: When) -> Finding {
    Finding {
        code: code.into(),
        severity: severity as i32,
        when: when as i32,
        subject: "x".into(),
        message: "so it is".into(),
        hint: String::new(),
    }
}

/// The members of the ring that no node describes.
fn missing(request: &pb::PlanBackupRequest) -> Vec<MissingNode> {
    let ring = request.nodes.iter().flat_map(|node| &node.ring);
    let is_missing = |member: &&RingMember| {
        let mut members = request.nodes.iter().filter_map(|node| node.member.as_ref());
        !members.any(|described| described.host_id == member.host_id)
    };
    let named = |member: &RingMember| MissingNode {
        host_id: member.host_id.clone(),
        address: member.address.clone(),
        reason: "its agent did not answer".into(),
    };
    ring.filter(is_missing).map(named).collect()
}

fn held() -> HeldReplicas {
    HeldReplicas {
        keyspace: "ks".into(),
        datacenter: String::new(),
        replicas: 2,
        held_ppm: vec![0, 1_000_000, 0],
    }
}

#[tonic::async_trait]
impl Planner for FakePlanner {
    async fn check_compatibility(
        &self,
        _: Request<pb::CheckCompatibilityRequest>,
    ) -> Answer<pb::CheckCompatibilityResponse> {
        Err(Status::unimplemented("the runner does not ask"))
    }

    async fn plan_backup(
        &self,
        request: Request<pb::PlanBackupRequest>,
    ) -> Answer<pb::PlanBackupResponse> {
        self.fleet.enter("plan-backup").await?;
        let request = request.into_inner();
        // One that may go without nodes is told how keyspaces are replicated, and names those that are missing.
        let needs_all = matches!(
            request.completeness(),
            pb::Completeness::Unspecified | pb::Completeness::All
        );
        let replication_is_told = request
            .schema
            .as_ref()
            .is_some_and(|it| !it.version.is_empty());
        self.fleet.require(
            needs_all || replication_is_told,
            "the schema is told if something may be missing",
        );
        let missing = match needs_all {
            true => Vec::new(),
            false => missing(&request),
        };
        let needed = match needs_all {
            true => request.unreachable.as_slice(),
            false => &[],
        };
        let findings = self.findings(&request.nodes, needed);
        let supported = findings
            .iter()
            .all(|finding| finding.severity() != Severity::Refusal);
        let nodes = request.nodes.into_iter().map(|node| {
            let member = node.member.unwrap_or_default();
            pb::PlannedNode {
                host_id: member.host_id,
                address: member.address,
                agent: node.agent,
            }
        });
        let nodes: Vec<pb::PlannedNode> = nodes.collect();
        let steps = if supported {
            let nodes: Vec<PlannedNode> = api::convert::all(nodes.clone()).expect("nodes");
            api::convert::all_into(plan::backup_steps(&nodes))
        } else {
            Vec::new()
        };
        Ok(Response::new(pb::PlanBackupResponse {
            supported,
            findings,
            nodes,
            steps,
            held: missing.iter().map(|_| held()).collect(),
            missing,
        }))
    }

    async fn plan_restore(
        &self,
        request: Request<pb::PlanRestoreRequest>,
    ) -> Answer<pb::PlanRestoreResponse> {
        self.fleet.enter("plan-restore").await?;
        let request = request.into_inner();
        let target_keys = request.target_keys.iter().flat_map(|node| {
            let say =
                |key: &KeyFingerprint| format!("{} {} {}", node.node, key.name, key.fingerprint);
            node.keys.iter().map(say)
        });
        self.fleet.facts().target_keys = target_keys.collect();
        self.fleet.facts().verifications = request.verifications.clone();
        let ranges: Vec<TokenRange> = self
            .fleet
            .facts()
            .ranges
            .iter()
            .map(|(left, right)| TokenRange {
                left: left.clone(),
                right: right.clone(),
            })
            .collect();
        let mut findings = self.findings(&request.nodes, &request.unreachable);
        findings.extend(Self::missing(&request.missing));
        self.fleet.facts().looked_for_missing = request.looked_for_missing;
        let supported = findings
            .iter()
            .all(|finding| finding.severity() != Severity::Refusal);
        let ring: Vec<model::RingMember> = api::convert::all(self.fleet.ring()).expect("a ring");
        let nodes = request.nodes.iter().map(|node| {
            let member = node.member.clone().unwrap_or_default();
            pb::NodePlan {
                node: member.address,
                agent: node.agent.clone(),
                sources: vec![member.host_id.clone()],
                shares: match ranges.is_empty() {
                    true => Vec::new(),
                    false => vec![SourceShare {
                        source: member.host_id.clone(),
                        keyspaces: vec!["ks".into()],
                        ranges: ranges.clone(),
                        trims: false,
                    }],
                },
                host_id: member.host_id,
                ..pb::NodePlan::default()
            }
        });
        let in_place = self.fleet.facts().in_place;
        let mode = match in_place {
            true => pb::RestoreMode::InPlace,
            false => pb::RestoreMode::Online,
        };
        if in_place {
            let mut kept = finding("OLD_FILES_KEPT", Severity::Advice, When::After);
            kept.hint = "`ringkeep restore accept TASK` deletes them".into();
            findings.push(kept);
        }
        let planned_table = self.fleet.facts().planned_table.clone();
        let renames = request.renaming.unwrap_or_default().renames;
        let to = renames.first().map(|it| it.new_keyspace.clone());
        let table = |table: &str, action: pb::TableAction| pb::TablePlan {
            source: to.as_ref().map(|_| TableRef {
                keyspace: "ks".into(),
                table: table.into(),
            }),
            table: Some(TableRef {
                keyspace: to.clone().unwrap_or_else(|| "ks".into()),
                table: table.into(),
            }),
            source_id: uuid::Uuid::nil().to_string(),
            target_id: uuid::Uuid::nil().to_string(),
            action: action as i32,
            missing: false,
            bytes: 0,
        };
        let backup = request.backup.and_then(|backup| backup.summary);
        let name = |keyspace: &str| TableRef {
            keyspace: keyspace.into(),
            table: planned_table.clone(),
        };
        let trial = TrialTable {
            table: Some(name("ks")),
            target_id: uuid::Uuid::nil().to_string(),
            trial: Some(name("ringkeep_trial_1")),
        };
        Ok(Response::new(pb::PlanRestoreResponse {
            plan: Some(pb::RestorePlan {
                trials: vec![trial],
                backup: Some(BackupRef {
                    cluster: "shop".into(),
                    name: backup
                        .and_then(|backup| backup.backup)
                        .map(|backup| backup.name)
                        .unwrap_or_default(),
                }),
                target: request.target,
                mode: mode as i32,
                supported,
                findings,
                nodes: nodes.collect(),
                steps: if supported { self.steps() } else { Vec::new() },
                tables: vec![
                    table(&planned_table, pb::TableAction::Create),
                    table(
                        &format!("v_of_{planned_table}"),
                        pb::TableAction::RebuildView,
                    ),
                ],
                target_schema_version: self.fleet.facts().schema_version.clone(),
                target_ring: model::ring::fingerprint(&ring),
                ..pb::RestorePlan::default()
            }),
        }))
    }
}
