//! TLS and mutual TLS over real TCP.

mod common;

use api::ErrorKind;
use chassis::ClientTlsSettings;
use chassis::tls::{ServerTls, TlsError};
use common::{TestPlanner, ask, planner_at, run, settings};
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
    match ask(&mut planner_at(running.address, Some(client)), "4.1.0").await {
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
    let ours = world
        .ours
        .write_issued(folder, "client", &["client", "ringkeep://role/runner"]);
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
    assert!(matches!(tls.check(), Err(TlsError::NotPem { .. })));
    let half = ClientTlsSettings {
        certificate: Some(world.server.certificate.clone()),
        ..ClientTlsSettings::default()
    };
    assert!(matches!(half.check(), Err(TlsError::HalfIdentity)));
}

/// Writes certificates of another authority over those of the world.
fn renew(world: &World, authority: &Authority) {
    authority.write_ca(world.folder.path(), "ca");
    let names = ["localhost", "127.0.0.1"];
    authority.write_issued(world.folder.path(), "server", &names);
}

async fn is_served(running: &common::Running, client: &ClientTlsSettings) -> bool {
    let mut planner = planner_at(running.address, Some(client));
    ask(&mut planner, "4.1.0").await.is_ok()
}

#[tokio::test]
async fn changed_certificates_are_in_force_for_the_next_connection_and_bad_ones_never() {
    let world = World::new();
    let folder = world.folder.path();
    let mut config = settings();
    config.tls = Some(world.server_tls(true));
    let running = run(&config, TestPlanner::default().app()).await;
    let newer = Authority::new("newer");
    let client_of = |authority: &Authority, stem: &str| {
        let files = authority.write_issued(folder, stem, &["ringkeep://role/runner"]);
        ClientTlsSettings {
            ca: Some(authority.write_ca(folder, &format!("{stem}-ca"))),
            certificate: Some(files.certificate),
            key: Some(files.key),
            server_name: None,
        }
    };
    let (old_client, new_client) = (client_of(&world.ours, "old"), client_of(&newer, "new"));
    assert!(is_served(&running, &old_client).await);
    assert!(!is_served(&running, &new_client).await);

    renew(&world, &newer);
    assert!(is_served(&running, &new_client).await);
    assert!(!is_served(&running, &old_client).await);

    // A key that is not the certificate's, a file that is no PEM, and no file at all.
    let key = folder.join("server.key");
    let good = std::fs::read(&key).unwrap();
    std::fs::copy(folder.join("old.key"), &key).unwrap();
    assert!(is_served(&running, &new_client).await);
    std::fs::write(&key, "nonsense").unwrap();
    assert!(is_served(&running, &new_client).await);
    std::fs::remove_file(&key).unwrap();
    assert!(is_served(&running, &new_client).await);
    std::fs::write(&key, good).unwrap();
    renew(&world, &world.ours);
    assert!(is_served(&running, &old_client).await);
}

#[tokio::test]
async fn a_client_connects_with_the_certificate_that_it_has_then() {
    let world = World::new();
    let folder = world.folder.path();
    let names = ["ringkeep://role/runner"];
    let identity = Authority::new("theirs").write_issued(folder, "client", &names);
    let client = world.client(&world.ours, Some(&identity));
    let mut config = settings();
    config.tls = Some(world.server_tls(true));
    let running = run(&config, TestPlanner::default().app()).await;
    let mut planner = planner_at(running.address, Some(&client));
    ask(&mut planner, "4.1.0").await.unwrap_err();
    world.ours.write_issued(folder, "client", &names);
    assert!(ask(&mut planner, "4.1.0").await.unwrap());
}

#[tokio::test]
async fn where_tls_is_set_nothing_is_called_in_the_clear_but_a_neighbour() {
    let world = World::new();
    let client = world.client(&world.ours, None);
    let dialer = chassis::Dialer::new(Some(&client)).unwrap();
    for address in ["http://10.0.0.1:7401", "http://127.0.0.1:7401"] {
        let refused = dialer.channel(address).unwrap_err().to_string();
        assert!(
            refused.contains(address) && refused.contains("https://"),
            "{refused}"
        );
    }
    dialer
        .channel_to_neighbour("http://127.0.0.1:7402")
        .unwrap();
    dialer
        .channel_to_neighbour("http://10.0.0.1:7402")
        .unwrap_err();
    dialer.channel("https://10.0.0.1:7401").unwrap();
    let open = chassis::Dialer::new(None).unwrap();
    open.channel("http://10.0.0.1:7401").unwrap();
}
