//! Into any ring, every node is given what the mapping says, and its figures are those of a plain sum.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::{Cut, Partitioner, Token, TokenRange, TokenRanges};
use model::manifest::{NodeSstables, SstableFacts};
use model::{HostId, RingMember, SourceShare};
use placement::{DatacenterMap, Mapping, Replication, Ring, Source, Target};
use plan::{NodePlan, RestoreRequest, plan_restore};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::world::*;

const PARTITIONER: Partitioner = Partitioner::Murmur3;

/// Racks and tokens of the members, and how many replicas each row has.
#[derive(Debug, Clone)]
struct Shape {
    members: Vec<(u8, BTreeSet<i64>)>,
    replicas: u32,
}

impl Shape {
    fn ring(&self, like: &[RingMember]) -> Vec<RingMember> {
        let members = self.members.iter().enumerate();
        let mut seen = BTreeSet::new();
        members
            .map(|(at, (rack, tokens))| RingMember {
                host_id: HostId(uuid::Uuid::from_u128(
                    like[0].host_id.0.as_u128() + at as u128,
                )),
                address: format!("{}{}", like[0].address.trim_end_matches('1'), at + 1),
                datacenter: "dc1".into(),
                rack: format!("r{rack}"),
                tokens: tokens
                    .iter()
                    .filter(|token| seen.insert(**token))
                    .map(ToString::to_string)
                    .collect(),
            })
            .filter(|member| !member.tokens.is_empty())
            .collect()
    }

    fn replication(&self) -> String {
        format!(
            "{{'class': 'NetworkTopologyStrategy', 'dc1': '{}'}}",
            self.replicas
        )
    }

    fn parsed(&self) -> Replication {
        Replication::NetworkTopology {
            datacenters: BTreeMap::from([("dc1".to_owned(), self.replicas)]),
        }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let tokens =
        proptest::collection::btree_set(any::<i64>().prop_filter("none", |t| *t != i64::MIN), 1..4);
    let members = proptest::collection::vec((0..3_u8, tokens), 1..6);
    (members, 1..4_u32).prop_map(|(members, replicas)| Shape { members, replicas })
}

/// The spans of some SSTables, and how large each is.
fn spans() -> impl Strategy<Value = Vec<(i64, i64, u64)>> {
    let token = || any::<i64>().prop_filter("none", |token| *token != i64::MIN);
    proptest::collection::vec((token(), token(), 1..GIB), 1..12)
}

/// Every source node has all of the SSTables, whatever its ranges are: a plan does not ask why.
fn request_of(source: &Shape, target: &Shape, spans: &[(i64, i64, u64)]) -> RestoreRequest {
    let (mut from, mut into) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    from.ring = source.ring(&from.ring);
    into.ring = target.ring(&into.ring);
    let facts = spans
        .iter()
        .enumerate()
        .map(|(at, (a, b, bytes))| SstableFacts {
            bytes: *bytes,
            ..sstable(&format!("nb-{at}-big"), (*a).min(*b), (*a).max(*b))
        });
    from.replicate("shop", &source.replication())
        .holds("shop.orders", facts.collect())
        .without("shop.Metrics_2");
    into.replicate("shop", &target.replication())
        .without("shop.Metrics_2");
    request(&from, &into)
}

/// What the mapping says, asked for apart from the plan.
fn mapping(request: &RestoreRequest, source: &Shape, target: &Shape) -> (Mapping, Ring, Ring) {
    let from = Ring::new(&PARTITIONER, &request.backup.ring).expect("a ring");
    let into = Ring::new(&PARTITIONER, &request.nodes[0].ring).expect("a ring");
    let nodes = request.backup.nodes.iter();
    let stored = nodes.map(|node| (node.host_id, node.bytes)).collect();
    let available = request
        .backup
        .nodes
        .iter()
        .map(|node| node.host_id)
        .collect();
    let names = DatacenterMap::same_names(&from, &into);
    let mapping = placement::map(
        &Source {
            ring: &from,
            replication: &source.parsed(),
            available: &available,
            stored_bytes: &stored,
        },
        &Target {
            ring: &into,
            replication: &target.parsed(),
        },
        &names,
    );
    (mapping.expect("a mapping"), from, into)
}

fn ranges(share: &SourceShare) -> TokenRanges {
    let range = |it: &model::RangeText| {
        TokenRange::parse(&PARTITIONER, &it.left, &it.right).expect("a range")
    };
    TokenRanges::new(share.ranges.iter().map(range))
}

/// What is taken of the SSTables by these shares, each cut as it would be on the node.
#[derive(Debug, Default, PartialEq)]
struct Sum {
    whole_bytes: u64,
    sliced_bytes_max: u64,
    sstables: u64,
    sliced: u64,
}

fn sum(shares: &[SourceShare], sstables: &[NodeSstables]) -> Sum {
    let mut sum = Sum::default();
    for share in shares {
        let wanted = ranges(share);
        let of_source = sstables.iter().filter(|node| node.host_id == share.source);
        for facts in of_source
            .flat_map(|node| &node.tables)
            .flat_map(|table| &table.sstables)
        {
            let token = |text: &Option<String>| -> Token {
                PARTITIONER
                    .parse_token(text.as_deref().expect("a token"))
                    .expect("a token")
            };
            match wanted.cut(&token(&facts.first_token), &token(&facts.last_token)) {
                Cut::None => continue,
                Cut::Whole => sum.whole_bytes += facts.bytes,
                Cut::Part => {
                    sum.sliced += 1;
                    sum.sliced_bytes_max += facts.bytes;
                }
            }
            sum.sstables += 1;
        }
    }
    sum
}

fn check_figures(node: &NodePlan, sum: &Sum) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        (node.sstables, node.sliced_sstables),
        (sum.sstables, sum.sliced)
    );
    let bytes = node.download_bytes;
    // A part is of the span that is wanted: something of every slice, and never more than all of it.
    prop_assert!(bytes >= sum.whole_bytes + sum.sliced, "{bytes} of {sum:?}");
    prop_assert!(
        bytes <= sum.whole_bytes + sum.sliced_bytes_max,
        "{bytes} of {sum:?}"
    );
    prop_assert_eq!(
        node.requests,
        (sum.sstables - sum.sliced) * 8 + sum.sliced * 16
    );
    prop_assert!(node.disk_bytes_needed >= bytes);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_node_is_given_what_the_mapping_says(source in shape(), target in shape(), spans in spans()) {
        let request = request_of(&source, &target, &spans);
        let plan = plan_restore(&request);
        let (mapping, from, into) = mapping(&request, &source, &target);
        prop_assert_eq!(plan.nodes.len(), into.len());
        for node in &plan.nodes {
            let at = into.index_of(node.host_id).expect("a node of the ring");
            let expected: Vec<(HostId, TokenRanges)> = mapping
                .shares_of(at)
                .iter()
                .map(|share| (from.host_id(share.source), share.ranges.clone()))
                .collect();
            let given: Vec<(HostId, TokenRanges)> = node.shares.iter().map(|it| (it.source, ranges(it))).collect();
            // One to one needs no ranges: that is said by giving none.
            if !node.shares.is_empty() || node.sources.is_empty() {
                prop_assert_eq!(&given, &expected);
                check_figures(node, &sum(&node.shares, &request.sstables))?;
            }
        }
    }

    #[test]
    fn every_row_arrives_on_as_many_nodes_as_hold_it(source in shape(), target in shape(), token in any::<i64>()) {
        let request = request_of(&source, &target, &[]);
        let plan = plan_restore(&request);
        let token = Token::Murmur3(token);
        let takes = |node: &&NodePlan| match node.shares.is_empty() {
            true => !node.sources.is_empty(),
            false => node.shares.iter().any(|share| ranges(share).contains(&token)),
        };
        let takers = plan.nodes.iter().filter(takes).count();
        prop_assert_eq!(takers, plan.nodes.len().min(target.replicas as usize));
    }
}
