//! Reads the schema of a real node: as it describes itself, or before 4.0 out of a snapshot and the schema's tables.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use cassandra_schema::{Schema, Table};
use lab::session::rows;
use lab::{Cluster, Release};
use model::cql::{literal, quote, statements as cql_statements};
use scylla::client::session::Session;
use scylla::value::CqlValue;

type Row = Vec<Option<CqlValue>>;

/// All of these keyspaces; fails where anything is not understood.
pub async fn schema(cluster: &Cluster, session: &Session, keyspaces: &[&str]) -> Result<Schema> {
    let mut statements = Vec::new();
    for keyspace in keyspaces {
        if cluster.release() == Release::C311 {
            statements.extend(made_of_rows(session, keyspace).await?);
        } else {
            let describe = format!("DESCRIBE KEYSPACE {} WITH INTERNALS", quote(keyspace));
            for row in rows(session, &describe).await? {
                statements.push(text(&row, 3)?);
            }
        }
    }
    if cluster.release() == Release::C311 {
        statements.extend(of_snapshot(cluster, session, keyspaces).await?);
    }
    let whole = statements.join(";\n");
    let (mut schema, problems) = Schema::parse_text(&whole);
    ensure!(problems.is_empty(), "not understood: {problems:#?}");
    for table in schema.tables.iter_mut().filter(|table| table.has_no_cql) {
        identify(session, table).await?;
    }
    Ok(schema)
}

/// Since 4.0 tables of COMPACT STORAGE are described by a comment only. Their tables of the schema know more.
async fn identify(session: &Session, table: &mut Table) -> Result<()> {
    let query = format!(
        "SELECT id, flags FROM system_schema.tables WHERE keyspace_name = '{}' AND table_name = '{}'",
        table.keyspace, table.name
    );
    let rows = rows(session, &query).await?;
    let [row] = &rows[..] else {
        anyhow::bail!("{} is not there", table.cql_name());
    };
    let (Some(CqlValue::Uuid(id)), Some(CqlValue::Set(flags))) = (&row[0], &row[1]) else {
        anyhow::bail!("{row:?} is no table");
    };
    let has = |flag: &str| {
        flags
            .iter()
            .any(|value| value.as_text().is_some_and(|text| text == flag))
    };
    table.id = Some(id.to_string().parse()?);
    table.compact_storage = has("dense") || !has("compound");
    Ok(())
}

/// Keyspace, types, functions and aggregates.
async fn made_of_rows(session: &Session, keyspace: &str) -> Result<Vec<String>> {
    let select = |columns: &str, table: &str| {
        format!("SELECT {columns} FROM system_schema.{table} WHERE keyspace_name = '{keyspace}'")
    };
    let mut made = Vec::new();
    for row in rows(session, &select("replication, durable_writes", "keyspaces")).await? {
        let Some(Some(CqlValue::Map(options))) = row.first() else {
            anyhow::bail!("no replication");
        };
        let options: Option<Vec<String>> = options
            .iter()
            .map(|(key, value)| {
                Some(format!(
                    "{}: {}",
                    literal(key.as_text()?),
                    literal(value.as_text()?)
                ))
            })
            .collect();
        made.push(format!(
            "CREATE KEYSPACE {} WITH replication = {{{}}} AND durable_writes = {}",
            quote(keyspace),
            options.context("texts")?.join(", "),
            row[1] == Some(CqlValue::Boolean(true))
        ));
    }
    let name = |row: &Row| {
        Ok::<_, anyhow::Error>(format!("{}.{}", quote(keyspace), quote(&text(row, 0)?)))
    };
    for row in rows(
        session,
        &select("type_name, field_names, field_types", "types"),
    )
    .await?
    {
        let fields = pairs(&texts(&row, 1)?, &texts(&row, 2)?);
        made.push(format!("CREATE TYPE {} ({fields})", name(&row)?));
    }
    let columns = "function_name, argument_names, argument_types, called_on_null_input, return_type, language, body";
    for row in rows(session, &select(columns, "functions")).await? {
        let arguments = pairs(&texts(&row, 1)?, &texts(&row, 2)?);
        let on_null = match row[3] {
            Some(CqlValue::Boolean(true)) => "CALLED",
            _ => "RETURNS NULL",
        };
        made.push(format!(
            "CREATE FUNCTION {}({arguments}) {on_null} ON NULL INPUT RETURNS {} LANGUAGE {} AS {}",
            name(&row)?,
            text(&row, 4)?,
            text(&row, 5)?,
            literal(&text(&row, 6)?)
        ));
    }
    let columns = "aggregate_name, argument_types, state_func, state_type, final_func, initcond";
    for row in rows(session, &select(columns, "aggregates")).await? {
        let mut cql = format!(
            "CREATE AGGREGATE {}({}) SFUNC {} STYPE {}",
            name(&row)?,
            texts(&row, 1)?.join(", "),
            quote(&text(&row, 2)?),
            text(&row, 3)?
        );
        if row[4].is_some() {
            cql.push_str(&format!(" FINALFUNC {}", quote(&text(&row, 4)?)));
        }
        if row[5].is_some() {
            cql.push_str(&format!(" INITCOND {}", text(&row, 5)?));
        }
        made.push(cql);
    }
    Ok(made)
}

/// Tables with their indexes, and views, out of the files that a snapshot has of them. What Cassandra writes there without
/// quotes is left out: types, and how views begin.
async fn of_snapshot(
    cluster: &Cluster,
    session: &Session,
    keyspaces: &[&str],
) -> Result<Vec<String>> {
    let node = cluster.node(0);
    let mut arguments = vec!["snapshot", "-t", "schema", "--"];
    arguments.extend(keyspaces);
    node.nodetool(&arguments).await?;
    let (mut tables, mut views) = (Vec::new(), Vec::new());
    for keyspace in keyspaces {
        let heads = heads_of_views(session, keyspace).await?;
        for folder in fs::read_dir(node.data_dirs[0].join(keyspace))? {
            let folder = folder?;
            // What was dropped left its folder behind.
            let file = folder.path().join("snapshots/schema/schema.cql");
            let Ok(cql) = fs::read_to_string(&file) else {
                continue;
            };
            let folder = folder.file_name().to_string_lossy().into_owned();
            let name = folder.split('-').next().unwrap_or_default();
            match heads.get(name) {
                Some(head) => {
                    let (_, tail) = cql.split_once("PRIMARY KEY").context("a key")?;
                    views.push(format!("{head} PRIMARY KEY {tail}"));
                }
                None => {
                    let statements = cql_statements(&cql).into_iter();
                    let is_type = |statement: &&str| statement.starts_with("CREATE TYPE");
                    tables.extend(
                        statements
                            .filter(|statement| !is_type(statement))
                            .map(str::to_owned),
                    );
                }
            }
        }
    }
    node.nodetool(&["clearsnapshot", "-t", "schema"]).await?;
    tables.append(&mut views);
    Ok(tables)
}

/// By their names, up to their keys.
async fn heads_of_views(session: &Session, keyspace: &str) -> Result<BTreeMap<String, String>> {
    let query = format!(
        "SELECT view_name, base_table_name, include_all_columns, where_clause FROM system_schema.views \
         WHERE keyspace_name = '{keyspace}'"
    );
    let mut heads = BTreeMap::new();
    for row in rows(session, &query).await? {
        let name = text(&row, 0)?;
        let mut selected = Vec::new();
        if row[2] == Some(CqlValue::Boolean(true)) {
            selected.push("*".to_owned());
        } else {
            let query = format!(
                "SELECT column_name FROM system_schema.columns WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
            );
            for row in rows(session, &query).await? {
                selected.push(quote(&text(&row, 0)?).into_owned());
            }
        }
        let head = format!(
            "CREATE MATERIALIZED VIEW {0}.{1} AS SELECT {2} FROM {0}.{3} WHERE {4}",
            quote(keyspace),
            quote(&name),
            selected.join(", "),
            quote(&text(&row, 1)?),
            text(&row, 3)?
        );
        heads.insert(name, head);
    }
    Ok(heads)
}

fn pairs(names: &[String], types: &[String]) -> String {
    let pairs = names.iter().zip(types);
    let pairs: Vec<String> = pairs
        .map(|(name, of)| format!("{} {of}", quote(name)))
        .collect();
    pairs.join(", ")
}

fn text(row: &[Option<CqlValue>], at: usize) -> Result<String> {
    let value = row.get(at).and_then(Option::as_ref);
    let text = value.and_then(CqlValue::as_text).cloned();
    text.with_context(|| format!("no text at {at} of {row:?}"))
}

/// An empty list is nothing to Cassandra.
fn texts(row: &[Option<CqlValue>], at: usize) -> Result<Vec<String>> {
    let Some(CqlValue::List(values)) = row.get(at).and_then(Option::as_ref) else {
        return Ok(Vec::new());
    };
    let texts: Option<Vec<String>> = values
        .iter()
        .map(|value| value.as_text().cloned())
        .collect();
    texts.context("a list of texts")
}
