//! Slices of SSTables whose components are in packs.

use std::sync::Arc;

use blob_store::testing::Fault;
use blob_store::{Budget, Counted};
use chassis::work::Work;

use super::own::{all_but_gaps, files_of, live, own};
use super::source::{Source, order, run, same, share, staged, staged_folder};
use super::{TABLES, two_nodes_share};
use crate::testing::FakeNode;

#[tokio::test]
async fn two_nodes_that_share_a_packed_sstable_hold_each_partition_once() {
    for table in TABLES {
        two_nodes_share(table, Source::of(table).await).await;
    }
}

#[tokio::test]
async fn an_sstable_in_a_pack_comes_with_one_request() {
    let source = Source::of("big-nb/compression/none").await;
    let mut target = source.target();
    let counted = Arc::new(Counted::new(target.bucket.clone()));
    target.agent.store = counted.clone();
    target.agent.budget = Budget::new(1);
    let range = (i64::MIN, source.middle());
    let (work, ..) = Work::new();
    let stage = order(vec![share(1, &[range])]);
    let sstables = target.stage(&stage, &work).await.unwrap();
    same(&staged(&target), &source.wanted(&[range]), "none");
    // The node manifest, and each SSTable.
    assert_eq!(counted.counts().gets, 1 + sstables);
}

#[tokio::test]
async fn packed_sstables_without_strays_come_as_they_are_and_each_byte_once() {
    let source = Source::of("big-nb/layouts/simple").await;
    let mut target = source.target();
    let counted = Arc::new(Counted::new(target.bucket.clone()));
    target.agent.store = counted.clone();
    let (work, progress, _stop) = Work::new();
    let stage = own(&all_but_gaps(&source));
    let count = target.stage(&stage, &work).await.unwrap();
    let live = live(&source);
    assert!(files_of(&staged_folder(&target)) == live);
    let progress = progress.borrow().clone();
    assert_eq!(progress.bytes_done, progress.bytes_total);
    assert_eq!(progress.items_done, progress.items_total);
    let key = bucket::keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1));
    let manifest = target.bucket.head(&key).await.unwrap().unwrap();
    let bytes: usize = live.values().map(Vec::len).sum();
    assert_eq!(counted.counts().bytes_down, manifest.size + bytes as u64);
    assert_eq!(counted.counts().gets, 1 + count);
}

#[tokio::test]
async fn a_slice_of_a_pack_that_dies_at_any_call_goes_on() {
    let source = Source::of("big-nb/layouts/simple").await;
    let range = (i64::MIN, source.middle());
    let stage = order(vec![share(1, &[range])]);
    for call in 1.. {
        let target = source.target();
        target.store.set(Fault::DieBefore(call));
        let died = run(&target, &stage).await.is_err();
        target.store.heal();
        run(&target, &stage).await.unwrap();
        same(&staged(&target), &source.wanted(&[range]), "simple");
        if !died {
            assert!(call > 2);
            return;
        }
    }
}
