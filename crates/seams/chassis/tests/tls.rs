//! TLS and mutual TLS over real TCP.

mod common;

use api::ErrorKind;
use chassis::ClientTlsSettings;
use chassis::tls::{ServerTls, TlsError};
use common::{TestPlanner, ask, planner_at, run, settings, trusting};
use testkit::{Authority, PemFiles};

/// A server's folder of certificates, and two authorities of which it trusts one.
struct World {
    folder: tempfile::TempDir,
    ours: Authority,
    server: PemFiles,
}

impl World {
    fn new() -> Self {
        let folder = testkit::folder();
        let ours = Authority::new("ours");
        let server = ours.write_issued(folder.path(), "server", &["localhost", "127.0.0.1"]);
        Self {
            folder,
            ours,
            server,
        }
    }

    fn server_tls(&self, mutual: bool) -> ServerTls {
        let ca = self.ours.write_ca(self.folder.path(), "ca");
        ServerTls {
            certificate: self.server.certificate.clone(),
            key: self.server.key.clone(),
            client_ca: mutual.then_some(ca),
        }
    }

    fn client(&self, trusted: &Authority, identity: Option<&PemFiles>) -> ClientTlsSettings {
        ClientTlsSettings {
            ca: Some(trusted.write_ca(self.folder.path(), "trusted")),
            certificate: identity.map(|files| files.certificate.clone()),
            key: identity.map(|files| files.key.clone()),
            server_name: None,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Served,
    Refused,
}

/// Calls a server with TLS, mutual or not, as a client with these settings.
async fn call(world: &World, mutual: bool, client: &ClientTlsSettings) -> Outcome {
    let mut config = settings();
    config.tls = Some(world.server_tls(mutual));
    let running = run(&config, TestPlanner::default().app()).await;
    let tls = trusting(client);
    match ask(&mut planner_at(running.address, Some(&tls)), "4.1.0").await {
        Ok(true) => Outcome::Served,
        Ok(false) => panic!("the planner replied something else"),
        Err(status) => {
            let error = api::RemoteError::from(status);
            assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
            Outcome::Refused
        }
    }
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_served() {
    let world = World::new();
    let client = world.client(&world.ours, None);
    assert_eq!(call(&world, false, &client).await, Outcome::Served);
}

#[tokio::test]
async fn a_client_that_trusts_another_authority_does_not_talk() {
    let world = World::new();
    let client = world.client(&Authority::new("theirs"), None);
    assert_eq!(call(&world, false, &client).await, Outcome::Refused);
}

#[tokio::test]
async fn a_client_that_expects_another_name_does_not_talk() {
    let world = World::new();
    let mut client = world.client(&world.ours, None);
    client.server_name = Some("elsewhere".into());
    assert_eq!(call(&world, false, &client).await, Outcome::Refused);
    client.server_name = Some("localhost".into());
    assert_eq!(call(&world, false, &client).await, Outcome::Served);
}

#[tokio::test]
async fn with_a_client_ca_a_client_needs_a_certificate_of_it() {
    let world = World::new();
    let folder = world.folder.path();
    let ours = world.ours.write_issued(folder, "client", &["client"]);
    let theirs = Authority::new("theirs").write_issued(folder, "stranger", &["client"]);
    for (identity, expected) in [
        (Some(&ours), Outcome::Served),
        (Some(&theirs), Outcome::Refused),
        (None, Outcome::Refused),
    ] {
        let client = world.client(&world.ours, identity);
        assert_eq!(call(&world, true, &client).await, expected, "{identity:?}");
    }
}

#[tokio::test]
async fn a_client_without_tls_is_refused() {
    let world = World::new();
    let mut config = settings();
    config.tls = Some(world.server_tls(false));
    let running = run(&config, TestPlanner::default().app()).await;
    let mut client = planner_at(running.address, None);
    assert!(ask(&mut client, "4.1.0").await.is_err());
}

#[tokio::test]
async fn files_that_do_not_fit_are_named() {
    let world = World::new();
    let mut config = settings();
    let mut tls = world.server_tls(false);
    tls.certificate = "/no/such.pem".into();
    config.tls = Some(tls.clone());
    let error = chassis::server::bind(&config).await.err().unwrap();
    assert_eq!(
        api::error::chain(&error),
        "the settings in `server.tls` do not work: could not read the PEM file /no/such.pem: \
         No such file or directory (os error 2)"
    );
    tls.certificate = world.server.key.clone();
    assert!(matches!(tls.load(), Err(TlsError::NotPem { .. })));
    let half = ClientTlsSettings {
        certificate: Some(world.server.certificate.clone()),
        ..ClientTlsSettings::default()
    };
    assert!(matches!(half.load(), Err(TlsError::HalfIdentity)));
}
