//! Maintenance between the wire and the runner.

use std::sync::Arc;

use api::convert::task::queue_options;
use api::convert::{ConversionError, all, parsed_optional};
use api::pb::task_runner as pb;

use super::convert::wire;
use crate::engine::{Engine, control};
use crate::error::RunnerError;
use crate::kinds::maintenance::{
    self, CONCURRENCY_MAX, Document, JOBS_MAX, NewMaintenance, Started,
};

pub(super) async fn start(
    engine: &Arc<Engine>,
    request: pb::StartMaintenanceRequest,
) -> Result<pb::StartMaintenanceResponse, RunnerError> {
    let new = NewMaintenance::try_from(request)?;
    let starting = maintenance::start(engine.clone(), new);
    let Started {
        task,
        cluster,
        existed,
    } = engine.run_to_completion(starting).await?;
    Ok(pb::StartMaintenanceResponse {
        task_id: task.to_string(),
        cluster: cluster.to_string(),
        existed,
    })
}

pub(super) async fn get(
    engine: &Arc<Engine>,
    request: pb::GetMaintenanceRequest,
) -> Result<pb::GetMaintenanceResponse, RunnerError> {
    let pb::GetMaintenanceRequest {
        kind,
        namespace,
        name,
    } = request;
    let context = &engine.context;
    let (document, id) = maintenance::find(context, &kind, &namespace, &name).await?;
    let view = match control::get(engine, id).await {
        // Its task was refused, or is forgotten since.
        Err(RunnerError::UnknownTask(_)) => Err(RunnerError::UnknownDocument { kind, name }),
        view => view,
    }?;
    Ok(pb::GetMaintenanceResponse {
        document: Some(document.into()),
        task: Some(wire(&view)),
    })
}

impl TryFrom<pb::StartMaintenanceRequest> for NewMaintenance {
    type Error = ConversionError;

    fn try_from(request: pb::StartMaintenanceRequest) -> Result<Self, ConversionError> {
        let cluster = parsed_optional("cluster", &request.cluster)?;
        if cluster.is_none() && request.datacenters.is_empty() {
            return Err(ConversionError::missing("cluster"));
        }
        if request.jobs.is_empty() {
            return Err(ConversionError::missing("jobs"));
        }
        if request.jobs.len() > JOBS_MAX {
            let why = format!("are more than {JOBS_MAX}");
            return Err(ConversionError::invalid("jobs", why));
        }
        if request.concurrency > CONCURRENCY_MAX {
            let why = format!("is more than {CONCURRENCY_MAX}");
            return Err(ConversionError::invalid("concurrency", why));
        }
        let document = request.document.map(Document::from);
        if let Some(document) = &document {
            document.check()?;
        }
        Ok(Self {
            cluster,
            datacenters: without_repeats("datacenters", request.datacenters)?,
            racks: without_repeats("racks", request.racks)?,
            jobs: all(request.jobs)?,
            concurrency: request.concurrency.max(1) as usize,
            document,
            queue: queue_options(request.queue)?,
        })
    }
}

/// A datacenter that is named twice would have its nodes done twice, under the same steps.
fn without_repeats(
    field: &'static str,
    names: Vec<String>,
) -> Result<Vec<String>, ConversionError> {
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(ConversionError::invalid(field, "one is empty"));
        }
        if names[..at].contains(name) {
            let why = format!("name `{name}` twice");
            return Err(ConversionError::invalid(field, why));
        }
    }
    Ok(names)
}

impl From<pb::MaintenanceDocument> for Document {
    fn from(document: pb::MaintenanceDocument) -> Self {
        Self {
            kind: document.kind,
            namespace: document.namespace,
            name: document.name,
            content: document.content,
            ttl_seconds: document.ttl_seconds,
        }
    }
}

impl From<Document> for pb::MaintenanceDocument {
    fn from(document: Document) -> Self {
        Self {
            kind: document.kind,
            namespace: document.namespace,
            name: document.name,
            content: document.content,
            ttl_seconds: document.ttl_seconds,
        }
    }
}
