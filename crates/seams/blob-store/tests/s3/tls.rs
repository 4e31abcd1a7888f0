//! Over TLS, with a certificate of a private authority, as object stores on premises have it.

use std::net::SocketAddr;
use std::sync::Arc;

use blob_store::{Put, S3Config};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testkit::Authority;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use crate::server::{PART_BYTES, Server, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_behind_tls_is_reached_with_its_authority_and_not_without() {
    let server = Server::start().await;
    let authority = Authority::new("the store's authority");
    let (address, _terminator) = terminate(&authority, server.address()).await;
    let ca = authority.write_ca(
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")),
        "s3-tls-ca",
    );
    let config = S3Config {
        endpoint: format!("https://{address}"),
        ca_certificate: Some(ca),
        ..server.config()
    };
    let store = open(&config).await;
    for len in [10, PART_BYTES * 2 + 1] {
        let key = format!("{len}");
        let body = stream::iter([Ok(Bytes::from(vec![7; len]))]).boxed();
        assert_eq!(
            store.put_stream(&key, None, body).await.expect("put"),
            Put::Created
        );
        assert_eq!(store.get(&key, len as u64).await.expect("get").len(), len);
    }
    let distrustful = S3Config {
        ca_certificate: None,
        attempts_max: 1,
        ..config
    };
    let error = open(&distrustful)
        .await
        .get("10", 10)
        .await
        .expect_err("an unknown authority");
    assert!(!error.is_not_found(), "{error:?}");
}

/// Ends TLS before a plain server.
async fn terminate(
    authority: &Authority,
    server: SocketAddr,
) -> (SocketAddr, AbortOnDropHandle<()>) {
    let (certificate, key) = authority.issue(&["127.0.0.1"]);
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate with its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let accepting = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else {
                    return;
                };
                let mut upstream = TcpStream::connect(server).await.expect("connects");
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });
    (address, AbortOnDropHandle::new(accepting))
}
