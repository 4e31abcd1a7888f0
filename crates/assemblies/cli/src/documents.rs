//! Documents that users of Kubernetes have, read strictly: what is not understood is refused by name, and nothing is guessed.

mod job;
mod reader;
mod status;
mod task;
mod value;

use api::clients::StartMaintenance;
use jiff::Timestamp;
use model::{ClusterName, nearest};
use serde::de::DeserializeSeed;
use serde_json::Value;

use reader::{Fields, Problems};
pub use status::with_status;
use value::Budget;

/// A file of documents is a few lines for each.
pub const BYTES_MAX: u64 = 1 << 20;
/// The only version of the kinds.
const API_VERSION: &str = "control.k8ssandra.io/v1alpha1";
/// Names the registered cluster, if the datacenter's name does not.
const CLUSTER_ANNOTATION: &str = "ringkeep/cluster";

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    CassandraTask,
    K8ssandraTask,
}

impl Kind {
    const ALL: [Self; 2] = [Self::CassandraTask, Self::K8ssandraTask];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CassandraTask => "CassandraTask",
            Self::K8ssandraTask => "K8ssandraTask",
        }
    }

    fn words() -> [&'static str; 2] {
        Self::ALL.map(Self::as_str)
    }
}

/// A word that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no kind `{word}`{}; the kinds are {}",
    did_you_mean(nearest(word, Kind::words())),
    Kind::words().join(" and ")
)]
pub struct UnknownKind {
    word: String,
}

impl UnknownKind {
    fn new(word: impl Into<String>) -> Self {
        Self { word: word.into() }
    }
}

/// In any case, in the singular or plural, as kubectl takes it.
impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let lower = text.to_lowercase();
        let bare = lower.strip_suffix('s').unwrap_or(&lower);
        let mut kinds = Self::ALL.into_iter();
        let found = kinds.find(|kind| kind.as_str().to_lowercase() == bare);
        found.ok_or_else(|| UnknownKind::new(text))
    }
}

fn did_you_mean(meant: Option<&str>) -> String {
    let question = |meant| format!(" (did you mean `{meant}`?)");
    meant.map(question).unwrap_or_default()
}

/// A document that can be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub kind: Kind,
    /// Empty: none.
    pub namespace: String,
    pub name: String,
    /// What it asks for. Its cluster is none if only the datacenter says which.
    pub start: StartMaintenance,
}

/// Reads one or several documents. `cluster` counts before what a document says of its cluster. Returns every problem of all
/// of them.
pub fn read(
    text: &str,
    cluster: Option<&ClusterName>,
    now: Timestamp,
) -> Result<Vec<Document>, Vec<String>> {
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    let budget = Budget::default();
    for (at, part) in serde_yaml_ng::Deserializer::from_str(text).enumerate() {
        let value = budget.reader().deserialize(part);
        let value = match value {
            Ok(Value::Null) => continue,
            Ok(value) => value,
            Err(error) => {
                problems.push(format!("document {}: cannot be read: {error}", at + 1));
                // What follows is not found.
                break;
            }
        };
        let mut found = Problems::default();
        let document = one(&value, cluster, now, &mut found);
        let place = place(&value, at + 1);
        problems.extend(found.0.iter().map(|problem| format!("{place}: {problem}")));
        documents.extend(document);
    }
    check_names(&documents, &mut problems);
    if documents.is_empty() && problems.is_empty() {
        problems.push("there is no document".to_owned());
    }
    if problems.is_empty() {
        return Ok(documents);
    }
    Err(problems)
}

/// How a document is named among others.
fn place(value: &Value, number: usize) -> String {
    let kind = value["kind"].as_str();
    let name = value["metadata"]["name"].as_str();
    match (kind, name) {
        (Some(kind), Some(name)) => format!("{kind} `{name}`"),
        _ => format!("document {number}"),
    }
}

fn check_names(documents: &[Document], problems: &mut Vec<String>) {
    for (at, document) in documents.iter().enumerate() {
        let is_same = |other: &Document| {
            other.kind == document.kind
                && other.namespace == document.namespace
                && other.name == document.name
        };
        if documents[..at].iter().any(is_same) {
            problems.push(format!(
                "{} `{}` is there twice",
                document.kind.as_str(),
                document.name
            ));
        }
    }
}

fn one(
    value: &Value,
    cluster: Option<&ClusterName>,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<Document> {
    const FIELDS: &[&str] = &["apiVersion", "kind", "metadata", "spec", "status"];
    let document = Fields::of(value, "", FIELDS, problems)?;
    let version = document.required_text("apiVersion", problems)?;
    let kind = document.required_text("kind", problems)?;
    let known = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
    let Some(kind) = known else {
        problems.say(UnknownKind::new(kind).to_string());
        return None;
    };
    if version != API_VERSION {
        problems.say(format!(
            "apiVersion `{version}` is not known for {}; it is {API_VERSION}",
            kind.as_str()
        ));
    }
    task::read(kind, value, &document, cluster, now, problems)
}

#[cfg(test)]
mod tests;
