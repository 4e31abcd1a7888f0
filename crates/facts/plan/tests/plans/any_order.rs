//! A plan is the same in whatever order its request lists things.

use std::collections::BTreeSet;

use plan::{
    RequestedMode, RestoreOptions, RestorePlan, RestoreRequest, ShownPlan, plan_restore, render,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::dse::classes;
use crate::world::*;

/// Requests that between them reach most of what a plan says.
fn requests() -> Vec<RestoreRequest> {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .view("shop.by_c", 3, "orders")
        .index("shop.c_of_orders", "orders")
        .holds("shop.orders", [quarters("nb"), vec![wide("nb")]].concat())
        .keyspace("blog")
        .table("blog.posts", 5, "id int PRIMARY KEY, c text")
        .replicate(
            "blog",
            "{'class': 'SimpleStrategy', 'replication_factor': '2'}",
        );
    target.table("shop.baskets", 9, "id int PRIMARY KEY");
    let same_ring = request(&source, &target);
    let in_place = RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..same_ring.clone()
    };
    target.members(&[
        ("dc1", "r1", &[-74, 11]),
        ("dc1", "r2", &[-37, 50]),
        ("dc1", "r3", &[0, 85]),
        ("dc1", "r1", &[37, -11]),
    ]);
    let other_ring = request(&source, &target);
    let mut lacking = other_ring.clone();
    lacking.backup.nodes.remove(1);
    let refused = request(&classes(), &empty("cassandra 4.1.9"));
    vec![same_ring, in_place, other_ring, lacking, refused]
}

/// By one seed, so that a failure can be told.
struct Shuffle(u64);

impl Shuffle {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            items.swap(at, (self.0 >> 33) as usize % (at + 1));
        }
    }

    /// Tokens stay: they come ascending. So does the backup's schema, whose order is that in which it can be made.
    fn request(&mut self, request: &mut RestoreRequest) {
        self.shuffle(&mut request.backup.ring);
        self.shuffle(&mut request.backup.nodes);
        for node in &mut request.backup.nodes {
            self.shuffle(&mut node.tables);
        }
        self.shuffle(&mut request.nodes);
        for node in &mut request.nodes {
            self.shuffle(std::sync::Arc::make_mut(&mut node.ring).as_mut_slice());
            self.shuffle(&mut node.tables);
            self.shuffle(&mut node.readable_formats);
        }
        self.shuffle(&mut request.sstables);
        for node in &mut request.sstables {
            self.shuffle(&mut node.tables);
            for table in &mut node.tables {
                self.shuffle(&mut table.sstables);
            }
        }
        self.shuffle(&mut request.schema.entries);
        self.shuffle(&mut request.options.selection.tables);
    }
}

fn text(plan: &RestorePlan) -> String {
    let statements = render::Statements::All;
    render::restore_plan(&ShownPlan::from(plan), statements, &render::plain)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_a_request_means_nothing(seed in any::<u64>()) {
        for (at, request) in requests().into_iter().enumerate() {
            let mut shuffled = request.clone();
            Shuffle(seed).request(&mut shuffled);
            let (plan, expected) = (plan_restore(&shuffled), plan_restore(&request));
            // First what a person reads, because it is told apart at a glance.
            prop_assert_eq!(text(&plan), text(&expected), "request {}", at);
            prop_assert_eq!(plan, expected, "request {}", at);
        }
    }
}

#[test]
fn the_requests_are_of_plans_of_every_kind() {
    let kind = |request: &RestoreRequest| {
        let plan = plan_restore(request);
        let by_range = plan.nodes.iter().any(|node| !node.shares.is_empty());
        (plan.supported, by_range)
    };
    let kinds: BTreeSet<(bool, bool)> = requests().iter().map(kind).collect();
    for kind in [(true, true), (true, false), (false, true)] {
        assert!(kinds.contains(&kind), "{kind:?} is not in {kinds:?}");
    }
}
