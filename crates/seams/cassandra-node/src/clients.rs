//! Cuts clients off a node that runs, and lets them in again.

use tracing::info;

use crate::control::{ClientProtocol, ControlError};
use crate::node::CassandraNode;

const PROTOCOLS: [ClientProtocol; 2] = [ClientProtocol::Native, ClientProtocol::Thrift];

/// Whether any client is served.
pub async fn are_served(node: &CassandraNode) -> Result<bool, ControlError> {
    for protocol in PROTOCOLS {
        if node.control.serves_clients(protocol).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends serving clients. Nothing can be read or written by CQL then, not even by the agent. A success is no evidence.
pub async fn cut_off(node: &CassandraNode) -> Result<(), ControlError> {
    for protocol in PROTOCOLS {
        if node.control.serves_clients(protocol).await? {
            node.control.set_clients(protocol, false).await?;
            info!(?protocol, "clients are cut off");
        }
    }
    Ok(())
}

/// Begins serving clients as Cassandra does when it starts. Returns whether there was something to do: not for a node that
/// is down, drained or joining, or that serves its clients.
pub async fn let_in_again(node: &CassandraNode) -> Result<bool, ControlError> {
    match node.control.mode().await {
        Ok(mode) if mode == "NORMAL" => {}
        _ => return Ok(false),
    }
    let mut changed = false;
    for protocol in PROTOCOLS {
        let wanted = protocol == ClientProtocol::Native || node.yaml.starts_thrift;
        if wanted && !node.control.serves_clients(protocol).await? {
            node.control.set_clients(protocol, true).await?;
            info!(?protocol, "clients are let in again");
            changed = true;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeCassandra;

    #[tokio::test]
    async fn clients_come_back_by_the_protocols_that_cassandra_starts() {
        for thrift in [false, true] {
            let root = tempfile::tempdir().unwrap();
            let mut fake = FakeCassandra::new(root.path(), 1, "3.11.19");
            fake.node.yaml.starts_thrift = thrift;
            if thrift {
                let mut served = fake.control.served.lock().unwrap();
                served.insert(ClientProtocol::Thrift);
            }
            let before = fake.control.served.lock().unwrap().clone();
            assert!(!let_in_again(&fake.node).await.unwrap());
            cut_off(&fake.node).await.unwrap();
            assert!(!are_served(&fake.node).await.unwrap());
            assert!(let_in_again(&fake.node).await.unwrap());
            assert_eq!(*fake.control.served.lock().unwrap(), before);
        }
    }
}
