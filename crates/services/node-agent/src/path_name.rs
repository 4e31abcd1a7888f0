//! Names from requests that become parts of paths, checked before they do.

use api::{ErrorKind, ServiceError};

/// The longest of these names; file systems end at 255.
const NAME_LEN_MAX: usize = 200;

/// A name that must not become part of a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} `{name}` is no name for a folder; letters, digits, '_' and '-' are")]
pub struct PathNameError {
    pub what: &'static str,
    pub name: String,
}

impl ServiceError for PathNameError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }

    fn reason(&self) -> &'static str {
        "BAD_NAME"
    }

    fn field(&self) -> Option<&str> {
        Some(self.what)
    }
}

/// Accepts what Cassandra accepts in a snapshot's tag; keyspaces and tables are made of less.
pub fn check(what: &'static str, name: &str) -> Result<(), PathNameError> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=NAME_LEN_MAX).contains(&name.len()) && name.chars().all(good) {
        return Ok(());
    }
    Err(PathNameError {
        what,
        name: name.to_owned(),
    })
}

/// The start of every snapshot's tag that is an agent's own. Others may be an operator's.
const OWN_TAG: &str = "ringkeep-";

/// A snapshot's tag that is not one of Ringkeep's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot tag `{0}` is not one of Ringkeep's, which begin with `{OWN_TAG}`")]
pub struct ForeignTagError(pub String);

impl ServiceError for ForeignTagError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }

    fn reason(&self) -> &'static str {
        "FOREIGN_TAG"
    }

    fn field(&self) -> Option<&str> {
        Some("tag")
    }
}

/// Refuses a tag that another than Ringkeep may have given: such a snapshot is neither replaced nor cleared.
pub fn check_own_tag(tag: &str) -> Result<(), ForeignTagError> {
    match tag.strip_prefix(OWN_TAG) {
        Some(rest) if !rest.is_empty() => Ok(()),
        _ => Err(ForeignTagError(tag.to_owned())),
    }
}

/// The task that a snapshot's tag of Ringkeep's is named after.
pub fn task_of_tag(tag: &str) -> &str {
    tag.strip_prefix(OWN_TAG).unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for bad in ["", ".", "..", "a/b", "a b", "ä", "a.b", &"x".repeat(300)] {
            assert!(check("tag", bad).is_err(), "{bad}");
        }
        for good in ["a", "rk-2026_01-A", "0198c0de-0000-7000-8000-000000000000"] {
            assert!(check("tag", good).is_ok(), "{good}");
        }
    }
}
