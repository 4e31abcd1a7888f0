//! Priorities, waiting and pauses between wire and model.

use model::task::{Paused, Priority, QueueOptions, ShownWaiting, TaskKind, Waiting};

use crate::convert::{ConversionError, parsed, parsed_optional, time};
use crate::pb::task_runner as pb;

/// A priority for the wire; none: unspecified.
pub fn wire_priority(priority: Option<Priority>) -> pb::Priority {
    match priority {
        None => pb::Priority::Unspecified,
        Some(Priority::Highest) => pb::Priority::Highest,
        Some(Priority::High) => pb::Priority::High,
        Some(Priority::Normal) => pb::Priority::Normal,
        Some(Priority::Low) => pb::Priority::Low,
        Some(Priority::Lowest) => pb::Priority::Lowest,
    }
}

/// None if it is unspecified, or a word of a newer release.
pub fn priority(wire: i32) -> Option<Priority> {
    match pb::Priority::try_from(wire).ok()? {
        pb::Priority::Unspecified => None,
        pb::Priority::Highest => Some(Priority::Highest),
        pb::Priority::High => Some(Priority::High),
        pb::Priority::Normal => Some(Priority::Normal),
        pb::Priority::Low => Some(Priority::Low),
        pb::Priority::Lowest => Some(Priority::Lowest),
    }
}

/// Refuses a priority of a newer release, because this one would run the task in another order.
pub fn queue_options(wire: Option<pb::QueueOptions>) -> Result<QueueOptions, ConversionError> {
    let wire = wire.unwrap_or_default();
    if pb::Priority::try_from(wire.priority).is_err() {
        let why = format!("{} is no priority that is known here", wire.priority);
        return Err(ConversionError::invalid("queue.priority", why));
    }
    Ok(QueueOptions {
        priority: priority(wire.priority),
        wait: wire.wait,
    })
}

/// For the wire; absent if nothing was asked for.
pub fn wire_queue_options(options: QueueOptions) -> Option<pb::QueueOptions> {
    (options != QueueOptions::default()).then(|| options.into())
}

impl From<QueueOptions> for pb::QueueOptions {
    fn from(options: QueueOptions) -> Self {
        Self {
            priority: wire_priority(options.priority) as i32,
            wait: options.wait,
        }
    }
}

impl From<Waiting> for pb::TaskWaiting {
    fn from(waiting: Waiting) -> Self {
        let kind = waiting.kind.map(pb::TaskKind::from);
        Self {
            since: time(waiting.since),
            task_id: waiting.task.map(|id| id.to_string()).unwrap_or_default(),
            kind: kind.unwrap_or(pb::TaskKind::Unspecified) as i32,
            why: waiting.why,
        }
    }
}

impl TryFrom<pb::TaskWaiting> for ShownWaiting {
    type Error = ConversionError;

    fn try_from(waiting: pb::TaskWaiting) -> Result<Self, ConversionError> {
        let kind = pb::TaskKind::try_from(waiting.kind).ok();
        Ok(Self {
            since: parsed_optional("waiting.since", &waiting.since)?,
            task: parsed_optional("waiting.task_id", &waiting.task_id)?,
            kind: kind.and_then(|kind| TaskKind::try_from(kind).ok()),
            why: waiting.why,
        })
    }
}

impl From<Paused> for pb::TaskPaused {
    fn from(paused: Paused) -> Self {
        Self {
            since: time(paused.since),
            why: paused.why,
            gave_up: paused.gave_up,
            keeps_cluster: paused.keeps_cluster,
        }
    }
}

impl TryFrom<pb::TaskPaused> for Paused {
    type Error = ConversionError;

    fn try_from(paused: pb::TaskPaused) -> Result<Self, ConversionError> {
        Ok(Self {
            since: parsed("paused.since", &paused.since)?,
            why: paused.why,
            gave_up: paused.gave_up,
            keeps_cluster: paused.keeps_cluster,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_survives_the_wire_and_an_unknown_one_is_refused() {
        for one in Priority::ALL {
            let options = QueueOptions {
                priority: Some(one),
                wait: true,
            };
            assert_eq!(queue_options(Some(options.into())), Ok(options));
        }
        assert_eq!(queue_options(None), Ok(QueueOptions::default()));
        let newer = pb::QueueOptions {
            priority: 99,
            wait: false,
        };
        assert!(queue_options(Some(newer)).is_err());
    }
}
