//! Names of documents: `maintenance/<kind>/<namespace>/<name>` says which task a document was applied as.
//!
//! The name is written with the id of its task before that task is created: a runner that dies in between has started
//! nothing, and the next time the document is applied its task is created under the same id. The engine creates a task of an
//! id once. Another document never takes over an id: two that are applied at the same moment must not share a task.

use api::convert::ConversionError;
use jiff::SignedDuration;
use model::{ClusterName, TaskId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError};
use uuid::Uuid;

use crate::context::Context;
use crate::engine::{TaskRecord, decode, encode};
use crate::error::RunnerError;

/// How often a name is tried while others change it at the same time.
const TRIES: usize = 10;
/// What Kubernetes allows.
const NAME_BYTES_MAX: usize = 253;
/// A document is a few lines.
const CONTENT_BYTES_MAX: usize = 256 << 10;

/// A document that asks for maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub content: String,
    pub ttl_seconds: u64,
}

/// A document with its task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Named {
    pub document: Document,
    /// The cluster that was asked for or found.
    pub cluster: ClusterName,
    pub task: TaskId,
}

/// What a name is worth to who applies a document.
pub(super) enum Name {
    /// The document's own task, which exists.
    Applied(Named),
    /// The task that is now to be created.
    Create(TaskId),
}

impl Document {
    /// Names become parts of keys.
    pub fn check(&self) -> Result<(), ConversionError> {
        let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        for (field, text, may_be_empty) in [
            ("document.kind", &self.kind, false),
            ("document.namespace", &self.namespace, true),
            ("document.name", &self.name, false),
        ] {
            let fits = text.len() <= NAME_BYTES_MAX && text.chars().all(is_good);
            if !fits || (text.is_empty() && !may_be_empty) {
                let why = format!("`{text}` is no name of letters, digits, '-' and '.'");
                return Err(ConversionError::invalid(field, why));
            }
        }
        if self.content.len() > CONTENT_BYTES_MAX {
            let why = format!("is longer than {CONTENT_BYTES_MAX} bytes");
            return Err(ConversionError::invalid("document.content", why));
        }
        Ok(())
    }

    fn key(&self) -> String {
        key(&self.kind, &self.namespace, &self.name)
    }
}

fn key(kind: &str, namespace: &str, name: &str) -> String {
    format!("maintenance/{kind}/{namespace}/{name}")
}

/// The document of this name.
pub(crate) async fn find(
    context: &Context,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<(Document, TaskId), RunnerError> {
    let unknown = || RunnerError::UnknownDocument {
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let entry = context.store.get(&key(kind, namespace, name)).await?;
    let named: Named = decode(entry.ok_or_else(unknown)?)?;
    Ok((named.document, named.task))
}

/// Takes the name for a new task, unless it is taken. Another document of the name is refused.
pub(super) async fn take(
    context: &Context,
    document: &Document,
    cluster: &ClusterName,
) -> Result<Name, RunnerError> {
    let key = document.key();
    for _ in 0..TRIES {
        let (expected, id) = match context.store.get(&key).await? {
            None => (Expected::Absent, TaskId(Uuid::now_v7())),
            Some(entry) => {
                let version = entry.version;
                let named: Named = decode(entry)?;
                let task = context.tasks.get(named.task).await?;
                let is_same = named.document == *document && named.cluster == *cluster;
                match task.map(|stored| stored.record) {
                    // Also once its time has passed: who applies a document again and again wants it done once.
                    Some(record) if is_same && is_task_of(document, &record) => {
                        return Ok(Name::Applied(named));
                    }
                    Some(record) if is_over(context, &named, &record) => {
                        (Expected::Version(version), TaskId(Uuid::now_v7()))
                    }
                    Some(_) => {
                        return Err(RunnerError::DocumentDiffers {
                            kind: document.kind.clone(),
                            name: document.name.clone(),
                            task: named.task,
                        });
                    }
                    // It was never created. Another caller with the same document may be about to create it.
                    None if is_same => (Expected::Version(version), named.task),
                    // Another document's task may still be created under that id.
                    None => (Expected::Version(version), TaskId(Uuid::now_v7())),
                }
            }
        };
        let named = Named {
            document: document.clone(),
            cluster: cluster.clone(),
            task: id,
        };
        let value = encode(&key, &named)?;
        match context.store.put(&key, value, expected, None).await {
            Ok(_) => return Ok(Name::Create(id)),
            Err(StateError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(RunnerError::ClaimContended(cluster.clone()))
}

/// Whether a task runs this document, by the hash in its record; older records have none.
pub(super) fn is_task_of(document: &Document, record: &TaskRecord) -> bool {
    let hash = record.document_hash.as_ref();
    hash.is_none_or(|hash| *hash == hash_of(document))
}

/// The hash of a document's content.
pub(super) fn hash_of(document: &Document) -> String {
    blake3::hash(document.content.as_bytes())
        .to_hex()
        .to_string()
}

/// Whether the name of a task that has ended is free for another document.
fn is_over(context: &Context, named: &Named, record: &TaskRecord) -> bool {
    let ttl = named.document.ttl_seconds;
    let (Some(ended), true) = (record.finished_at, record.state.is_final()) else {
        return false;
    };
    let age = (context.clock)().duration_since(ended);
    ttl > 0 && age >= SignedDuration::from_secs(i64::try_from(ttl).unwrap_or(i64::MAX))
}

/// Whether a document's name still points at the task. It does until another document takes the name: the same document must
/// find its task for as long as it may be applied again.
pub(super) async fn is_taken_by(
    context: &Context,
    record: &TaskRecord,
) -> Result<bool, RunnerError> {
    let Some(key) = &record.document else {
        return Ok(false);
    };
    let Some(entry) = context.store.get(key).await? else {
        return Ok(false);
    };
    let named: Named = decode(entry)?;
    Ok(named.task == record.id)
}

/// The key under which a task's record names its document.
pub(super) fn key_of(document: &Document) -> String {
    document.key()
}
