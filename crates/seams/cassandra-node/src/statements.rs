//! Runs the CQL of a plan, statement by statement, with the ring in agreement in between.

use model::cql::{self, Token};

use crate::cql::{CqlError, shorten};
use crate::error::{ErrorKind, NodeError};
use crate::node::CassandraNode;
use crate::ring;
use crate::schema::keyspace_names;

/// Why a plan's CQL was not run to its end.
#[derive(Debug, thiserror::Error)]
#[error(
    "statement {number} of {total}{} was not carried out",
    named(statement, source)
)]
pub struct StatementError {
    /// Of the statement, from 1.
    pub number: usize,
    /// All statements.
    pub total: usize,
    /// The statement.
    pub statement: String,
    /// Why it was not run.
    #[source]
    pub source: CqlError,
}

/// The statement, unless the cause names it.
fn named(statement: &str, source: &CqlError) -> String {
    match source {
        CqlError::Statement { .. } | CqlError::Timeout { .. } | CqlError::Row { .. } => {
            String::new()
        }
        CqlError::Settings { .. }
        | CqlError::Down { .. }
        | CqlError::Login { .. }
        | CqlError::Certificate { .. }
        | CqlError::Disagreement { .. } => format!(", `{}`,", shorten(statement)),
    }
}

impl NodeError for StatementError {
    fn kind(&self) -> ErrorKind {
        self.source.kind()
    }

    fn reason(&self) -> &'static str {
        self.source.reason()
    }

    fn hint(&self) -> Option<String> {
        self.source.hint()
    }
}

/// Runs them in order; returns the schema version that the ring agrees on at the end.
pub async fn execute(
    node: &CassandraNode,
    statements: &[String],
) -> Result<String, StatementError> {
    let total = statements.len();
    for (at, statement) in statements.iter().enumerate() {
        let failed = |source| StatementError {
            number: at + 1,
            total,
            statement: statement.clone(),
            source,
        };
        if let Err(error) = node.cql.execute(statement).await {
            // Other errors say nothing of the keyspace.
            let is_refused = matches!(error, CqlError::Statement { .. });
            if is_refused && drops_nothing(node, statement).await.map_err(failed)? {
                continue;
            }
            return Err(failed(error));
        }
        if changes_schema(statement) {
            ring::await_agreement(&*node.cql, node.cql_timeout())
                .await
                .map_err(failed)?;
        }
    }
    let agreed = ring::await_agreement(&*node.cql, node.cql_timeout()).await;
    agreed.map_err(|source| StatementError {
        number: total,
        total,
        statement: statements.last().cloned().unwrap_or_default(),
        source,
    })
}

/// Whether it drops a keyspace that is not there. Cassandra asks for the permission to drop it all the same, which cannot be
/// granted on what is not there. The statement is run first, because a node whose disk was full while it dropped a keyspace
/// may have it no longer in its tables and still in memory; then dropping it again helps.
async fn drops_nothing(node: &CassandraNode, statement: &str) -> Result<bool, CqlError> {
    let words: Vec<Token> = cql::tokens(statement).take(6).collect();
    let [drop, keyspace, maybe, exists, name] = words.as_slice() else {
        return Ok(false);
    };
    let drops = drop.is("DROP") && keyspace.is("KEYSPACE") && maybe.is("IF") && exists.is("EXISTS");
    let Some(name) = name.name().filter(|_| drops) else {
        return Ok(false);
    };
    Ok(!keyspace_names(&*node.cql).await?.contains(&name))
}

fn changes_schema(statement: &str) -> bool {
    let first = cql::tokens(statement).next();
    first.is_some_and(|token| {
        ["create", "alter", "drop"]
            .iter()
            .any(|word| token.is(word))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::FakeCassandra;

    #[tokio::test]
    async fn statements_run_in_order_and_the_first_that_fails_is_named() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let statements = [
            "CREATE TABLE a.b (c int PRIMARY KEY)",
            "TRUNCATE a.c",
            "TRUNCATE a.d",
        ];
        let statements = statements.map(String::from);
        assert_eq!(execute(&fake.node, &statements).await.unwrap(), "v1");
        assert_eq!(*fake.cql.executed.lock().unwrap(), statements);
        *fake.cql.refuses.lock().unwrap() = Some("TRUNCATE a.c".to_owned());
        let error = execute(&fake.node, &statements).await.unwrap_err();
        let text = format!("{error}: {}", error.source);
        for part in ["statement 2 of 3", "`TRUNCATE a.c`", "no such table"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(error.reason(), "CQL_FAILED");
    }

    const NAMES: &str = "SELECT keyspace_name FROM system_schema.keyspaces";

    #[tokio::test]
    async fn dropping_a_keyspace_may_be_refused_if_it_is_not_there() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let there = json!([{ "keyspace_name": "Shop" }, { "keyspace_name": "ringkeep_trial_2" }]);
        fake.cql.set(NAMES, there);
        let drops = [
            ("DROP KEYSPACE IF EXISTS ringkeep_trial_1", true),
            ("drop keyspace if exists \"ringkeep_trial_2\"", false),
            // Names are compared as CQL reads them.
            ("DROP KEYSPACE IF EXISTS Shop", true),
            ("DROP KEYSPACE IF EXISTS \"Shop\"", false),
            // Without IF EXISTS, and of a table: left to Cassandra.
            ("DROP KEYSPACE ringkeep_trial_1", false),
            ("DROP TABLE IF EXISTS ringkeep_trial_1.t", false),
        ];
        for (drop, is_done) in drops {
            *fake.cql.refuses.lock().unwrap() = Some(drop.to_owned());
            let dropped = execute(&fake.node, &[drop.to_owned()]).await;
            assert_eq!(dropped.is_ok(), is_done, "{drop}: {dropped:?}");
        }
    }

    /// It may be in the memory of a node and in its tables no longer.
    #[tokio::test]
    async fn a_keyspace_that_the_tables_do_not_have_is_dropped_all_the_same() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        fake.cql.set(NAMES, json!([]));
        let drop = ["DROP KEYSPACE IF EXISTS ringkeep_trial_1".to_owned()];
        execute(&fake.node, &drop).await.unwrap();
        assert_eq!(*fake.cql.executed.lock().unwrap(), drop);
    }

    #[tokio::test]
    async fn a_keyspace_is_not_taken_for_absent_if_the_names_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        fake.cql.set(NAMES, json!([{ "other": "x" }]));
        let drop = "DROP KEYSPACE IF EXISTS ringkeep_trial_1".to_owned();
        *fake.cql.refuses.lock().unwrap() = Some(drop.clone());
        execute(&fake.node, &[drop]).await.unwrap_err();
    }

    #[test]
    fn what_changes_the_schema_is_known_by_its_first_word() {
        for statement in [
            "CREATE TABLE a.b (c int PRIMARY KEY)",
            "-- x\n drop view a.b",
            "Alter table a.b",
        ] {
            assert!(changes_schema(statement), "{statement}");
        }
        for statement in ["TRUNCATE a.b", "INSERT INTO a.b", ""] {
            assert!(!changes_schema(statement), "{statement}");
        }
    }
}
