//! What the end of a call over JMX means.

use std::time::Duration;

use jmx::{Argument, JmxError, Thrown};

use crate::control::ControlError;
use crate::control::hints::{FAILED_HINT, LOGIN_HINT, TIMEOUT_HINT, already_exists};

/// What JMX throws for an attribute or an operation that the release does not have.
const LACKING: [&str; 2] = [
    "javax.management.AttributeNotFoundException",
    "java.lang.NoSuchMethodException",
];
/// Exceptions of JMX that only wrap the one that Cassandra threw.
const WRAPPERS: &str = "javax.management.";
/// What operations on SSTables return if other compactions did not let them begin.
const ABORTED: i64 = 1;

const UNREACHABLE_HINT: &str =
    "start Cassandra, or set jmx_address in [cassandra] to where its JMX listens";
const UNSUPPORTED_HINT: &str =
    "set `nodetool` in [cassandra] to the one of Cassandra's own release, which is used instead";
const BY_NODETOOL_HINT: &str =
    "nodetool does it: set `nodetool` in [cassandra] to the one of Cassandra's own release";
const EXISTS_HINT: &str = "wait until no snapshot is being taken on the node";

/// A call as errors show it.
pub fn shown(operation: &str, arguments: &[Argument]) -> String {
    let texts = arguments.iter().filter_map(|argument| match argument {
        Argument::Text(text) => Some(text.clone()),
        Argument::Texts(texts) | Argument::TextSet(texts) => Some(texts.join(" ")),
        Argument::Bool(_) | Argument::Int(_) | Argument::EmptyMap => None,
    });
    let words: Vec<String> = std::iter::once(operation.to_owned())
        .chain(texts)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// What an error of a call means.
pub fn judge(operation: &str, error: &JmxError) -> ControlError {
    let operation = operation.to_owned();
    match error {
        JmxError::Down { .. } => ControlError::Unreachable {
            operation,
            why: error.to_string(),
            hint: UNREACHABLE_HINT,
        },
        JmxError::Connection { .. } => ControlError::Broken {
            operation,
            why: error.to_string(),
            hint: UNREACHABLE_HINT,
        },
        JmxError::Login(chain) => ControlError::Login {
            operation,
            why: why(chain),
            hint: LOGIN_HINT,
        },
        JmxError::Thrown(chain) if is_lacking(chain) => ControlError::Unsupported {
            operation,
            why: why(chain),
            hint: UNSUPPORTED_HINT,
        },
        JmxError::Thrown(chain) => failed(&operation, why(chain)),
        JmxError::Unsupported { .. } | JmxError::Reply { .. } => ControlError::Unsupported {
            operation,
            why: error.to_string(),
            hint: UNSUPPORTED_HINT,
        },
    }
}

/// The error of a snapshot, which may exist.
pub fn of_snapshot(tag: &str, error: ControlError) -> ControlError {
    match error {
        ControlError::Failed { why, .. } if already_exists(&why) => ControlError::SnapshotExists {
            tag: tag.to_owned(),
            hint: EXISTS_HINT,
        },
        other => other,
    }
}

pub fn failed(operation: &str, why: String) -> ControlError {
    ControlError::Failed {
        operation: operation.to_owned(),
        why,
        hint: FAILED_HINT,
    }
}

/// A value of a type that no known release returns.
pub fn no_such_value(operation: &str) -> ControlError {
    ControlError::Unsupported {
        operation: operation.to_owned(),
        why: "it returned a value of an unknown type".to_owned(),
        hint: UNSUPPORTED_HINT,
    }
}

/// A call that is left to nodetool.
pub fn by_nodetool(operation: String) -> ControlError {
    ControlError::Unsupported {
        operation,
        why: "it is not done over JMX".to_owned(),
        hint: BY_NODETOOL_HINT,
    }
}

pub fn timeout(operation: &str, limit: Duration) -> ControlError {
    ControlError::Timeout {
        operation: operation.to_owned(),
        seconds: limit.as_secs(),
        hint: TIMEOUT_HINT,
    }
}

/// The status of an operation on SSTables that is not success.
pub fn aborted(status: i64) -> String {
    if status == ABORTED {
        "some SSTables were left out, because Cassandra aborted it".to_owned()
    } else {
        format!("status {status}: other compactions of the table could not be cancelled")
    }
}

fn is_lacking(chain: &[Thrown]) -> bool {
    chain.iter().any(|it| LACKING.contains(&it.class.as_str()))
}

/// The exceptions of Cassandra itself, or all if there are none.
fn why(chain: &[Thrown]) -> String {
    let wraps = |it: &&Thrown| it.class.starts_with(WRAPPERS);
    let own: Vec<String> = chain
        .iter()
        .skip_while(wraps)
        .map(ToString::to_string)
        .collect();
    if own.is_empty() {
        let all: Vec<String> = chain.iter().map(ToString::to_string).collect();
        return all.join(", caused by ");
    }
    own.join(", caused by ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thrown(classes: &[(&str, &str)]) -> JmxError {
        let chain = classes.iter().map(|(class, message)| Thrown {
            class: (*class).to_owned(),
            message: (*message).to_owned(),
        });
        JmxError::Thrown(chain.collect())
    }

    #[test]
    fn cassandras_own_exception_is_shown_and_not_what_wraps_it() {
        let error = thrown(&[
            ("javax.management.MBeanException", "java.io.IOException: no"),
            ("java.io.IOException", "no"),
        ]);
        let error = judge("drain", &error);
        assert_eq!(error.to_string(), "`drain` failed with IOException: no");
        let only = thrown(&[("javax.management.InstanceNotFoundException", "k.t")]);
        let error = judge("Value of JMX", &only).to_string();
        assert!(error.contains("InstanceNotFoundException: k.t"), "{error}");
    }

    #[test]
    fn a_snapshot_that_exists_is_distinguished_from_other_failures() {
        for (message, exists) in [
            ("Snapshot t already exists.", true),
            ("Tried to create duplicate hard link to /x", true),
            ("Unknown keyspace k", false),
        ] {
            let error = judge(
                "takeSnapshot t",
                &thrown(&[("java.io.IOException", message)]),
            );
            let error = of_snapshot("t", error);
            let is = matches!(error, ControlError::SnapshotExists { .. });
            assert_eq!(is, exists, "{message}");
        }
    }

    #[test]
    fn what_a_release_lacks_is_unsupported_and_only_a_refused_connection_is_a_node_that_is_down() {
        for class in LACKING {
            let error = judge(
                "x",
                &thrown(&[("javax.management.ReflectionException", ""), (class, "x")]),
            );
            assert!(matches!(error, ControlError::Unsupported { .. }), "{class}");
        }
        let address = "h:1".to_owned();
        let source = std::io::ErrorKind::ConnectionReset.into();
        let broken = judge("x", &JmxError::Connection { address, source });
        assert!(matches!(broken, ControlError::Broken { .. }), "{broken}");
        let address = "h:1".to_owned();
        let down = judge("x", &JmxError::Down { address });
        assert!(matches!(down, ControlError::Unreachable { .. }), "{down}");
        let login = JmxError::Login(Vec::new());
        assert!(matches!(judge("x", &login), ControlError::Login { .. }));
    }

    #[test]
    fn calls_are_shown_with_the_names_that_they_are_about() {
        let arguments = [
            "k".into(),
            true.into(),
            Argument::Texts(vec!["t".into(), "u".into()]),
        ];
        assert_eq!(
            shown("upgradeSSTables", &arguments),
            "upgradeSSTables k t u"
        );
        let none = ["t".into(), Argument::Texts(Vec::new())];
        assert_eq!(shown("clearSnapshot", &none), "clearSnapshot t");
    }
}
