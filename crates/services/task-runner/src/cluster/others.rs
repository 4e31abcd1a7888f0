//! Agents that are found by the ring: of each member at its address, on one port.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use model::HostId;

use crate::context::Context;
use crate::describe::describe_all;

/// Adds the agents of the members of the ring that none of these agents stands beside. Whether they are there is seen when
/// all are asked.
pub(super) async fn add_to(context: &Context, agents: &mut Vec<String>) {
    let described = describe_all(context, agents).await;
    let Some(first) = described.nodes.first() else {
        return;
    };
    let known = described.nodes.iter().map(|node| node.member.host_id);
    let known: BTreeSet<HostId> = known.collect();
    let Some(at) = At::of(&first.agent) else {
        return;
    };
    let unknown = first.ring.iter().filter(|it| !known.contains(&it.host_id));
    for member in unknown {
        let agent = at.address(&member.address);
        // It was given, and did not reply.
        if !agents.contains(&agent) {
            agents.push(agent);
        }
    }
}

/// What the addresses of agents have in common: the scheme in front, and the port.
struct At<'a> {
    scheme: &'a str,
    port: &'a str,
}

impl<'a> At<'a> {
    fn of(agent: &'a str) -> Option<Self> {
        let address = agent.find("://").map_or(0, |at| at + "://".len());
        let (scheme, address) = agent.split_at(address);
        let (_, port) = address.rsplit_once(':')?;
        Some(Self { scheme, port })
    }

    fn address(&self, address: &str) -> String {
        let Self { scheme, port } = self;
        match address.parse::<Ipv6Addr>() {
            Ok(address) => format!("{scheme}[{address}]:{port}"),
            Err(_) => format!("{scheme}{address}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_at_the_address_of_its_node() {
        for (agent, address, expected) in [
            ("10.0.0.1:7401", "10.0.0.2", "10.0.0.2:7401"),
            ("[2001:db8::1]:7401", "2001:db8::2", "[2001:db8::2]:7401"),
            ("https://node-1:7402", "10.0.0.2", "https://10.0.0.2:7402"),
        ] {
            let at = At::of(agent).expect("an address with a port");
            assert_eq!(at.address(address), expected);
        }
    }
}
