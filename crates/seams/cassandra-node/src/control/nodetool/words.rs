//! How nodetool names tables, addresses and protocols, in its arguments and in what it prints.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::TableRef;

use crate::control::ClientProtocol;

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

pub(super) fn tables_by_keyspace(tables: &[TableRef]) -> BTreeMap<&str, Vec<&TableRef>> {
    let mut keyspaces: BTreeMap<&str, Vec<&TableRef>> = BTreeMap::new();
    for table in tables {
        keyspaces.entry(&table.keyspace).or_default().push(table);
    }
    keyspaces
}

/// Reads the line that begins a node's part of gossipinfo: `/10.0.0.1`, `n1.example/10.0.0.1`, or with a port.
pub(super) fn gossip_address(line: &str) -> Option<IpAddr> {
    let (name, address) = line.trim_end().split_once('/')?;
    if name.contains(char::is_whitespace) {
        return None;
    }
    let without_port = address.rsplit_once(':').map(|(host, _)| host);
    let bare = |text: &str| text.trim_matches(['[', ']']).parse().ok();
    bare(address).or_else(|| without_port.and_then(bare))
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
