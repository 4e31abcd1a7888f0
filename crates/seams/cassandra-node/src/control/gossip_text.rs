//! Reads what Cassandra says of gossip, as text of lines.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The addresses of all nodes that it is about.
pub fn gossip_addresses(text: &str) -> BTreeSet<IpAddr> {
    text.lines().filter_map(gossip_address).collect()
}

/// Reads the line that begins a node's part of gossipinfo: `/10.0.0.1`, `n1.example/10.0.0.1`, or with a port.
fn gossip_address(line: &str) -> Option<IpAddr> {
    let (name, address) = line.trim_end().split_once('/')?;
    if name.contains(char::is_whitespace) {
        return None;
    }
    let without_port = address.rsplit_once(':').map(|(host, _)| host);
    let bare = |text: &str| text.trim_matches(['[', ']']).parse().ok();
    bare(address).or_else(|| without_port.and_then(bare))
}
