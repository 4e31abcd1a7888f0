use super::*;
use crate::control::jmx::{Jmx, JmxAddress};
use crate::testing::FakeControl;

const HINT: &str = "";

/// Two adapters that are told apart by the mode that they report.
fn adapters() -> (Arc<FakeControl>, Arc<FakeControl>) {
    let adapter = |mode: &str| {
        let adapter = FakeControl::new(Vec::new());
        *adapter.mode.lock().unwrap() = Ok(mode.to_owned());
        Arc::new(adapter)
    };
    (adapter("first"), adapter("second"))
}

#[tokio::test]
async fn only_what_the_first_cannot_do_is_done_by_the_second() {
    let (operation, why) = ("x".to_owned(), "y".to_owned());
    let errors = [
        (
            ControlError::Unusable {
                why: why.clone(),
                hint: HINT,
            },
            true,
        ),
        (
            ControlError::Login {
                operation: operation.clone(),
                why: why.clone(),
                hint: HINT,
            },
            true,
        ),
        (
            ControlError::Unsupported {
                operation: operation.clone(),
                why: why.clone(),
                hint: HINT,
            },
            true,
        ),
        (
            ControlError::Unreachable {
                operation: operation.clone(),
                why: why.clone(),
                hint: HINT,
            },
            false,
        ),
        (
            ControlError::Failed {
                operation: operation.clone(),
                why: why.clone(),
                hint: HINT,
            },
            false,
        ),
        (
            ControlError::Busy {
                operation: operation.clone(),
                why: why.clone(),
                hint: HINT,
            },
            false,
        ),
        (
            ControlError::Timeout {
                operation,
                seconds: 1,
                hint: HINT,
            },
            false,
        ),
        (
            ControlError::SnapshotExists {
                tag: why,
                hint: HINT,
            },
            false,
        ),
    ];
    for (error, falls_back) in errors {
        let (first, second) = adapters();
        let preferred = Preferred::new(first.clone(), second);
        assert_eq!(preferred.mode().await.unwrap(), "first");
        *first.mode.lock().unwrap() = Err(error.clone());
        let expected = if falls_back {
            Ok("second".to_owned())
        } else {
            Err(error)
        };
        assert_eq!(preferred.mode().await, expected);
    }
}

#[tokio::test]
async fn an_address_that_is_only_likely_is_used_once_it_leads_to_the_same_node() {
    let (first, second) = adapters();
    let same = Preferred::if_same_node(first.clone(), second.clone());
    assert_eq!(same.mode().await.unwrap(), "first");
    *first.host_id.lock().unwrap() = "another".to_owned();
    let other = Preferred::if_same_node(first.clone(), second);
    assert_eq!(other.mode().await.unwrap(), "second");
    other.drain().await.unwrap();
    assert_eq!(
        *first.calls.lock().unwrap(),
        [""; 0],
        "it leads to another node"
    );
}

#[tokio::test]
async fn maintenance_that_jmx_does_not_do_is_done_by_nodetool() {
    let address = JmxAddress::parse("127.0.0.1:1").unwrap();
    let jmx = Jmx::new(&address, None, std::time::Duration::from_secs(1));
    let (_, nodetool) = adapters();
    let preferred = Preferred::new(Arc::new(jmx), nodetool.clone());
    let table = TableRef::new("ks", "t");
    preferred
        .maintain(&Maintenance::Flush { table })
        .await
        .unwrap();
    assert_eq!(*nodetool.calls.lock().unwrap(), ["flush ks.t"]);
    assert_eq!(preferred.unsettled().await.unwrap(), Unsettled::default());
}
