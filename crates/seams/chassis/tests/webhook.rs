//! Messages go to receivers over TLS, with the secret, and only to those whose certificate is trusted.

use std::sync::Arc;
use std::time::Duration;

use chassis::webhook::{PostError, Webhook, WebhookConfig};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testkit::certificates::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

const LIMIT: Duration = Duration::from_secs(60);

/// A receiver with a certificate of this authority; sends on what it gets, and replies with this status.
async fn receiver(authority: &Authority, status: u16) -> (String, mpsc::Receiver<String>) {
    chassis::tls::install_crypto();
    let (certificate, key) = authority.issue(&["127.0.0.1"]);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.unwrap(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut message = String::new();
            let mut buffer = [0; 1024];
            while !message.ends_with('}') {
                let read = stream.read(&mut buffer).await.unwrap();
                assert_ne!(read, 0, "{message}");
                message.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            let reply = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(reply.as_bytes()).await.unwrap();
            sender.send(message).await.unwrap();
        }
    });
    (format!("https://127.0.0.1:{port}/hook?a=b"), received)
}

fn webhook(url: &str, ca: Option<&std::path::Path>) -> Webhook {
    let config = serde_json::json!({
        "name": "test",
        "url": url,
        "secret": "Bearer x",
        "tls": ca.map(|ca| serde_json::json!({ "ca": ca })),
    });
    let config: WebhookConfig = serde_json::from_value(config).unwrap();
    for shown in [
        format!("{config:?}"),
        serde_json::to_string(&config).unwrap(),
    ] {
        assert!(
            !shown.contains("Bearer") && !shown.contains("hook?"),
            "{shown}"
        );
    }
    let webhook = Webhook::open(&config).unwrap();
    let shown = format!("{webhook:?}");
    assert!(
        !shown.contains("Bearer") && !shown.contains("hook?"),
        "{shown}"
    );
    webhook
}

#[tokio::test]
async fn a_message_goes_to_a_receiver_that_is_trusted_with_the_secret() {
    let authority = Authority::new("hooks");
    let folder = testkit::folder();
    let ca = authority.write_ca(folder.path(), "ca");
    let (url, mut received) = receiver(&authority, 204).await;
    let posted = webhook(&url, Some(&ca))
        .post("{\"a\":1}".to_owned(), LIMIT)
        .await;
    posted.unwrap();
    let message = received.recv().await.unwrap();
    assert!(
        message.starts_with("POST /hook?a=b HTTP/1.1\r\n"),
        "{message}"
    );
    assert!(message.contains("authorization: Bearer x\r\n"), "{message}");
    assert!(message.ends_with("\r\n\r\n{\"a\":1}"), "{message}");
}

#[tokio::test]
async fn a_receiver_of_another_authority_gets_nothing() {
    let folder = testkit::folder();
    let other = Authority::new("other").write_ca(folder.path(), "other");
    let (url, mut received) = receiver(&Authority::new("hooks"), 200).await;
    let error = webhook(&url, Some(&other))
        .post("{}".to_owned(), LIMIT)
        .await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, PostError::Connect(_)) && error.may_pass(),
        "{error:?}"
    );
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn only_a_rejection_is_final() {
    let authority = Authority::new("hooks");
    let folder = testkit::folder();
    let ca = authority.write_ca(folder.path(), "ca");
    for (status, may_pass) in [
        (400, false),
        (410, false),
        (401, true),
        (404, true),
        (429, true),
        (500, true),
    ] {
        let (url, _received) = receiver(&authority, status).await;
        let error = webhook(&url, Some(&ca))
            .post("{}".to_owned(), LIMIT)
            .await
            .unwrap_err();
        assert_eq!(error.may_pass(), may_pass, "{status}: {error}");
    }
}
