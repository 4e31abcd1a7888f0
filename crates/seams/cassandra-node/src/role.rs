//! The role that an agent logs in as, and what it may do.

use cassandra_versions::Release;
use model::cql::literal;
use model::{AgentRole, Grant};

use crate::cql::{Cql, CqlError};
use crate::node::CassandraNode;

const SETTINGS: &str = "system_views.settings";
const BUILT_VIEWS: &str = "system.built_views";
const BATCHES: &str = "system.batches";
/// Roles with more grants than this are not weighed grant by grant.
const GRANTS_MAX: usize = 20_000;

/// What the node reports of the role; none without a login.
pub async fn read(node: &CassandraNode, release: &Release) -> Result<Option<AgentRole>, CqlError> {
    let name = &node.settings.cql_username;
    if name.is_empty() {
        return Ok(None);
    }
    let cql = &*node.cql;
    let superuser = superuser(cql, name).await?;
    let grants = match superuser {
        Some(true) => None,
        Some(false) | None => grants(cql, name).await?,
    };
    let mut read = vec![BUILT_VIEWS, BATCHES];
    if release.has_settings_table() {
        read.push(SETTINGS);
    }
    let mut unreadable = Vec::new();
    for table in read {
        let statement = format!("SELECT * FROM {table} LIMIT 1");
        if allowed(cql.query(&statement).await)?.is_none() {
            unreadable.push(table.to_owned());
        }
    }
    Ok(Some(AgentRole {
        name: name.clone(),
        superuser,
        grants,
        unreadable,
    }))
}

/// What was read; none if the node refused, which is no failure here.
pub fn allowed<T>(ended: Result<T, CqlError>) -> Result<Option<T>, CqlError> {
    match ended {
        Ok(value) => Ok(Some(value)),
        Err(CqlError::Statement { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A role is a superuser if any role is that it was granted.
async fn superuser(cql: &dyn Cql, name: &str) -> Result<Option<bool>, CqlError> {
    let statement = format!("LIST ROLES OF {}", literal(name));
    let rows = allowed(cql.query(&statement).await)?.unwrap_or_default();
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(rows.iter().any(|row| row.flag("super") == Ok(true))))
}

async fn grants(cql: &dyn Cql, name: &str) -> Result<Option<Vec<Grant>>, CqlError> {
    let statement = format!("LIST ALL PERMISSIONS OF {}", literal(name));
    let Some(rows) = allowed(cql.query(&statement).await)? else {
        return Ok(None);
    };
    if rows.len() > GRANTS_MAX {
        return Ok(None);
    }
    let mut grants: Vec<Grant> = Vec::new();
    for row in &rows {
        let pair = row
            .optional_text("resource")
            .zip(row.optional_text("permission"));
        // DSE lists what was withheld, too.
        let is_withheld = row.flag("granted") == Ok(false);
        let Some((resource, permission)) = pair.filter(|_| !is_withheld) else {
            continue;
        };
        match grants.iter_mut().find(|grant| grant.resource == resource) {
            Some(grant) => grant.permissions.push(permission.to_owned()),
            None => grants.push(Grant {
                resource: resource.to_owned(),
                permissions: vec![permission.to_owned()],
            }),
        }
    }
    Ok(Some(grants))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::FakeCassandra;

    async fn role_of(name: &str, change: impl FnOnce(&FakeCassandra)) -> Option<AgentRole> {
        let root = tempfile::tempdir().unwrap();
        let mut fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        fake.node.settings.cql_username = name.to_owned();
        change(&fake);
        read(&fake.node, &"cassandra 4.1.9".parse().unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn without_a_login_there_is_no_role() {
        assert_eq!(role_of("", |_| ()).await, None);
    }

    #[tokio::test]
    async fn a_role_is_a_superuser_by_a_role_that_it_was_granted() {
        let role = role_of("rk", |fake| {
            let roles = json!([
                { "role": "rk", "super": false, "login": true },
                { "role": "boss", "super": true, "login": false },
            ]);
            fake.cql.set("LIST ROLES OF 'rk'", roles);
        });
        let role = role.await.unwrap();
        assert_eq!((role.superuser, role.grants), (Some(true), None));
    }

    #[tokio::test]
    async fn what_an_ordinary_role_may_do_and_may_not_read_is_reported() {
        let role = role_of("o'neil", |fake| {
            let roles = json!([{ "role": "o'neil", "super": false }]);
            fake.cql.set("LIST ROLES OF 'o''neil'", roles);
            let grant = |resource: &str, permission: &str| json!({ "role": "o'neil", "resource": resource, "permission": permission });
            let grants = json!([
                grant("<keyspace shop>", "CREATE"),
                grant("<keyspace shop>", "MODIFY"),
                grant("<table a.b>", "SELECT"),
            ]);
            fake.cql.set("LIST ALL PERMISSIONS OF 'o''neil'", grants);
            *fake.cql.refuses.lock().unwrap() =
                Some("SELECT * FROM system.built_views LIMIT 1".to_owned());
        });
        let role = role.await.unwrap();
        assert_eq!(role.superuser, Some(false));
        assert_eq!(role.unreadable, ["system.built_views"]);
        let grants: Vec<String> = role
            .grants
            .unwrap()
            .iter()
            .map(|grant| format!("{} {}", grant.permissions.join("+"), grant.resource))
            .collect();
        assert_eq!(
            grants,
            ["CREATE+MODIFY <keyspace shop>", "SELECT <table a.b>"]
        );
    }

    #[tokio::test]
    async fn a_role_that_may_not_read_the_settings_has_those_of_the_file() {
        let root = tempfile::tempdir().unwrap();
        let mut fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let set = ("auto_snapshot".to_owned(), "false".to_owned());
        fake.node.yaml.switches = [set].into();
        *fake.cql.refuses.lock().unwrap() =
            Some("SELECT name, value FROM system_views.settings".to_owned());
        let release = "cassandra 4.1.9".parse().unwrap();
        let settings = crate::settings::read(&fake.node, &release).await.unwrap();
        assert_eq!(settings.switches, fake.node.yaml.switches);
    }
}
