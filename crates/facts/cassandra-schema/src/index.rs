//! Secondary indexes of every kind.

use std::collections::BTreeMap;

use model::cql::{literal, quote};

use crate::class::simple_name;
use crate::option::{Literal, OptionValue, Options};

/// Which part of a column is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// Only the column is named: its value, or the values of a collection.
    Simple,
    /// The values of a collection.
    Values,
    /// The keys of a map.
    Keys,
    /// The entries of a map.
    Entries,
    /// A frozen collection as one value.
    Full,
}

/// What an index is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexTarget {
    /// Which part of the column.
    pub kind: TargetKind,
    /// The column's name.
    pub column: String,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its keyspace, which is its table's.
    pub keyspace: String,
    /// Its name.
    pub name: String,
    /// The table that it is on.
    pub table: String,
    /// What it indexes; usually one column.
    pub targets: Vec<IndexTarget>,
    /// Whether it is created by `CREATE CUSTOM INDEX`.
    pub is_custom: bool,
    /// The class behind `USING`, as it was written.
    pub class: Option<String>,
    /// The map of `WITH OPTIONS = {…}`.
    pub options: BTreeMap<String, Literal>,
    /// Other options behind `WITH`.
    pub properties: Options,
    /// The `SEARCH INDEX` statements of DSE that create it, as they were written.
    pub search_statements: Vec<String>,
}

/// The kind of an index, independent of how its class was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexKind {
    /// The index in a hidden table, which every release line has.
    Legacy,
    /// A storage-attached index.
    Sai,
    /// A SASI index.
    Sasi,
    /// DSE Search.
    Search,
    /// Another class.
    Custom(String),
}

pub(crate) const SEARCH_CLASS: &str = "com.datastax.bdp.search.solr.Cql3SolrSecondaryIndex";
pub(crate) const LEGACY_INDEX: &str = "legacy_local_table";

impl Index {
    /// The kind of the index, by its class.
    pub fn kind(&self) -> IndexKind {
        let Some(class) = &self.class else {
            return IndexKind::Legacy;
        };
        let simple = simple_name(class);
        let is = |name: &str| simple.eq_ignore_ascii_case(name);
        if is(LEGACY_INDEX) {
            IndexKind::Legacy
        } else if is("sai") || is("StorageAttachedIndex") {
            IndexKind::Sai
        } else if is("SASIIndex") {
            IndexKind::Sasi
        } else if is("Cql3SolrSecondaryIndex")
            || is("ThriftSolrSecondaryIndex")
            || is("SolrSecondaryIndex")
        {
            IndexKind::Search
        } else {
            IndexKind::Custom(class.clone())
        }
    }

    /// `keyspace.name`, quoted if necessary.
    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

    /// The statements that create it, in their order.
    pub fn to_cql(&self) -> Vec<String> {
        if self.search_statements.is_empty() {
            vec![self.create()]
        } else {
            self.search_statements.clone()
        }
    }

    fn create(&self) -> String {
        let targets: Vec<String> = self.targets.iter().map(target_text).collect();
        let mut cql = format!(
            "CREATE {}INDEX {} ON {}.{} ({})",
            if self.is_custom { "CUSTOM " } else { "" },
            quote(&self.name),
            quote(&self.keyspace),
            quote(&self.table),
            targets.join(", ")
        );
        if let Some(class) = &self.class {
            cql.push_str(&format!(" USING {}", literal(class)));
        }
        let mut with = Vec::new();
        if !self.options.is_empty() {
            with.push(format!(
                "OPTIONS = {}",
                OptionValue::Map(self.options.clone())
            ));
        }
        for (name, value) in &self.properties {
            with.push(format!("{} = {value}", quote(name)));
        }
        if !with.is_empty() {
            cql.push_str(&format!(" WITH {}", with.join(" AND ")));
        }
        cql
    }
}

fn target_text(target: &IndexTarget) -> String {
    let column = quote(&target.column);
    match target.kind {
        TargetKind::Simple => column.into_owned(),
        TargetKind::Values => format!("values({column})"),
        TargetKind::Keys => format!("keys({column})"),
        TargetKind::Entries => format!("entries({column})"),
        TargetKind::Full => format!("full({column})"),
    }
}
