//! Bytes and SSTables, added up token by token.

use std::collections::BTreeMap;

use cassandra_tokens::{Cut, Partitioner, Token};
use model::{HostId, RingMember};
use placement::{Load, Replication, Spread, Sstable};
use proptest::prelude::*;
use uuid::Uuid;

use crate::case::{Case, cases, takes};
use crate::cluster::Cluster;

const BYTES_PER_TOKEN: u64 = 7;

/// Nodes with tokens so close to each other that every token of a span can be tested.
fn crowded_cluster() -> impl Strategy<Value = Cluster> {
    let tokens = proptest::collection::btree_set(-150..150_i64, 1..40);
    (tokens, 1..8_usize, 1..=4_u32).prop_map(|(tokens, nodes, replicas)| {
        let nodes = nodes.min(tokens.len());
        let member = |at: usize| RingMember {
            host_id: HostId(Uuid::from_u128(at as u128)),
            address: String::new(),
            datacenter: "dc0".into(),
            rack: format!("r{}", at % 3),
            tokens: tokens
                .iter()
                .skip(at)
                .step_by(nodes)
                .map(i64::to_string)
                .collect(),
        };
        Cluster {
            partitioner: Partitioner::Murmur3,
            members: (0..nodes).map(member).collect(),
            replication: Replication::NetworkTopology {
                datacenters: BTreeMap::from([("dc0".into(), replicas)]),
            },
        }
    })
}

/// Spans from narrow to wider than all tokens, and now and then one that is not known.
fn sstable() -> impl Strategy<Value = (usize, Option<(i64, i64)>)> {
    let len = prop_oneof![0..6_i64, 0..400_i64];
    let span = (-200..200_i64, len).prop_map(|(first, len)| (first, first + len));
    (
        0..8_usize,
        prop_oneof![1 => Just(None), 9 => span.prop_map(Some)],
    )
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn bytes_are_the_sum_over_the_tokens_that_each_target_takes(
        source in crowded_cluster(),
        target in crowded_cluster(),
        sstables in proptest::collection::vec(sstable(), 1..20),
    ) {
        let case = Case {
            available: source.members.iter().map(|member| member.host_id).collect(),
            feeds: [("dc0".into(), "dc0".into())].into(),
            stored_bytes: BTreeMap::new(),
            source,
            target,
        };
        let mapping = case.map();
        let mut spread = Spread::new(&mapping);
        let mut expected = vec![Load::default(); case.target.members.len()];
        for (source, span) in sstables {
            let source = source % case.source.members.len();
            let token = |token: i64| Token::Murmur3(token);
            let bytes = span.map_or(1000, |(first, last)| (last - first + 1) as u64 * BYTES_PER_TOKEN);
            spread.add(source, &Sstable { span: span.map(|(f, l)| (token(f), token(l))), bytes });
            for (target, load) in expected.iter_mut().enumerate() {
                let Some(ranges) = mapping.ranges_from(target, source) else { continue };
                let Some((first, last)) = span else {
                    load.download_bytes += bytes;
                    load.sstables += 1;
                    continue;
                };
                let wanted = (first..=last).filter(|t| takes(&mapping, target, source, &token(*t)));
                load.download_bytes += wanted.count() as u64 * BYTES_PER_TOKEN;
                let cut = ranges.cut(&token(first), &token(last));
                load.sstables += u64::from(cut != Cut::None);
                load.sliced_sstables += u64::from(cut == Cut::Part);
            }
        }
        prop_assert_eq!(spread.loads(), expected.as_slice());
    }
}
