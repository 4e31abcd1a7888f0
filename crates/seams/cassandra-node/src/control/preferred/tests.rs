use serde_json::json;

use super::*;
use crate::control::jmx::{Jmx, JmxAddress};
use crate::testing::{FakeControl, FakeCql};

const HINT: &str = "";
const HOST_ID: &str = "11111111-0000-0000-0000-00000000000A";

fn cql() -> Arc<dyn Cql> {
    let local = json!([{"host_id": HOST_ID.to_lowercase()}]);
    Arc::new(FakeCql::new().answer("SELECT * FROM system.local", local))
}

/// Two adapters that are told apart by the mode that they report.
fn adapters() -> (Arc<FakeControl>, Arc<FakeControl>) {
    let adapter = |mode: &str| {
        let adapter = FakeControl::new(Vec::new());
        *adapter.mode.lock().unwrap() = Ok(mode.to_owned());
        *adapter.host_id.lock().unwrap() = HOST_ID.to_owned();
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
            ControlError::Broken {
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
        let preferred = Preferred::new(first.clone(), second, cql());
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
async fn an_adapter_that_leads_to_another_node_than_cql_is_never_used() {
    let (first, second) = adapters();
    *first.host_id.lock().unwrap() = "another".to_owned();
    let other = Preferred::new(first.clone(), second.clone(), cql());
    assert_eq!(other.mode().await.unwrap(), "second");
    other.drain().await.unwrap();
    assert_eq!(*first.calls.lock().unwrap(), [""; 0]);
    // While CQL does not say which node this is, nothing is known.
    *first.host_id.lock().unwrap() = HOST_ID.to_owned();
    let down = Preferred::new(first, second, Arc::new(FakeCql::new()));
    assert_eq!(down.mode().await.unwrap(), "second");
}

#[tokio::test]
async fn maintenance_that_jmx_does_not_do_is_done_by_nodetool() {
    let address = JmxAddress::parse("127.0.0.1:1").unwrap();
    let jmx = Jmx::new(&address, None, std::time::Duration::from_secs(1));
    let table = TableRef::new("ks", "t");
    let flush = Maintenance::Flush { table };
    let errors = [
        jmx.maintain(&flush).await.unwrap_err(),
        jmx.unsettled().await.unwrap_err(),
    ];
    let (first, nodetool) = adapters();
    let preferred = Preferred::new(first, nodetool, cql());
    for error in errors {
        assert!(preferred.falls_back(&error), "{error}");
    }
}
