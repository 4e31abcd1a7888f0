//! The exception that a call has thrown, and those that caused it.

use crate::error::Thrown;
use crate::java::tree::{Tree, Value};

/// The fields by which exceptions of RMI, of JMX and of Java hold the one that caused them; the more specific come first.
const CAUSES: [&str; 6] = [
    "detail",
    "exception",
    "runtimeException",
    "error",
    "target",
    "cause",
];
/// How many exceptions of a chain are of interest.
const CHAIN_MAX: usize = 8;

/// The exception first, its causes after it. Empty if the value is none.
pub fn chain(tree: &Tree, thrown: Value) -> Vec<Thrown> {
    let mut chain = Vec::new();
    let mut seen = Vec::new();
    let mut next = Some(thrown);
    while let Some(value) = next {
        let Some((class, _)) = tree.object(value) else {
            break;
        };
        // An exception without a cause has itself for its cause.
        if seen.contains(&value) || chain.len() == CHAIN_MAX {
            break;
        }
        seen.push(value);
        let message = tree.field(value, "detailMessage");
        chain.push(Thrown {
            class: class.to_owned(),
            message: message
                .and_then(|it| tree.text(it))
                .unwrap_or_default()
                .to_owned(),
        });
        let mut causes = CAUSES.iter().filter_map(|field| tree.field(value, field));
        next = causes.find(|cause| tree.object(*cause).is_some() && !seen.contains(cause));
    }
    chain
}
