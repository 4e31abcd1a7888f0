//! Random operations, chosen before it is known what they will find.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{KEYS, LEASES};

/// The most operations of one transaction.
const OPERATIONS_MAX: usize = 3;
const PAGE_ENTRIES_MAX: usize = 3;

/// What a client expects, chosen before it is known which versions there will be.
#[derive(Debug, Clone, Copy)]
pub enum Guess {
    Absent,
    Anything,
    /// The version that the key has.
    Right,
    /// The version of the newest write, whatever it was to.
    Newest,
}

#[derive(Debug, Clone)]
pub struct Operation {
    pub key: usize,
    pub guess: Guess,
    /// None: a deletion.
    pub value: Option<u8>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Write {
        operations: Vec<Operation>,
        /// A lease as this client knows it.
        fence: Option<usize>,
    },
    Get {
        key: usize,
    },
    Page {
        prefix: usize,
        after: Option<usize>,
        limit: usize,
        descending: bool,
    },
    Acquire {
        lease: usize,
    },
    Renew {
        lease: usize,
    },
    Release {
        lease: usize,
    },
    Pass {
        seconds: u64,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let guess = prop_oneof![
        Just(Guess::Absent),
        Just(Guess::Anything),
        Just(Guess::Right),
        Just(Guess::Newest)
    ];
    (0..KEYS.len(), guess, any::<Option<u8>>()).prop_map(|(key, guess, value)| Operation {
        key,
        guess,
        value,
    })
}

pub fn step() -> impl Strategy<Value = Step> {
    let lease = 0..LEASES.len();
    let fence = proptest::option::of(lease.clone());
    let page = (
        0..KEYS.len(),
        proptest::option::of(0..KEYS.len()),
        1..=PAGE_ENTRIES_MAX,
        any::<bool>(),
    );
    prop_oneof![
        6 => (vec(operation(), 1..=OPERATIONS_MAX), fence)
            .prop_map(|(operations, fence)| Step::Write { operations, fence }),
        1 => (0..KEYS.len()).prop_map(|key| Step::Get { key }),
        2 => page.prop_map(|(prefix, after, limit, descending)| Step::Page {
            prefix, after, limit, descending
        }),
        3 => lease.clone().prop_map(|lease| Step::Acquire { lease }),
        2 => lease.clone().prop_map(|lease| Step::Renew { lease }),
        1 => lease.prop_map(|lease| Step::Release { lease }),
        2 => (1..25u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}
