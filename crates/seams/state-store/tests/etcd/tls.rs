//! TLS with certificates on both sides, and a login.

use std::time::Duration;

use chassis::ClientTlsSettings;
use lab::{Etcd, EtcdTls};
use secret::Secret;
use serde_json::json;
use state_store::{EtcdConfig, EtcdStore, Expected, StateError, StateStore};
use testkit::certificates::Authority;

use crate::server::folder;

const PREFIX: &str = "fleets/closed";

fn set_up_users(etcd: &Etcd) {
    for arguments in [
        &["user", "add", "root:rootpassword"][..],
        &["user", "grant-role", "root", "root"],
        &["role", "add", "ringkeep"],
        &[
            "role",
            "grant-permission",
            "--prefix",
            "ringkeep",
            "readwrite",
            "fleets/closed/",
        ],
        &["user", "add", "ringkeep:hush"],
        &["user", "grant-role", "ringkeep", "ringkeep"],
        &["auth", "enable"],
    ] {
        etcd.ctl(arguments).expect("etcdctl");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_user_with_certificate_and_password_reaches_the_state() {
    let folder = folder();
    let authority = Authority::new("etcd's authority");
    let server = authority.write_issued(folder.path(), "server", &["127.0.0.1"]);
    let client = authority.write_issued(folder.path(), "client", &["root"]);
    let ca = authority.write_ca(folder.path(), "ca");
    let tls = EtcdTls {
        certificate: server.certificate,
        key: server.key,
        client_ca: ca.clone(),
        client_certificate: client.certificate.clone(),
        client_key: client.key.clone(),
        ca: ca.clone(),
    };
    let etcd = Etcd::start_with(folder.path().join("etcd"), Some(tls)).await;
    let etcd = etcd.expect("etcd starts");
    set_up_users(&etcd);
    let config = EtcdConfig {
        endpoints: vec![etcd.endpoint()],
        prefix: PREFIX.to_owned(),
        user: "ringkeep".to_owned(),
        password: Some(Secret::new("hush")),
        request_timeout_seconds: 20,
        tls: Some(ClientTlsSettings {
            ca: Some(ca),
            certificate: Some(client.certificate),
            key: Some(client.key),
            server_name: None,
        }),
    };
    let store = EtcdStore::open(&config).await.expect("open");
    let written = store.put("a", json!(1), Expected::Absent, None).await;
    written.expect("put");
    let fence = store.acquire("l", "one", Duration::from_secs(60)).await;
    let fence = fence.expect("free");
    let mut watch = store.watch("").await.expect("a watch");

    // Its logins are gone with its memory.
    etcd.stop();
    etcd.restart().await.expect("etcd starts");
    let renewed = store.renew(&fence, Duration::from_secs(60)).await;
    renewed.expect("logged in again");
    let written = store.put("b", json!(1), Expected::Absent, Some(&fence));
    written.await.expect("put");
    let change = futures::StreamExt::next(&mut watch).await;
    assert!(
        matches!(&change, Some(state_store::Change::Put(entry)) if entry.key == "b"),
        "{change:?}"
    );

    let wrong = EtcdConfig {
        password: Some(Secret::new("wrong")),
        ..config.clone()
    };
    let refused = EtcdStore::open(&wrong).await.err();
    assert!(
        matches!(refused, Some(StateError::Denied { .. })),
        "{refused:?}"
    );
    let elsewhere = EtcdConfig {
        prefix: "fleets/other".to_owned(),
        ..config.clone()
    };
    let refused = EtcdStore::open(&elsewhere).await.err();
    assert!(
        matches!(refused, Some(StateError::Denied { .. })),
        "{refused:?}"
    );
    let without_certificate = EtcdConfig {
        tls: config.tls.clone().map(|tls| ClientTlsSettings {
            certificate: None,
            key: None,
            ..tls
        }),
        request_timeout_seconds: 5,
        ..config
    };
    let refused = EtcdStore::open(&without_certificate).await.err();
    assert!(
        matches!(refused, Some(StateError::Backend { .. })),
        "{refused:?}"
    );
}
