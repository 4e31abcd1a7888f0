use std::sync::atomic::Ordering;

use super::*;
use crate::testing::FakeNode;

#[tokio::test]
async fn a_node_that_is_down_knows_which_it_was() {
    let node = FakeNode::new(1, "4.1.9");
    node.cql.is_down.store(true, Ordering::SeqCst);
    let error = check(&node.agent, FakeNode::host_id(1)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::FailedPrecondition, "NODE_UNKNOWN")
    );
    node.cql.is_down.store(false, Ordering::SeqCst);
    check(&node.agent, FakeNode::host_id(1)).await.unwrap();
    for is_down in [false, true] {
        node.cql.is_down.store(is_down, Ordering::SeqCst);
        check(&node.agent, FakeNode::host_id(1)).await.unwrap();
        let error = check(&node.agent, FakeNode::host_id(2)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::FailedPrecondition, "WRONG_NODE")
        );
    }
}

#[tokio::test]
async fn what_is_said_now_counts_more_than_what_is_remembered() {
    let node = FakeNode::new(1, "4.1.9");
    let mut identity = node.agent.node.identity().await.unwrap();
    identity.member.host_id = FakeNode::host_id(2);
    remember(&node.agent, &identity).await.unwrap();
    check(&node.agent, FakeNode::host_id(1)).await.unwrap();
    node.cql.is_down.store(true, Ordering::SeqCst);
    check(&node.agent, FakeNode::host_id(1)).await.unwrap();
}

#[tokio::test]
async fn a_node_that_knows_nothing_of_itself_or_of_a_restore_may_end_it() {
    let node = FakeNode::new(1, "4.1.9");
    node.cql.is_down.store(true, Ordering::SeqCst);
    let finish = || check_finish(&node.agent, FakeNode::host_id(1), "r1");
    finish().await.unwrap();
    let journal = node.agent.folders.restore_journal("r1");
    std::fs::create_dir_all(journal.parent().unwrap()).unwrap();
    std::fs::write(&journal, "").unwrap();
    assert_eq!(finish().await.unwrap_err().reason(), "NODE_UNKNOWN");
    std::fs::remove_file(&journal).unwrap();
    std::fs::create_dir_all(node.root.path().join("ringkeep-staging/r1")).unwrap();
    assert_eq!(finish().await.unwrap_err().reason(), "NODE_UNKNOWN");
}

#[tokio::test]
async fn a_node_that_took_over_an_address_may_end_a_restore_of_which_it_has_nothing() {
    let node = FakeNode::new(1, "4.1.9");
    let finish = || check_finish(&node.agent, FakeNode::host_id(2), "r1");
    finish().await.unwrap();
    std::fs::create_dir_all(node.root.path().join("ringkeep-staging/r1")).unwrap();
    assert_eq!(finish().await.unwrap_err().reason(), "WRONG_NODE");
}

/// Makes every write of the identity file fail, as a full disk does.
fn block_writes(node: &FakeNode) {
    let new = node.agent.folders.identity_file().with_extension("new");
    std::fs::create_dir_all(new).unwrap();
}

#[tokio::test]
async fn what_is_remembered_is_not_written_again() {
    let node = FakeNode::new(1, "4.1.9");
    check(&node.agent, FakeNode::host_id(1)).await.unwrap();
    block_writes(&node);
    check(&node.agent, FakeNode::host_id(1)).await.unwrap();
}

#[tokio::test]
async fn a_disk_that_takes_no_host_id_refuses_all_but_the_end_of_a_restore() {
    let node = FakeNode::new(1, "4.1.9");
    block_writes(&node);
    std::fs::create_dir_all(node.root.path().join("ringkeep-staging/r1")).unwrap();
    let wanted = FakeNode::host_id(1);
    let error = check(&node.agent, wanted).await.unwrap_err();
    assert!(matches!(error, MeantError::Agent(AgentError::File(_))));
    check_finish(&node.agent, wanted, "r1").await.unwrap();
}
