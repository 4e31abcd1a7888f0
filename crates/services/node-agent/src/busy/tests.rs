use super::*;
use crate::testing::FakeNode;

fn table(name: &str) -> TableRef {
    TableRef::new("ks", name)
}

fn at(name: &str, done: u64) -> Operation {
    Operation {
        kind: "Upgrade sstables".to_owned(),
        table: table(name),
        done,
        total: 100,
        unit: "bytes".to_owned(),
    }
}

#[test]
fn a_table_is_shown_with_its_own_progress_or_with_what_it_waits_for() {
    let note = |seen: Vec<Operation>| {
        let look = Look {
            seen,
            ..Look::default()
        };
        look.note(&table("t"))
    };
    assert_eq!(note(vec![]), "ks.t");
    let own = "ks.t: Upgrade sstables, 7 of 100 bytes";
    assert_eq!(note(vec![at("other", 1), at("t", 7)]), own);
    assert_eq!(
        note(vec![at("other", 1)]),
        "ks.t; Cassandra is at ks.other: Upgrade sstables, 1 of 100 bytes"
    );
}

#[tokio::test(start_paused = true)]
async fn progress_of_cassandra_is_progress_and_nothing_else_is() {
    let node = FakeNode::new(1, "4.1.9");
    let (work, progress, stop) = Work::new();
    let (agent, of) = (&node.agent, table("t"));
    let wait = watched(agent, &work, &of, std::future::pending::<()>());
    let watch = async {
        let mut seen = Vec::new();
        for operations in [
            Some(vec![at("t", 1)]),
            Some(vec![at("t", 2)]),
            // It hangs, and then cannot even be asked.
            Some(vec![at("t", 2)]),
            None,
            Some(vec![]),
        ] {
            node.control.is_at(operations);
            tokio::time::sleep(LOOK_INTERVAL + Duration::from_secs(1)).await;
            seen.push(progress.borrow().note.clone());
        }
        stop.cancel();
        seen
    };
    let (ended, seen) = tokio::join!(wait, watch);
    assert_eq!(ended, Err(Stopped));
    let expected = [1, 2, 2, 2].map(|done| format!("ks.t: Upgrade sstables, {done} of 100 bytes"));
    assert_eq!(seen[..4], expected);
    assert_eq!(seen[4], "ks.t");
}
