//! Fences: by which grant of a lease a caller changes something on a node.
//!
//! The task-runner drives a task under a lease of its state store, and each grant of a lease has a higher number than the one
//! before. A runner that was paused for longer than its lease does not know that another drives its task by now. So its calls
//! carry the number of each [`Scope`] that it acts for, and an agent refuses a number below one that it has seen.

use std::fmt;
use std::str::FromStr;

use model::TaskId;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use uuid::Uuid;

/// The metadata key of [`Fences`].
pub const FENCE_HEADER: &str = "ringkeep-fence";
/// The reason of an agent that has seen a higher number.
pub const FENCED: &str = "FENCED";
/// Scopes of one call.
const FENCES_MAX: usize = 4;

/// What a number counts for: numbers of different scopes are never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All that is done for one task.
    Task(TaskId),
    /// All that is done by tasks that have a cluster to themselves. The id is of its registration at one state store: another
    /// store counts for itself.
    Cluster(Uuid),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(id) => write!(f, "task/{id}"),
            Self::Cluster(id) => write!(f, "cluster/{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = FenceSyntax;

    fn from_str(text: &str) -> Result<Self, FenceSyntax> {
        let (kind, id) = text.split_once('/').ok_or(FenceSyntax)?;
        let id = Uuid::from_str(id).map_err(|_| FenceSyntax)?;
        match kind {
            "task" => Ok(Self::Task(TaskId(id))),
            "cluster" => Ok(Self::Cluster(id)),
            _ => Err(FenceSyntax),
        }
    }
}

/// A text that is no fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{FENCE_HEADER}` is written like `task/UUID=3,cluster/UUID=17`, each scope once")]
pub struct FenceSyntax;

/// The numbers under which a call is made, each scope once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fences(Vec<(Scope, u64)>);

impl Fences {
    /// Of a task alone.
    pub fn of_task(task: TaskId, number: u64) -> Self {
        Self(vec![(Scope::Task(task), number)])
    }

    /// The same, and of the cluster that the task has to itself.
    #[must_use]
    pub fn and_cluster(mut self, registration: Uuid, number: u64) -> Self {
        self.0.push((Scope::Cluster(registration), number));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Scope, u64)> + '_ {
        self.0.iter().copied()
    }

    /// Those of a call; none if it has no such metadata.
    pub fn of_call(metadata: &MetadataMap) -> Result<Self, FenceSyntax> {
        let Some(value) = metadata.get(FENCE_HEADER) else {
            return Ok(Self::default());
        };
        value.to_str().map_err(|_| FenceSyntax)?.parse()
    }

    /// For the metadata of calls; none if there are no numbers.
    pub(crate) fn value(&self) -> Option<MetadataValue<Ascii>> {
        let value = self.to_string().parse();
        let value = value.expect("ids and digits are ASCII");
        (!self.is_empty()).then_some(value)
    }
}

impl fmt::Display for Fences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (scope, number)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{scope}={number}")?;
        }
        Ok(())
    }
}

impl FromStr for Fences {
    type Err = FenceSyntax;

    fn from_str(text: &str) -> Result<Self, FenceSyntax> {
        let mut fences: Vec<(Scope, u64)> = Vec::new();
        for part in text.split(',') {
            let (scope, number) = part.split_once('=').ok_or(FenceSyntax)?;
            let scope: Scope = scope.parse()?;
            let is_known = fences.iter().any(|(known, _)| *known == scope);
            if is_known || fences.len() == FENCES_MAX {
                return Err(FenceSyntax);
            }
            fences.push((scope, number.parse().map_err(|_| FenceSyntax)?));
        }
        Ok(Self(fences))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: Uuid = Uuid::from_u128(1);
    const CLUSTER: Uuid = Uuid::from_u128(2);

    #[test]
    fn fences_are_read_as_they_were_written() {
        let fences = Fences::of_task(TaskId(TASK), 3).and_cluster(CLUSTER, u64::MAX);
        let text = fences.to_string();
        assert_eq!(
            text,
            format!("task/{TASK}=3,cluster/{CLUSTER}={}", u64::MAX)
        );
        assert_eq!(text.parse(), Ok(fences));
        assert_eq!(Fences::default().value(), None);
        assert_eq!(Fences::of_call(&MetadataMap::new()), Ok(Fences::default()));
    }

    #[test]
    fn a_text_that_is_no_fence_is_refused() {
        let many: Vec<String> = (0..=FENCES_MAX)
            .map(|n| format!("task/{}=1", Uuid::from_u128(n as u128)))
            .collect();
        for text in [
            String::new(),
            "7".to_owned(),
            format!("task/{TASK}"),
            format!("task/{TASK}=-1"),
            format!("task/{TASK}=99999999999999999999"),
            format!("host/{TASK}=1"),
            "task/../x=1".to_owned(),
            format!("task/{TASK}=1,"),
            format!("task/{TASK}=1,task/{TASK}=2"),
            many.join(","),
        ] {
            assert_eq!(text.parse::<Fences>(), Err(FenceSyntax), "{text}");
        }
    }
}
