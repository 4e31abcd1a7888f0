//! Rewrites SSTables of older formats after a restore.

use chassis::work::Work;
use model::TableRef;

use crate::agent::Agent;
use crate::busy;
use crate::error::AgentError;

/// Rewrites the SSTables of older formats. It leaves alone those that are rewritten already, so it may be repeated.
pub async fn upgrade_sstables(
    agent: &Agent,
    targets: &[TableRef],
    work: &Work,
) -> Result<(), AgentError> {
    work.update(|progress| progress.items_total = targets.len() as u64);
    for table in targets {
        // This may stop at any moment: Cassandra finishes the SSTable that it is at, and the next call does the rest.
        let upgraded = agent.node.control.upgrade_sstables(table);
        busy::watched(agent, work, table, upgraded).await??;
        work.update(|progress| progress.items_done += 1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeNode;

    #[tokio::test]
    async fn sstables_are_upgraded_table_by_table() {
        let node = FakeNode::new(1, "4.1.9");
        let (work, progress, _stop) = Work::new();
        let tables = ["a", "b"].map(|table| TableRef::new("ks", table));
        upgrade_sstables(&node.agent, &tables, &work).await.unwrap();
        assert_eq!(
            *node.control.calls.lock().unwrap(),
            ["upgradesstables ks.a", "upgradesstables ks.b"]
        );
        assert_eq!(progress.borrow().items_done, 2);
    }
}
