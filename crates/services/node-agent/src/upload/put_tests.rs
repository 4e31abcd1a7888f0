//! One file under one key: stored, found or not to be kept.

use std::fs;
use std::sync::Arc;

use cassandra_node::sstables::ComponentFile;
use sstable_files::SstableFiles;

use super::put::Uploaded;
use super::tests::{node, take};
use super::*;
use crate::testing::FakeNode;

/// An uploader, and the list of components of the first SSTable of the table with data.
async fn uploader(node: &FakeNode, work: Work) -> (Uploader, SnapshotTable, Piece) {
    let tables = tables::list(&*node.agent.node.cql).await.unwrap();
    let mut found = snapshot::look(&node.agent, "ringkeep-tag", &tables)
        .await
        .unwrap();
    let table = found.remove(1);
    let toc = |(file, _): &Piece| file.component == cassandra_node::sstables::TOC;
    let mut pieces = cassandra_node::sstables::with_sstables(table.files.clone()).into_iter();
    let piece = pieces.find(toc).unwrap();
    let (journal, _) = Journal::open(node.root.path().join("journal"))
        .await
        .unwrap();
    let uploader = Uploader {
        bucket: node.agent.bucket(),
        work,
        backup: FakeNode::backup("b1"),
        host_id: FakeNode::host_id(1),
        earlier: Default::default(),
        done: HashMap::new(),
        journal,
        keep_damaged: false,
        pieces: Pieces {
            budget: node.agent.budget.clone(),
            bytes: 7,
        },
    };
    (uploader, table, piece)
}

type Piece = (ComponentFile, Arc<SstableFiles>);

#[tokio::test]
async fn an_upload_under_one_key_says_what_came_of_it() {
    let node = node();
    take(&node).await;
    let (work, ..) = Work::new();
    let (uploader, _, (file, sstable)) = uploader(&node, work).await;
    let expected = uploader.expected(&file, &sstable);
    let Uploaded::Created(created) = uploader.put("k", &expected).await.unwrap() else {
        panic!("it was not created");
    };
    match uploader.put("k", &expected).await.unwrap() {
        Uploaded::Exists(content) => assert!(content.is_none_or(|content| content == created)),
        _ => panic!("it does not exist"),
    }
    fs::write(&file.path, "Data.db\n").unwrap();
    for key in ["k", "new"] {
        // A store that notices the object first never reads the file.
        match uploader.put(key, &expected).await.unwrap() {
            Uploaded::Unreadable(read::ReadFault::Changed) => {}
            Uploaded::Exists(None) if key == "k" => {}
            _ => panic!("{key} is taken for whole"),
        }
    }
    assert!(!node.bucket_root.join("new").exists());
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_read_again() {
    let node = node();
    take(&node).await;
    let (work, progress, _stop) = Work::new();
    let (uploader, table, (file, sstable)) = uploader(&node, work).await;
    // Cassandra appends to it in place when an index is made, after the agent has looked.
    fs::write(&file.path, "Data.db\nSAI+aa+GroupComplete.db\n").unwrap();
    let stored = uploader.store_file(&table.table, file, sstable).await;
    let stored = stored.unwrap().file;
    let bytes = node.agent.store.get(&stored.object, 1 << 20).await.unwrap();
    assert_eq!(bytes, "Data.db\nSAI+aa+GroupComplete.db\n");
    assert_eq!((stored.bytes, progress.borrow().bytes_done), (32, 32));
}
