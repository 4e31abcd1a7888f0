//! Calls against what real nodes have sent: requests must be those that Cassandra 5.0 has carried out, byte for byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::java::tree::Value;
use crate::rmi::read_reply;

/// Far more than a request takes on this host.
const PATIENCE: Duration = Duration::from_secs(30);
/// The port in the recorded stubs.
const RECORDED_PORT: [u8; 4] = 34_591_i32.to_be_bytes();

macro_rules! recorded {
    ($name:literal) => {
        (
            include_bytes!(concat!("../../tests/recorded/5.0/", $name, ".request")).as_slice(),
            include_bytes!(concat!("../../tests/recorded/5.0/", $name, ".reply")).as_slice(),
        )
    };
}

type Dialogue = Vec<(&'static [u8], &'static [u8])>;

/// A server that expects the recorded requests in their order and sends the recorded replies, with its own port in the
/// stubs among them.
async fn replayed(dialogue: Dialogue) -> (Server, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        for (request, reply) in dialogue {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut received = vec![0; request.len()];
            // A request that is too short would be waited for without end.
            let read = connection.read_exact(&mut received);
            tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
            assert_eq!(received, request);
            let reply = with_port(reply, port);
            connection.write_all(&reply).await.unwrap();
        }
    });
    (Server::new("127.0.0.1", port), served)
}

fn with_port(reply: &[u8], port: u16) -> Vec<u8> {
    let mut reply = reply.to_vec();
    let place = reply.windows(4).position(|bytes| bytes == RECORDED_PORT);
    if let Some(place) = place {
        reply[place..place + 4].copy_from_slice(&i32::from(port).to_be_bytes());
    }
    reply
}

fn logged_in(rest: Dialogue) -> Dialogue {
    let mut dialogue = vec![recorded!("lookup"), recorded!("login")];
    dialogue.extend(rest);
    dialogue
}

const STORAGE_SERVICE: &str = "org.apache.cassandra.db:type=StorageService";

#[tokio::test]
async fn attributes_of_a_real_node_are_read() {
    let (server, served) = replayed(logged_in(vec![
        recorded!("operation_mode"),
        recorded!("native_transport_running"),
        recorded!("live_sstable_count"),
        recorded!("endpoint_states"),
        recorded!("closed"),
    ]))
    .await;
    let session = server.connect().await.unwrap();
    let mode = session.attribute(STORAGE_SERVICE, "OperationMode").await;
    assert_eq!(mode.unwrap().text(), Some("NORMAL"));
    let running = session.attribute(STORAGE_SERVICE, "NativeTransportRunning");
    assert_eq!(running.await.unwrap().bool(), Some(true));
    let count =
        "org.apache.cassandra.metrics:type=Table,keyspace=system,scope=local,name=LiveSSTableCount";
    let count = session.attribute(count, "Value").await.unwrap();
    assert_eq!((count.int(), count.text()), (Some(1), None));
    let detector = "org.apache.cassandra.net:type=FailureDetector";
    let states = session
        .attribute(detector, "AllEndpointStates")
        .await
        .unwrap();
    assert!(states.text().unwrap().contains("generation:"));
    session.close().await.unwrap();
    served.await.unwrap();
}

#[tokio::test]
async fn operations_are_invoked_as_a_real_node_has_accepted_them() {
    let (server, served) = replayed(logged_in(vec![
        recorded!("snapshot_taken"),
        recorded!("snapshot_exists"),
        recorded!("upgraded"),
        recorded!("imported"),
    ]))
    .await;
    let session = server.connect().await.unwrap();
    let tables = vec!["system_distributed.repair_history".to_owned()];
    let arguments = ["jmxtry".into(), Argument::EmptyMap, Argument::Texts(tables)];
    let snapshot = || session.invoke(STORAGE_SERVICE, "takeSnapshot", &arguments);
    snapshot().await.unwrap();
    let JmxError::Thrown(chain) = snapshot().await.unwrap_err() else {
        panic!("the snapshot exists");
    };
    let innermost = chain.last().unwrap().to_string();
    assert_eq!(innermost, "IOException: Snapshot jmxtry already exists.");
    let arguments = [
        "system_distributed".into(),
        true.into(),
        Argument::Int(1),
        Argument::Texts(vec!["repair_history".to_owned()]),
    ];
    let upgraded = session.invoke(STORAGE_SERVICE, "upgradeSSTables", &arguments);
    assert_eq!(upgraded.await.unwrap().int(), Some(0));
    let table =
        "org.apache.cassandra.db:type=Tables,keyspace=system_distributed,table=repair_history";
    let mut arguments = vec![Argument::TextSet(vec!["/tmp/jmximp".to_owned()])];
    arguments.extend([true, true, true, true, true, false].map(Argument::Bool));
    let imported = session.invoke(table, "importNewSSTables", &arguments);
    assert_eq!(imported.await.unwrap().texts(), Some(Vec::new()));
    served.await.unwrap();
}

#[tokio::test]
async fn what_a_release_lacks_is_named_with_the_exceptions() {
    let (server, served) = replayed(logged_in(vec![recorded!("no_such_attribute")])).await;
    let session = server.connect().await.unwrap();
    let lacking = session.attribute(STORAGE_SERVICE, "NoSuchThing").await;
    let JmxError::Thrown(chain) = lacking.unwrap_err() else {
        panic!("there is no such attribute");
    };
    let class = "javax.management.AttributeNotFoundException";
    assert_eq!((chain.len(), chain[0].class.as_str()), (1, class));
    served.await.unwrap();
    let reply = include_bytes!("../../tests/recorded/3.11/no_such_operation.reply");
    let reply = read_reply(reply).unwrap();
    let chain = crate::rmi::chain(&reply.tree, reply.value);
    let classes: Vec<_> = chain.iter().map(|it| it.class.as_str()).collect();
    let expected = [
        "javax.management.ReflectionException",
        "java.lang.NoSuchMethodException",
    ];
    assert_eq!(classes, expected);
}

#[test]
fn compactions_are_a_list_of_maps() {
    let reply = include_bytes!("../../tests/recorded/3.11/compactions.reply");
    let maps = read_reply(reply).unwrap().maps().unwrap();
    assert_eq!(maps.len(), 1);
    let of = |key| maps[0][key].as_str();
    let found = [
        of("keyspace"),
        of("columnfamily"),
        of("taskType"),
        of("total"),
        of("unit"),
    ];
    let expected = [
        "system",
        "prepared_statements",
        "Compaction",
        "586",
        "bytes",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_server_that_is_down_is_distinguished_from_one_that_is_no_server_of_jmx() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let mut request = [0; 8];
        connection.read_exact(&mut request).await.unwrap();
        listener
    });
    let server = Server::new("127.0.0.1", port);
    let error = server.connect().await.unwrap_err();
    assert!(
        matches!(error, JmxError::Reply { .. } | JmxError::Connection { .. }),
        "{error}"
    );
    drop(served.await.unwrap());
    let error = server.connect().await.unwrap_err();
    assert!(matches!(error, JmxError::Down { .. }), "{error}");
}

#[tokio::test]
async fn a_connector_that_cannot_be_reached_is_no_server_that_is_down() {
    // Port 1 is where the recorded stub leads then.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (request, reply) = recorded!("lookup");
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut received = vec![0; request.len()];
        connection.read_exact(&mut received).await.unwrap();
        connection.write_all(&with_port(reply, 1)).await.unwrap();
    });
    let error = Server::new("127.0.0.1", port).connect().await.unwrap_err();
    assert!(matches!(error, JmxError::Connection { .. }), "{error}");
    served.await.unwrap();
}

#[test]
fn a_stub_that_wants_tls_is_refused_by_name() {
    let (_, reply) = recorded!("lookup");
    // The byte after the kind of reference says that a class for sockets follows.
    let place = reply
        .windows(11)
        .position(|bytes| bytes == b"UnicastRef2")
        .unwrap()
        + 11;
    let mut reply = reply.to_vec();
    reply[place] = 1;
    let reply = read_reply(&reply).unwrap();
    let error = remote(&Reference::registry("h", 1), &reply).unwrap_err();
    assert!(matches!(error, JmxError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[test]
fn a_reply_that_is_cut_off_or_changed_is_an_error_or_a_value_and_never_a_panic() {
    let replies = [
        recorded!("lookup").1,
        recorded!("snapshot_exists").1,
        recorded!("endpoint_states").1,
        include_bytes!("../../tests/recorded/3.11/compactions.reply"),
    ];
    for reply in replies {
        for length in 0..reply.len() {
            // A call without a result ends where its value would begin.
            let cut = read_reply(&reply[..length]);
            assert!(
                cut.is_err() || cut.unwrap().value == Value::Null,
                "{length}"
            );
        }
        for place in (0..reply.len()).step_by(reply.len() / 200 + 1) {
            for change in [
                0x00, 0x01, 0x70, 0x71, 0x72, 0x73, 0x75, 0x77, 0x7e, 0x7f, 0xff,
            ] {
                let mut changed = reply.to_vec();
                changed[place] = change;
                if let Ok(reply) = read_reply(&changed) {
                    let _ = (
                        reply.text(),
                        reply.bool(),
                        reply.int(),
                        reply.texts(),
                        reply.maps(),
                    );
                    let _ = crate::rmi::chain(&reply.tree, reply.value);
                    let _ = Reference::of_stub(&reply.tree, reply.value);
                }
            }
        }
    }
}
