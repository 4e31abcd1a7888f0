//! What a caller may do with the roles of its certificate, over real TLS.

mod common;

use api::RemoteError;
use chassis::ClientTlsSettings;
use chassis::tls::ServerTls;
use common::{PLANNER, Running, TestPlanner, ask, asking, planner_at, run, settings};
use testkit::Authority;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

struct World {
    folder: tempfile::TempDir,
    ours: Authority,
    running: Running,
}

impl World {
    async fn new() -> Self {
        let (folder, ours) = (testkit::folder(), Authority::new("ours"));
        let server = ours.write_issued(folder.path(), "server", &["127.0.0.1"]);
        let mut config = settings();
        config.tls = Some(ServerTls {
            certificate: server.certificate,
            key: server.key,
            client_ca: Some(ours.write_ca(folder.path(), "ca")),
        });
        let running = run(&config, TestPlanner::default().app()).await;
        Self {
            folder,
            ours,
            running,
        }
    }

    /// A client whose certificate has these names.
    fn client(&self, names: &[&str]) -> ClientTlsSettings {
        let files = self.ours.write_issued(self.folder.path(), "client", names);
        ClientTlsSettings {
            ca: Some(self.folder.path().join("ca.pem")),
            certificate: Some(files.certificate),
            key: Some(files.key),
            server_name: None,
        }
    }

    /// Asks whether releases fit, which operators may, and for a plan, which the runner alone may.
    async fn ask(&self, names: &[&str]) -> (Result<bool, Status>, Status) {
        let mut planner = planner_at(self.running.address, Some(&self.client(names)));
        let compatible = ask(&mut planner, "4.1.0").await;
        let plan = planner.plan_restore(Request::new(Default::default()));
        (compatible, plan.await.unwrap_err())
    }
}

#[tokio::test]
async fn a_role_may_do_what_the_table_says_and_nothing_else() {
    let world = World::new().await;
    for (names, may_ask, may_plan) in [
        (&["ringkeep://role/operator-read"][..], true, false),
        (&["ringkeep://role/operator-write"], true, false),
        (&["ringkeep://role/runner"], true, true),
        (&["ringkeep://role/agent"], false, false),
        (
            &["ringkeep://role/agent", "ringkeep://role/runner"],
            true,
            true,
        ),
        (&["ringkeep://role/RUNNER"], false, false),
        (&["ringkeep://role/runner/x"], false, false),
        (&["runner"], false, false),
    ] {
        let (compatible, plan) = world.ask(names).await;
        let denied = compatible.as_ref().map_err(Status::code) == Err(Code::PermissionDenied);
        assert_eq!(denied, !may_ask, "{names:?} {compatible:?}");
        let expected = if may_plan {
            Code::Unimplemented
        } else {
            Code::PermissionDenied
        };
        assert_eq!(plan.code(), expected, "{names:?} {plan:?}");
    }
}

#[tokio::test]
async fn a_refusal_names_the_role_that_the_caller_has_and_those_that_would_do() {
    let world = World::new().await;
    let refused = RemoteError::from(world.ask(&["ringkeep://role/agent"]).await.1);
    assert_eq!(refused.reason, "ROLE_NOT_ALLOWED");
    assert_eq!(
        refused.message,
        format!("/{PLANNER}/PlanRestore may not be called with the role agent")
    );
    let hint = refused.hint.unwrap();
    assert_eq!(hint, "call with a certificate of one of the roles: runner");

    let refused = RemoteError::from(world.ask(&["ringkeep://role/king"]).await.1);
    assert_eq!(refused.reason, "NO_ROLE");
    assert!(!refused.is_retryable(), "{refused:?}");
    assert!(refused.hint.unwrap().contains("`king`"));
}

#[tokio::test]
async fn health_is_for_every_role_but_not_for_a_certificate_without_one() {
    let world = World::new().await;
    for (names, expected) in [
        (&["ringkeep://role/agent"][..], Ok(())),
        (&["somebody"], Err(Code::PermissionDenied)),
    ] {
        let client = world.client(names);
        let dialer = chassis::Dialer::new(Some(&client)).unwrap();
        let channel = dialer.channel(&world.running.address.to_string()).unwrap();
        let mut health = HealthClient::new(channel);
        let checked = health.check(HealthCheckRequest::default()).await;
        let checked = checked.map(drop).map_err(|status| status.code());
        assert_eq!(checked, expected, "{names:?}");
    }
}

#[tokio::test]
async fn without_client_certificates_a_server_listens_on_loopback_alone_unless_it_is_told_to() {
    let mut config = settings();
    config.listen = "0.0.0.0:0".parse().unwrap();
    let refused = chassis::server::bind(&config).await.err().unwrap();
    let said = api::error::chain(&refused);
    for word in ["0.0.0.0:0", "`client_ca`", "`allow_unauthenticated = true`"] {
        assert!(said.contains(word), "{said}");
    }
    config.allow_unauthenticated = true;
    let running = run(&config, TestPlanner::default().app()).await;
    let address = format!("127.0.0.1:{}", running.address.port());
    let mut planner = planner_at(address, None);
    assert!(ask(&mut planner, "4.1.0").await.unwrap());
    planner.check_compatibility(asking("4.1.0")).await.unwrap();

    // Encryption alone tells nobody apart.
    let world = World::new().await;
    let server = world
        .ours
        .write_issued(world.folder.path(), "s", &["127.0.0.1"]);
    let mut config = settings();
    config.listen = "0.0.0.0:0".parse().unwrap();
    config.tls = Some(ServerTls {
        certificate: server.certificate,
        key: server.key,
        client_ca: None,
    });
    let refused = chassis::server::bind(&config).await.err().unwrap();
    assert!(matches!(
        refused,
        chassis::server::ServeError::Unauthenticated { .. }
    ));
    config.tls.as_mut().unwrap().client_ca = Some(world.folder.path().join("ca.pem"));
    chassis::server::bind(&config).await.unwrap();
}
