//! Equal rings: each node takes all that its counterpart has.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::TokenRanges;
use model::HostId;
use placement::Placement;
use proptest::prelude::*;
use uuid::Uuid;

use crate::case::{Case, cases};
use crate::shape::{partitioner, shape};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn equal_rings_map_each_node_to_its_counterpart(
        shape in shape(),
        partitioner in partitioner(),
        renamed in any::<bool>(),
        turned in 0..60_usize,
    ) {
        let source = shape.cluster(&partitioner);
        let mut target = source.clone();
        let nodes = target.members.len();
        let turned = turned % nodes;
        target.members.rotate_left(turned);
        for member in &mut target.members {
            member.host_id = HostId(Uuid::from_u128(member.host_id.0.as_u128() + 1000));
            if renamed {
                member.rack = format!("other-{}", member.rack);
            }
        }
        let names: BTreeSet<String> = source.members.iter().map(|m| m.datacenter.clone()).collect();
        let case = Case {
            available: source.members.iter().map(|member| member.host_id).collect(),
            feeds: names.into_iter().map(|name| (name.clone(), name)).collect(),
            stored_bytes: BTreeMap::new(),
            source,
            target,
        };
        let mapping = case.map();
        let ring = case.target.ring();
        let placement = Placement::of(&ring, &case.target.replication);
        let one_to_one = mapping.one_to_one();
        prop_assert!(one_to_one.is_some());
        for target in 0..nodes {
            let source = (target + turned) % nodes;
            let held = TokenRanges::new(placement.ranges_of(target));
            match mapping.shares_of(target) {
                [] => prop_assert!(held.is_empty()),
                [share] => {
                    prop_assert_eq!(share.source, source);
                    prop_assert_eq!(&share.ranges, &held);
                }
                shares => prop_assert!(false, "{} sources", shares.len()),
            }
        }
    }
}
