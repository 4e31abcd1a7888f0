//! What tasks have left on nodes.

use model::leftover::{
    ClearedLeftover, ClearedLeftovers, FoundLeftover, FoundLeftovers, Leftover, LeftoverKind,
    LeftoverOwner,
};

use super::{ConversionError, all, all_into, parsed, required};
use crate::pb::task_runner as runner_pb;
use crate::pb::types as pb;

impl From<LeftoverKind> for pb::LeftoverKind {
    fn from(kind: LeftoverKind) -> Self {
        match kind {
            LeftoverKind::Snapshot => Self::Snapshot,
            LeftoverKind::Staged => Self::Staged,
            LeftoverKind::OldFiles => Self::OldFiles,
        }
    }
}

impl TryFrom<pb::LeftoverKind> for LeftoverKind {
    type Error = ConversionError;

    fn try_from(kind: pb::LeftoverKind) -> Result<Self, ConversionError> {
        match kind {
            pb::LeftoverKind::Snapshot => Ok(Self::Snapshot),
            pb::LeftoverKind::Staged => Ok(Self::Staged),
            pb::LeftoverKind::OldFiles => Ok(Self::OldFiles),
            pb::LeftoverKind::Unspecified => Err(ConversionError::missing("kind")),
        }
    }
}

impl From<Leftover> for pb::Leftover {
    fn from(leftover: Leftover) -> Self {
        Self {
            kind: pb::LeftoverKind::from(leftover.kind) as i32,
            task_id: leftover.task.to_string(),
            bytes: leftover.bytes,
            half_swapped: leftover.half_swapped,
        }
    }
}

impl TryFrom<pb::Leftover> for Leftover {
    type Error = ConversionError;

    fn try_from(leftover: pb::Leftover) -> Result<Self, ConversionError> {
        Ok(Self {
            kind: leftover.kind().try_into()?,
            task: parsed("task_id", &leftover.task_id)?,
            bytes: leftover.bytes,
            half_swapped: leftover.half_swapped,
        })
    }
}

impl From<ClearedLeftover> for pb::ClearedLeftover {
    fn from(cleared: ClearedLeftover) -> Self {
        Self {
            kind: pb::LeftoverKind::from(cleared.kind) as i32,
            task_id: cleared.task.to_string(),
            freed_bytes: cleared.freed_bytes,
            kept_because: cleared.kept_because.unwrap_or_default(),
        }
    }
}

impl TryFrom<pb::ClearedLeftover> for ClearedLeftover {
    type Error = ConversionError;

    fn try_from(cleared: pb::ClearedLeftover) -> Result<Self, ConversionError> {
        Ok(Self {
            kind: cleared.kind().try_into()?,
            task: parsed("task_id", &cleared.task_id)?,
            freed_bytes: cleared.freed_bytes,
            kept_because: (!cleared.kept_because.is_empty()).then_some(cleared.kept_because),
        })
    }
}

impl From<LeftoverOwner> for runner_pb::LeftoverOwner {
    fn from(owner: LeftoverOwner) -> Self {
        match owner {
            LeftoverOwner::Unknown => Self::Unknown,
            LeftoverOwner::Alive => Self::Alive,
            LeftoverOwner::Resumable => Self::Resumable,
            LeftoverOwner::Ended => Self::Ended,
        }
    }
}

impl TryFrom<runner_pb::LeftoverOwner> for LeftoverOwner {
    type Error = ConversionError;

    fn try_from(owner: runner_pb::LeftoverOwner) -> Result<Self, ConversionError> {
        use runner_pb::LeftoverOwner as Wire;
        match owner {
            Wire::Unknown => Ok(Self::Unknown),
            Wire::Alive => Ok(Self::Alive),
            Wire::Resumable => Ok(Self::Resumable),
            Wire::Ended => Ok(Self::Ended),
            Wire::Unspecified => Err(ConversionError::missing("owner")),
        }
    }
}

impl From<FoundLeftover> for runner_pb::FoundLeftover {
    fn from(found: FoundLeftover) -> Self {
        Self {
            agent: found.agent,
            leftover: Some(found.leftover.into()),
            owner: runner_pb::LeftoverOwner::from(found.owner) as i32,
        }
    }
}

impl TryFrom<runner_pb::FoundLeftover> for FoundLeftover {
    type Error = ConversionError;

    fn try_from(found: runner_pb::FoundLeftover) -> Result<Self, ConversionError> {
        Ok(Self {
            owner: found.owner().try_into()?,
            agent: found.agent,
            leftover: required("leftover", found.leftover)?.try_into()?,
        })
    }
}

impl From<FoundLeftovers> for runner_pb::ListLeftoversResponse {
    fn from(leftovers: FoundLeftovers) -> Self {
        Self {
            leftovers: all_into(leftovers.found),
            unreachable: all_into(leftovers.unreachable),
        }
    }
}

impl TryFrom<runner_pb::ListLeftoversResponse> for FoundLeftovers {
    type Error = ConversionError;

    fn try_from(response: runner_pb::ListLeftoversResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            found: all(response.leftovers)?,
            unreachable: all_into(response.unreachable),
        })
    }
}

impl From<ClearedLeftovers> for runner_pb::ClearLeftoversResponse {
    fn from(leftovers: ClearedLeftovers) -> Self {
        use runner_pb::clear_leftovers_response::Cleared;
        let cleared = leftovers.cleared.into_iter();
        Self {
            cleared: cleared
                .map(|(agent, leftover)| Cleared {
                    agent,
                    leftover: Some(leftover.into()),
                })
                .collect(),
            unreachable: all_into(leftovers.unreachable),
        }
    }
}

impl TryFrom<runner_pb::ClearLeftoversResponse> for ClearedLeftovers {
    type Error = ConversionError;

    fn try_from(response: runner_pb::ClearLeftoversResponse) -> Result<Self, ConversionError> {
        let cleared = response.cleared.into_iter().map(|cleared| {
            let leftover = required("leftover", cleared.leftover)?.try_into()?;
            Ok((cleared.agent, leftover))
        });
        Ok(Self {
            cleared: cleared.collect::<Result<_, ConversionError>>()?,
            unreachable: all_into(response.unreachable),
        })
    }
}
