//! Slices on real SSTables: what is staged of which share, and what a death in the middle leaves.

mod own;
pub(super) mod source;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use api::ServiceError;
use blob_store::testing::Fault;
use blob_store::{Budget, Counted, Store};
use cassandra_formats::Version;
use cassandra_formats::compression_info::CompressionInfo;

use super::*;
use crate::load::load;
use crate::testing::FakeNode;

use source::{
    Source, all_partitions, order, partitions, run, same, share, sstables, staged, staged_folder,
};

#[tokio::test]
async fn two_nodes_that_share_an_sstable_hold_each_partition_once() {
    for table in [
        "big-nb/layouts/simple",
        "big-nb/layouts/blob_keys",
        "big-nb/compression/none",
        "big-nb/compression/zstd",
        "big-nb/indexes/by_colour",
        "big-me/layouts/wide",
        "bti-da/layouts/simple",
        "bti-da/layouts/wide",
    ] {
        let source = Source::of(table).await;
        let middle = source.middle();
        let mut all = Vec::new();
        for range in [(i64::MIN, middle), (middle, i64::MIN)] {
            let target = source.target();
            let (work, progress, _stop) = Work::new();
            let stage = order(vec![share(1, &[range])]);
            let count = target.stage(&stage, &work).await.unwrap();
            let found = staged(&target);
            let wanted = match range.1 {
                i64::MIN => source.wanted(&[(middle, i64::MAX)]),
                _ => source.wanted(&[range]),
            };
            same(&found, &wanted, table);
            assert_eq!(
                count,
                sstables(&staged_folder(&target)).len() as u64,
                "{table}"
            );
            let progress = progress.borrow().clone();
            assert_eq!(progress.bytes_done, progress.bytes_total, "{table}");
            assert_eq!(progress.items_done, progress.items_total, "{table}");
            all.extend(found);
        }
        all.sort();
        let mut whole = source.partitions.clone();
        whole.sort();
        same(&all, &whole, table);
    }
}

#[tokio::test]
async fn a_slice_is_made_if_there_is_memory_for_one_read() {
    let source = Source::of("big-nb/layouts/simple").await;
    let mut target = source.target();
    target.agent.budget = Budget::new(1);
    let (work, ..) = Work::new();
    let stage = order(vec![share(1, &[(i64::MIN, source.middle())])]);
    assert!(target.stage(&stage, &work).await.unwrap() > 0);
    let budget = &target.agent.budget;
    assert_eq!(budget.peak_bytes(), budget.total_bytes());
    assert_eq!(budget.granted_bytes(), 0);
}

#[tokio::test]
async fn indexes_that_are_too_large_to_come_whole_are_read_in_parts() {
    for table in [
        "big-nb/layouts/blob_keys",
        "big-nb/compression/none",
        "bti-da/layouts/wide",
    ] {
        let source = Source::of(table).await;
        let range = (i64::MIN, source.middle());
        let mut target = source.target();
        target.agent.config.slice_whole_bytes_max = 0;
        target.agent.config.slice_read_bytes = 1;
        let (work, progress, _stop) = Work::new();
        let stage = order(vec![share(1, &[range])]);
        target.stage(&stage, &work).await.unwrap();
        same(&staged(&target), &source.wanted(&[range]), table);
        let progress = progress.borrow().clone();
        assert_eq!(progress.bytes_done, progress.bytes_total, "{table}");
    }
}

#[tokio::test]
async fn what_lies_inside_comes_as_it_is_and_what_lies_outside_not_at_all() {
    let source = Source::of("big-nb/layouts/simple").await;
    let objects = |target: &FakeNode| {
        sstables(&staged_folder(target))
            .iter()
            .map(|sstable| fs::read(sstable.path("Data.db")).unwrap())
            .collect::<Vec<_>>()
    };
    let live = sstables(&source.node.table("real", 1, 0).0);
    let live: Vec<_> = live
        .iter()
        .map(|sstable| fs::read(sstable.path("Data.db")).unwrap())
        .collect();
    let (first, last) = (source.tokens()[0], *source.tokens().last().unwrap());
    let target = source.target();
    let stage = order(vec![share(1, &[(first - 1, last)])]);
    assert_eq!(run(&target, &stage).await.unwrap(), 2);
    assert_eq!(objects(&target), live, "byte for byte");

    let target = source.target();
    let counted = Arc::new(Counted::new(target.store.clone()));
    let mut outside = FakeNode::beside(&source.node, "4.1.9");
    outside.tables(&["real"]);
    outside.agent.store = counted.clone();
    let stage = order(vec![share(1, &[(last, first - 1)])]);
    assert_eq!(run(&outside, &stage).await.unwrap(), 0);
    assert_eq!(counted.counts().gets, 1, "only the manifest");

    let elsewhere = SourceShare {
        keyspaces: vec!["other".into()],
        ..share(1, &[])
    };
    assert_eq!(run(&target, &order(vec![elsewhere])).await.unwrap(), 0);
    let whole = source.target();
    assert_eq!(run(&whole, &order(vec![share(1, &[])])).await.unwrap(), 2);
    assert_eq!(objects(&whole), live);
}

#[tokio::test]
async fn index_tables_come_with_what_is_whole_and_not_with_slices() {
    let source = Source::of("big-nb/indexes/by_colour").await;
    let middle = source.middle();
    for (ranges, indexes) in [(&[][..], 1), (&[(i64::MIN, middle)], 0)] {
        let target = source.target();
        run(&target, &order(vec![share(1, ranges)])).await.unwrap();
        let folders = cassandra_node::sstables::index_folders(&staged_folder(&target)).unwrap();
        assert_eq!(folders.len(), indexes, "{ranges:?}");
    }
}

#[tokio::test]
async fn a_disk_without_room_for_slices_is_refused_before_the_first_byte() {
    let source = Source::of("big-nb/layouts/simple").await;
    let mut target = source.target();
    target.agent.config.reserved_bytes = 1 << 60;
    let counted = Arc::new(Counted::new(target.store.clone()));
    target.agent.store = counted.clone();
    let stage = order(vec![share(1, &[(i64::MIN, source.middle())])]);
    let error = run(&target, &stage).await.unwrap_err();
    assert_eq!(error.reason(), "DISK_FULL");
    assert_eq!(counted.counts().gets, 1, "only the manifest");
}

#[tokio::test]
async fn a_slice_that_turns_out_empty_is_none() {
    let source = Source::of("big-nb/layouts/simple").await;
    let tokens = source.tokens();
    let gap = tokens
        .windows(2)
        .find(|pair| pair[1] - pair[0] > 10)
        .unwrap();
    let stage = order(vec![share(1, &[(gap[0], gap[1] - 1)])]);
    let target = source.target();
    for _ in 0..2 {
        assert_eq!(run(&target, &stage).await.unwrap(), 0);
        assert!(staged(&target).is_empty());
    }
}

#[tokio::test]
async fn a_backup_that_does_not_tell_where_its_sstables_lie_is_sliced_all_the_same() {
    let source = Source::of("big-nb/layouts/simple").await;
    source.put_manifest(|manifest| {
        manifest.backup = FakeNode::backup("b0");
        manifest.tables[0].sstables.clear();
    });
    let middle = source.middle();
    for range in [
        (i64::MIN, middle),
        (middle, i64::MAX),
        (i64::MIN, source.tokens()[0] - 1),
    ] {
        let target = source.target();
        let stage = Stage {
            backup: FakeNode::backup("b0"),
            ..order(vec![share(1, &[range])])
        };
        run(&target, &stage).await.unwrap();
        same(&staged(&target), &source.wanted(&[range]), "without facts");
    }
}

#[tokio::test]
async fn parts_of_several_sources_lie_side_by_side() {
    let source = Source::of("big-nb/layouts/simple").await;
    source.put_manifest(|manifest| manifest.member.host_id = FakeNode::host_id(2));
    let middle = source.middle();
    let target = source.target();
    let stage = order(vec![
        share(1, &[(i64::MIN, middle)]),
        share(2, &[(middle, i64::MAX)]),
    ]);
    run(&target, &stage).await.unwrap();
    let mut whole = source.partitions.clone();
    whole.sort();
    same(&staged(&target), &whole, "both");
}

#[tokio::test]
async fn a_second_call_stages_nothing_anew_and_makes_good_what_has_gone() {
    let source = Source::of("big-nb/layouts/simple").await;
    let target = source.target();
    let range = (i64::MIN, source.middle());
    let stage = order(vec![share(1, &[range])]);
    let count = run(&target, &stage).await.unwrap();
    assert_eq!(count, 2);
    target.store.set(Fault::DieBefore(100));
    assert_eq!(run(&target, &stage).await.unwrap(), count);
    assert_eq!(target.store.calls(), 1, "only the manifest");
    let lost = sstables(&staged_folder(&target))[0].path("Index.db");
    fs::remove_file(lost).unwrap();
    assert_eq!(run(&target, &stage).await.unwrap(), count);
    same(&staged(&target), &source.wanted(&[range]), "again");
    let other = order(vec![share(1, &[(i64::MIN, source.middle() + 1)])]);
    let error = run(&target, &other).await.unwrap_err();
    assert_eq!(error.reason(), "RESTORE_EXISTS");
}

#[tokio::test]
async fn a_slice_that_dies_at_any_call_is_made_again() {
    let source = Source::of("big-nb/compression/none").await;
    let range = (i64::MIN, source.middle());
    let stage = order(vec![share(1, &[range])]);
    for call in 1.. {
        let target = source.target();
        target.store.set(Fault::DieBefore(call));
        let died = run(&target, &stage).await.is_err();
        target.store.heal();
        if died {
            let half = sstables(&staged_folder(&target));
            assert!(half.is_empty(), "call {call}: {half:?}");
        }
        run(&target, &stage).await.unwrap();
        same(&staged(&target), &source.wanted(&[range]), "in the end");
        if !died {
            assert!(call > 5, "{call}");
            return;
        }
    }
}

#[tokio::test]
async fn a_slice_whose_agent_goes_away_leaves_nothing_that_looks_whole() {
    let source = Source::of("big-nb/layouts/simple").await;
    let range = (i64::MIN, source.middle());
    let stage = order(vec![share(1, &[range])]);
    for polls in [1, 5, 20, 60, 150] {
        let target = source.target();
        {
            let running = run(&target, &stage);
            let mut running = std::pin::pin!(running);
            for _ in 0..polls {
                if futures::poll!(&mut running).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // Each SSTable that has its list of components has them all.
        for sstable in sstables(&staged_folder(&target)) {
            if sstable.components().contains_key("TOC.txt") {
                partitions(&sstable);
            }
        }
        run(&target, &stage).await.unwrap();
        same(&staged(&target), &source.wanted(&[range]), "in the end");
    }
}

#[tokio::test]
async fn of_the_rows_only_the_chunks_with_wanted_partitions_come() {
    let source = Source::of("big-nb/layouts/simple").await;
    let live = &sstables(&source.node.table("real", 1, 0).0)[0];
    let own = partitions(live);
    let version = Version::known(&live.descriptor().format).unwrap();
    let info = || {
        let bytes = fs::read(live.path("CompressionInfo.db")).unwrap();
        let data = live.components()["Data.db"];
        CompressionInfo::open(Box::new(bytes), version, data).unwrap()
    };
    assert!(info().chunk_count > 0);
    // One SSTable is enough.
    source.put_manifest(|manifest| {
        manifest.backup = FakeNode::backup("b0");
        let name = live.descriptor().to_string();
        let table = &mut manifest.tables[0];
        table.files.retain(|file| file.name.starts_with(&name));
        table.sstables.retain(|facts| facts.name == name);
    });
    let files: BTreeMap<String, u64> = live.components().clone();
    let small: u64 = [
        "CompressionInfo.db",
        "Index.db",
        "Statistics.db",
        "Summary.db",
    ]
    .iter()
    .map(|name| files[*name])
    .sum();
    let key = bucket::keys::node_manifest(&FakeNode::backup("b0"), &FakeNode::host_id(1));
    let manifest = source.node.agent.store.head(&key).await.unwrap().unwrap();
    let mut position = 0;
    for (at, (token, _, bytes)) in own.iter().enumerate() {
        let range = position..position + bytes.len() as u64;
        position = range.end;
        if at % 17 != 3 {
            continue;
        }
        let mut target = source.target();
        let counted = Arc::new(Counted::new(target.store.clone()));
        target.agent.store = counted.clone() as Store;
        let stage = Stage {
            backup: FakeNode::backup("b0"),
            ..order(vec![share(1, &[(token - 1, *token)])])
        };
        assert_eq!(run(&target, &stage).await.unwrap(), 1);
        let mut info = info();
        let length = u64::from(info.chunk_length);
        let chunks: u64 = (range.start / length..range.end.div_ceil(length))
            .map(|index| u64::from(info.chunk(index).unwrap().stored_len) + 4)
            .sum();
        let down = counted.counts().bytes_down - manifest.size - small;
        assert_eq!(down, chunks, "partition {at}");
    }
}

#[tokio::test]
async fn damage_in_what_is_wanted_is_found_and_named() {
    for table in ["big-nb/compression/none", "big-nb/compression/lz4"] {
        let source = Source::of(table).await;
        let file = |name: &str| {
            let files = &source.manifest.tables[0].files;
            files.iter().find(|file| file.name.ends_with(name)).unwrap()
        };
        for (name, reason) in [
            ("Data.db", "SSTABLE_DAMAGED"),
            ("Index.db", "OBJECT_DAMAGED"),
        ] {
            let target = source.target();
            let path = source
                .node
                .root
                .path()
                .join("bucket")
                .join(&file(name).object);
            let before = fs::read(&path).unwrap();
            let mut bytes = before.clone();
            bytes[10] ^= 1;
            let replace = |bytes: &[u8]| {
                fs::remove_file(&path).unwrap();
                fs::write(&path, bytes).unwrap();
            };
            replace(&bytes);
            let stage = order(vec![share(1, &[(i64::MIN, source.middle())])]);
            let error = run(&target, &stage).await.unwrap_err();
            assert_eq!(error.reason(), reason, "{table} {name}: {error}");
            assert!(error.to_string().contains("nb-1-big"), "{error}");
            replace(&before);
            run(&target, &stage).await.unwrap();
        }
    }
}

#[tokio::test]
async fn slices_go_live_and_are_counted() {
    for (table, release) in [
        ("big-nb/layouts/simple", "4.1.9"),
        ("big-me/layouts/scalars", "3.11.19"),
    ] {
        let source = Source::of(table).await;
        let target = FakeNode::beside(&source.node, release);
        target.tables(&["real"]);
        let range = (i64::MIN, source.middle());
        let stage = order(vec![share(1, &[range])]);
        let count = run(&target, &stage).await.unwrap();
        assert!(count > 0, "{table}");
        let (work, ..) = Work::new();
        let loaded = load(&target.agent, "r1", &stage.tables, &work).await;
        assert_eq!(loaded.unwrap(), count, "{table}");
        let mut live = all_partitions(&target.table("real", 1, 0).0);
        live.sort();
        same(&live, &source.wanted(&[range]), table);
        assert_eq!(run(&target, &stage).await.unwrap(), count, "{table}: over");
    }
}
