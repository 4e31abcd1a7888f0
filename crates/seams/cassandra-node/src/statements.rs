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
        if is_done(node, statement).await.map_err(failed)? {
            continue;
        }
        node.cql.execute(statement).await.map_err(failed)?;
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

/// Whether it would drop a keyspace that is not there. Cassandra asks for the permission to drop it all the same, which
/// cannot be granted on what is not there.
async fn is_done(node: &CassandraNode, statement: &str) -> Result<bool, CqlError> {
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

    #[tokio::test]
    async fn a_keyspace_that_is_not_there_is_not_dropped_and_one_that_is_there_is() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        fake.cql.set(
            "SELECT keyspace_name FROM system_schema.keyspaces",
            json!([{ "keyspace_name": "Shop" }, { "keyspace_name": "ringkeep_trial_2" }]),
        );
        let drops = [
            "DROP KEYSPACE IF EXISTS ringkeep_trial_1",
            "drop keyspace if exists \"ringkeep_trial_2\"",
            // Names are compared as CQL reads them.
            "DROP KEYSPACE IF EXISTS Shop",
            "DROP KEYSPACE IF EXISTS \"Shop\"",
            // Without IF EXISTS, and of a table: left to Cassandra.
            "DROP KEYSPACE ringkeep_trial_1",
            "DROP TABLE IF EXISTS ringkeep_trial_1.t",
        ];
        let drops = drops.map(String::from);
        execute(&fake.node, &drops).await.unwrap();
        let executed = fake.cql.executed.lock().unwrap();
        assert_eq!(*executed, [&drops[1..2], &drops[3..]].concat());
    }

    #[tokio::test]
    async fn a_keyspace_is_not_taken_for_absent_if_the_names_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let names = "SELECT keyspace_name FROM system_schema.keyspaces";
        *fake.cql.refuses.lock().unwrap() = Some(names.to_owned());
        let drop = "DROP KEYSPACE IF EXISTS ringkeep_trial_1".to_owned();
        let error = execute(&fake.node, &[drop]).await.unwrap_err();
        assert_eq!(error.reason(), "CQL_FAILED");
        fake.cql.refuses.lock().unwrap().take();
        fake.cql.set(names, json!([{ "other": "x" }]));
        let drop = "DROP KEYSPACE IF EXISTS ringkeep_trial_1".to_owned();
        execute(&fake.node, &[drop]).await.unwrap_err();
        assert!(fake.cql.executed.lock().unwrap().is_empty());
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
