//! How nodetool names tables and protocols, in its arguments and in what it prints.

use model::TableRef;

use crate::control::{ClientProtocol, tables_by_keyspace};

/// The command with the tables of one keyspace at a time, as nodetool takes them.
pub(super) fn by_keyspace<'a>(command: &[&'a str], tables: &'a [TableRef]) -> Vec<Vec<&'a str>> {
    tables_by_keyspace(tables)
        .into_iter()
        .map(|(keyspace, tables)| {
            let names: Vec<&str> = tables.iter().map(|table| table.table.as_str()).collect();
            [command, &["--", keyspace], &names].concat()
        })
        .collect()
}

/// How nodetool calls a protocol in `enable…`, `disable…` and `status…`.
pub(super) fn word(protocol: ClientProtocol) -> &'static str {
    match protocol {
        ClientProtocol::Native => "binary",
        ClientProtocol::Thrift => "thrift",
    }
}

/// Reads `<keyspace> <table> not running`.
pub(super) fn not_running(line: &str) -> Option<TableRef> {
    let mut words = line
        .trim_end()
        .strip_suffix("not running")?
        .split_whitespace();
    Some(TableRef::new(words.next()?, words.next()?))
}
