use cassandra_tokens::Partitioner;
use model::{HostId, RingMember};
use uuid::Uuid;

use super::*;

/// `"class=SimpleStrategy replication_factor=3"`.
fn options(text: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        pair.split_once('=')
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
    };
    text.split_whitespace().filter_map(pair).collect()
}

fn topology(datacenters: &[(&str, u32)]) -> Replication {
    let datacenters = datacenters.iter().map(|(name, n)| ((*name).to_owned(), *n));
    Replication::NetworkTopology {
        datacenters: datacenters.collect(),
    }
}

#[test]
fn replications_are_read_with_or_without_package() {
    for (text, expected) in [
        (
            "class=SimpleStrategy replication_factor=3",
            Replication::Simple { replicas: 3 },
        ),
        (
            "class=org.apache.cassandra.locator.NetworkTopologyStrategy dc1=3 dc2=0 dc3=1",
            topology(&[("dc1", 3), ("dc3", 1)]),
        ),
        (
            "class=org.apache.cassandra.locator.EverywhereStrategy",
            Replication::Everywhere,
        ),
        ("class=LocalStrategy", Replication::Local),
    ] {
        assert_eq!(Replication::parse(&options(text)), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_understood_is_named() {
    for (text, expected) in [
        ("dc1=3", "the replication names no class"),
        (
            "class=OldNetworkTopologyStrategy replication_factor=3",
            "replication strategy `OldNetworkTopologyStrategy` is not understood",
        ),
        (
            "class=com.example.Mine",
            "replication strategy `com.example.Mine` is not understood",
        ),
        (
            "class=SimpleStrategy",
            "SimpleStrategy lacks the option `replication_factor`",
        ),
        (
            "class=SimpleStrategy replication_factor=3 dc1=2",
            "SimpleStrategy has the option `dc1`, which is not understood",
        ),
        (
            "class=SimpleStrategy replication_factor=three",
            "`replication_factor` is `three`, which is not a number of replicas",
        ),
        (
            "class=NetworkTopologyStrategy dc1=-1",
            "`dc1` is `-1`, which is not a number of replicas",
        ),
        (
            "class=NetworkTopologyStrategy dc1=3/1",
            "`dc1` is `3/1`: transient replication is not understood",
        ),
        (
            "class=NetworkTopologyStrategy",
            "NetworkTopologyStrategy names no datacenter",
        ),
        (
            "class=NetworkTopologyStrategy replication_factor=3",
            "NetworkTopologyStrategy has `replication_factor` 3 for datacenters that it does not name; a ring is needed to name them",
        ),
        (
            "class=EverywhereStrategy replication_factor=3",
            "EverywhereStrategy has the option `replication_factor`, which is not understood",
        ),
    ] {
        let error = Replication::parse(&options(text)).expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}

fn ring() -> Ring {
    let member = |(id, datacenter, token): (u128, &str, &str)| RingMember {
        host_id: HostId(Uuid::from_u128(id)),
        address: String::new(),
        datacenter: datacenter.into(),
        rack: "r1".into(),
        tokens: token.split_whitespace().map(String::from).collect(),
    };
    let members = [(1, "dc1", "1"), (2, "dc2", "2"), (3, "idle", "")].map(member);
    Ring::new(&Partitioner::Murmur3, &members).expect("a ring")
}

#[test]
fn a_bare_factor_goes_to_the_datacenters_with_token_owners() {
    for (text, expected) in [
        (
            "class=NetworkTopologyStrategy replication_factor=3",
            topology(&[("dc1", 3), ("dc2", 3)]),
        ),
        (
            "class=NetworkTopologyStrategy replication_factor=3 dc2=0 dc9=1",
            topology(&[("dc1", 3), ("dc9", 1)]),
        ),
        (
            "class=SimpleStrategy replication_factor=3",
            Replication::Simple { replicas: 3 },
        ),
    ] {
        let expanded = Replication::expanded(&options(text), &ring());
        assert_eq!(expanded, Ok(expected), "{text}");
    }
}

#[test]
fn datacenters_without_token_owners_are_named() {
    let replication = topology(&[("dc1", 3), ("idle", 1), ("nowhere", 1)]);
    assert_eq!(replication.datacenters_not_in(&ring()), ["idle", "nowhere"]);
}
