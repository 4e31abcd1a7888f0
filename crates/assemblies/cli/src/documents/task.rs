//! CassandraTask and K8ssandraTask: which fields are honoured, and which are refused.

use api::clients::{MaintenanceDocument, StartMaintenance};
use jiff::Timestamp;
use model::ClusterName;
use model::task::QueueOptions;
use serde_json::Value;

use super::reader::{Fields, Problems};
use super::{CLUSTER_ANNOTATION, Document, Kind, job};

/// As Kubernetes has it.
const TTL_SECONDS_DEFAULT: u64 = 86_400;

const METADATA: &[&str] = &[
    "name",
    "namespace",
    "labels",
    "annotations",
    // Written by Kubernetes into what it returns, and of no meaning here.
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
    // Refused.
    "finalizers",
    "generateName",
    "ownerReferences",
];
const REFUSED_METADATA: &[(&str, &str)] = &[
    ("finalizers", "documents are not deleted by others"),
    (
        "generateName",
        "the name is how the document is found again",
    ),
    ("ownerReferences", "documents have no owners"),
];
const TASK: &[&str] = &[
    "scheduledTime",
    "jobs",
    "restartPolicy",
    "ttlSecondsAfterFinished",
    "concurrencyPolicy",
    "maxConcurrentPods",
    "retries",
];
const REFERENCE: &[&str] = &["name", "namespace", "kind", "apiVersion"];

pub fn read(
    kind: Kind,
    value: &Value,
    document: &Fields<'_>,
    cluster: Option<&ClusterName>,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<Document> {
    let metadata = document.required_mapping("metadata", METADATA, problems)?;
    metadata.refuse(REFUSED_METADATA, problems);
    let name = metadata.required_text("name", problems)?;
    let namespace = metadata.text("namespace", problems).unwrap_or_default();
    for texts in ["labels", "annotations"] {
        metadata.check_texts_by_name(texts, problems);
    }
    let annotated = annotation(&metadata, problems);
    let (place, spec) = match kind {
        Kind::CassandraTask => cassandra_task(document, problems)?,
        Kind::K8ssandraTask => k8ssandra_task(document, problems)?,
    };
    let asked = cluster.cloned().or(annotated).or(place.cluster);
    let task = Task::read(&spec, now, problems)?;
    let content = without_status(value);
    let start = StartMaintenance {
        cluster: asked,
        datacenters: place.datacenters,
        racks: task.racks,
        jobs: task.jobs,
        concurrency: task.concurrency,
        document: Some(MaintenanceDocument {
            kind: kind.as_str().to_owned(),
            namespace: namespace.clone(),
            name: name.clone(),
            content: content.to_string(),
            ttl_seconds: task.ttl_seconds,
        }),
        queue: QueueOptions::default(),
    };
    Some(Document {
        kind,
        namespace,
        name,
        start,
    })
}

/// What Kubernetes has written into a document is no part of what is asked for.
fn without_status(value: &Value) -> Value {
    let mut content = value.clone();
    if let Some(map) = content.as_object_mut() {
        map.remove("status");
    }
    content
}

fn annotation(metadata: &Fields<'_>, problems: &mut Problems) -> Option<ClusterName> {
    let name = metadata.get("annotations")?.get(CLUSTER_ANNOTATION)?;
    let parsed = name.as_str().map(str::parse::<ClusterName>);
    match parsed {
        Some(Ok(name)) => Some(name),
        _ => {
            problems.say(format!(
                "the annotation `{CLUSTER_ANNOTATION}` is no name of a cluster"
            ));
            None
        }
    }
}

/// Where a task runs.
struct Place {
    /// As the document names it.
    cluster: Option<ClusterName>,
    datacenters: Vec<String>,
}

fn cassandra_task<'a>(
    document: &Fields<'a>,
    problems: &mut Problems,
) -> Option<(Place, Fields<'a>)> {
    let known = [&["datacenter"], TASK].concat();
    let spec = document.required_mapping("spec", &known, problems)?;
    let datacenter = spec.required_mapping("datacenter", REFERENCE, problems)?;
    let name = datacenter.required_text("name", problems)?;
    let place = Place {
        cluster: None,
        datacenters: vec![name],
    };
    Some((place, spec))
}

fn k8ssandra_task<'a>(
    document: &Fields<'a>,
    problems: &mut Problems,
) -> Option<(Place, Fields<'a>)> {
    const SPEC: &[&str] = &["cluster", "datacenters", "dcConcurrencyPolicy", "template"];
    let spec = document.required_mapping("spec", SPEC, problems)?;
    let cluster = spec.required_mapping("cluster", REFERENCE, problems)?;
    let name = cluster.required_text("name", problems)?;
    let cluster: Option<ClusterName> = name
        .parse()
        .map_err(|error| problems.say(format!("spec.cluster.name: {error}")))
        .ok();
    only(
        &spec,
        "dcConcurrencyPolicy",
        "Forbid",
        "datacenters are done one after the other",
        problems,
    );
    let datacenters = spec.texts("datacenters", problems);
    let template = spec.required_mapping("template", TASK, problems)?;
    let place = Place {
        cluster,
        datacenters,
    };
    Some((place, template))
}

/// Of a field with several values, only one is honoured.
fn only(fields: &Fields<'_>, name: &str, value: &str, why: &str, problems: &mut Problems) {
    if let Some(given) = fields.text(name, problems)
        && given != value
    {
        let place = fields.place(name);
        problems.say(format!(
            "{place} `{given}` is not honoured here: {why}; leave it out, or write {value}"
        ));
    }
}

/// What both kinds have.
struct Task {
    jobs: Vec<model::MaintenanceJob>,
    racks: Vec<String>,
    concurrency: u32,
    ttl_seconds: u64,
}

impl Task {
    fn read(spec: &Fields<'_>, now: Timestamp, problems: &mut Problems) -> Option<Self> {
        only(
            spec,
            "restartPolicy",
            "OnFailure",
            "a step whose failure may pass is tried again",
            problems,
        );
        only(
            spec,
            "concurrencyPolicy",
            "Forbid",
            "a cluster has one task at a time",
            problems,
        );
        spec.refuse(
            &[(
                "retries",
                "how long a step is tried again is set by step_retry_for_seconds of the task-runner",
            )],
            problems,
        );
        check_time(spec, now, problems);
        let concurrency = spec.number("maxConcurrentPods", problems).unwrap_or(1);
        let ttl = spec.number("ttlSecondsAfterFinished", problems);
        let (jobs, racks) = jobs(spec, problems);
        Some(Self {
            jobs,
            racks,
            concurrency: u32::try_from(concurrency).unwrap_or(u32::MAX),
            ttl_seconds: ttl.unwrap_or(TTL_SECONDS_DEFAULT),
        })
    }
}

fn check_time(spec: &Fields<'_>, now: Timestamp, problems: &mut Problems) {
    let Some(text) = spec.text("scheduledTime", problems) else {
        return;
    };
    let place = spec.place("scheduledTime");
    match text.parse::<Timestamp>() {
        Err(error) => problems.say(format!("{place} is no time: {error}")),
        Ok(at) if at > now => problems.say(format!(
            "{place} {text} is still to come, and is not honoured here: apply the document then"
        )),
        Ok(_) => {}
    }
}

/// The jobs, and the racks that all of them are limited to.
fn jobs(spec: &Fields<'_>, problems: &mut Problems) -> (Vec<model::MaintenanceJob>, Vec<String>) {
    let listed = spec.list("jobs", problems);
    if listed.is_empty() {
        problems.say(format!("{} has no job", spec.place("jobs")));
    }
    let (mut jobs, mut racks) = (Vec::new(), Vec::new());
    for (at, value) in listed.iter().enumerate() {
        let path = format!("{}[{at}]", spec.place("jobs"));
        if let Some(job::Job { job, rack }) = job::read(value, &path, problems) {
            jobs.push(job);
            racks.push(rack);
        }
    }
    racks.dedup();
    if racks.len() > 1 {
        let place = spec.place("jobs");
        problems.say(format!(
            "{place}: all jobs are limited to the same rack, or none is; write a document for each"
        ));
    }
    (jobs, racks.into_iter().flatten().collect())
}
