//! The labels of DSE Graph since 6.8: which table is a vertex, and which an edge between two.
//!
//! The columns are those that DataStax's own drivers read. No DSE was at hand to try them on.

use std::collections::BTreeMap;

use model::cql::quote;

use super::{odd, rows_of, select_keyspace};
use crate::cql::{Cql, CqlError, Row, RowError};

const VERTICES: &str = "vertices";
const EDGES: &str = "edges";

/// The labels of one keyspace by table; none of a keyspace without a graph.
#[derive(Default)]
pub(super) struct Labels {
    keyspace: String,
    vertices: BTreeMap<String, Row>,
    edges: BTreeMap<String, Row>,
}

impl Labels {
    pub async fn read(cql: &dyn Cql, keyspace: &str) -> Result<Self, CqlError> {
        Ok(Self {
            keyspace: keyspace.to_owned(),
            vertices: by_table(rows_of(cql, VERTICES, keyspace).await?),
            edges: by_table(rows_of(cql, EDGES, keyspace).await?),
        })
    }

    pub fn is_edge(&self, table: &str) -> bool {
        self.edges.contains_key(table)
    }

    /// The label of a table, as it is written behind `WITH`.
    pub fn of(&self, table: &str) -> Result<Option<String>, CqlError> {
        if let Some(vertex) = self.vertices.get(table) {
            let label = vertex.text("label_name");
            let label = label.map_err(odd(&select_keyspace(VERTICES, &self.keyspace)))?;
            return Ok(Some(format!("VERTEX LABEL {}", quote(label))));
        }
        let edge = self.edges.get(table).map(|edge| self.edge(edge));
        edge.transpose()
            .map_err(odd(&select_keyspace(EDGES, &self.keyspace)))
    }

    fn edge(&self, edge: &Row) -> Result<String, RowError> {
        Ok(format!(
            "EDGE LABEL {} FROM {} TO {}",
            quote(edge.text("label_name")?),
            self.end(edge, "from")?,
            self.end(edge, "to")?
        ))
    }

    /// `label(columns)`: the vertex by its label, and the columns of the edge that are its key.
    fn end(&self, edge: &Row, side: &str) -> Result<String, RowError> {
        let table = edge.text(&format!("{side}_table"))?;
        let label = match self.vertices.get(table) {
            Some(vertex) => vertex.text("label_name")?,
            None => table,
        };
        let names = |column: String| -> Result<Vec<String>, RowError> {
            let names = edge.texts(&column)?;
            Ok(names.iter().map(|name| quote(name).into_owned()).collect())
        };
        let partition = names(format!("{side}_partition_key_columns"))?;
        let mut columns = vec![match partition.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(", ")),
        }];
        columns.extend(names(format!("{side}_clustering_columns"))?);
        Ok(format!("{}({})", quote(label), columns.join(", ")))
    }
}

fn by_table(rows: Vec<Row>) -> BTreeMap<String, Row> {
    let named = rows.into_iter().filter_map(|row| {
        let name = row.optional_text("table_name")?.to_owned();
        Some((name, row))
    });
    named.collect()
}
