//! The exit codes, seen from outside, and the one form of every error.

use api::ErrorKind;
use expect_test::expect;

use crate::fake::{Fake, FakeError};
use crate::run::ringkeep;

/// Nobody listens here: the discard port of this machine.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn an_unreachable_endpoint_exits_with_6() {
    for args in [
        &["status"][..],
        &["cluster", "list"],
        &["backup", "list"],
        &["backup", "create", "prod"],
        &["backup", "verify", "nightly"],
        &["backup", "delete", "nightly", "--yes"],
        &["restore", "plan", "nightly", "--into", "prod"],
        &["task", "list"],
    ] {
        let ran = ringkeep(NOBODY, args).await;
        assert_eq!(
            (ran.exit, ran.out.as_str()),
            (6, ""),
            "{args:?}: {}",
            ran.err
        );
        assert!(
            ran.err.starts_with("error: cannot reach the "),
            "{args:?}: {}",
            ran.err
        );
        assert!(ran.err.contains("\nhint: "), "{args:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_server_that_is_not_ringkeep_exits_with_6() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            use tokio::io::AsyncWriteExt;
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        }
    });
    let ran = ringkeep(&endpoint, &["backup", "list"]).await;
    assert_eq!(ran.exit, 6, "{}", ran.err);
}

#[tokio::test]
async fn the_error_of_a_service_decides_the_exit_code() {
    for (kind, exit) in [
        (ErrorKind::InvalidArgument, 2),
        (ErrorKind::NotFound, 5),
        (ErrorKind::AlreadyExists, 1),
        (ErrorKind::FailedPrecondition, 1),
        (ErrorKind::Unavailable, 6),
        (ErrorKind::DataLoss, 4),
        (ErrorKind::ResourceExhausted, 1),
        (ErrorKind::Internal, 1),
    ] {
        let fake = Fake {
            error: Some(FakeError {
                kind,
                reason: "SOME_REASON",
                message: "something is so",
            }),
            ..Fake::default()
        };
        let fake = fake.serve().await;
        let ran = ringkeep(&fake.endpoint, &["backup", "show", "nightly"]).await;
        assert_eq!(ran.exit, exit, "{kind:?}");
        assert_eq!(ran.out, "");
        assert_eq!(
            ran.err,
            "error: something is so\nhint: look at what there is\n"
        );
    }
}

#[tokio::test]
async fn with_json_an_error_is_one_line_of_json_on_stderr() {
    let fake = Fake {
        error: Some(FakeError {
            kind: ErrorKind::NotFound,
            reason: "BACKUP_NOT_FOUND",
            message: "no backup `nightly`",
        }),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["backup", "show", "nightly", "-o", "json"]).await;
    expect![[r#"
        exit 5
        --- stdout
        --- stderr
        {"error":{"message":"no backup `nightly`","hints":["look at what there is"],"reason":"BACKUP_NOT_FOUND","exit_code":5}}
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn what_is_wrong_on_the_command_line_exits_with_2() {
    for args in [
        &["frobnicate"][..],
        &["backup", "create"],
        &["backup", "create", "pr/od"],
        &["backup", "create", "prod", "--name", "../evil"],
        &["backup", "create", "prod", "--kind", "half"],
        &["backup", "create", "prod", "--base", "nightly"],
        &["backup", "create", "prod", "--table", "orders"],
        &["backup", "create", "prod", "--keyspace", "shop.orders"],
        &["backup", "show", "a/b/c"],
        &["backup", "verify", "nightly", "--level", "deep"],
        &["restore", "plan", "nightly"],
        &[
            "restore", "plan", "nightly", "--into", "prod", "--mode", "sideways",
        ],
        &["cluster", "add", "prod"],
        &["cluster", "add", "prod", "--agent", "no-port"],
        &["status", "--output", "xml"],
        &["status", "--endpoint", "not an address"],
        &["status", "--tls-cert", "a.pem"],
        &[
            "status",
            "--tls-ca",
            "/does/not/exist.pem",
            "--endpoint",
            "https://127.0.0.1:1",
        ],
    ] {
        let ran = ringkeep(NOBODY, args).await;
        assert_eq!(
            (ran.exit, ran.out.as_str()),
            (2, ""),
            "{args:?}: {}",
            ran.err
        );
        assert!(ran.err.starts_with("error: "), "{args:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn tls_flags_on_a_plain_endpoint_are_refused_rather_than_ignored() {
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let ran = ringkeep(NOBODY, &["status", "--tls-ca", ca]).await;
    assert_eq!(ran.exit, 2);
    assert!(ran.err.contains("https://"), "{}", ran.err);
}

#[tokio::test]
async fn a_mistyped_command_is_answered_with_the_nearest() {
    let ran = ringkeep(NOBODY, &["bakup"]).await;
    assert!(ran.err.contains("backup"), "{}", ran.err);
}
