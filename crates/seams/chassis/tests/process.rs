//! A whole process: exit codes, `--check-config`, signals. Has no test harness, because it starts itself as the child.

mod common;

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};

use chassis::server::{self, ServerConfig};
use chassis::{ConfigArgs, ProcessConfig, TelemetryConfig};
use clap::Parser;
use common::{TestPlanner, ask, planner_at};
use serde::{Deserialize, Serialize};

/// Set for the child only.
const CHILD: &str = "CHASSIS_TEST_CHILD";

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(deserialize_with = "server::on_port::<0, _>")]
    server: ServerConfig,
    telemetry: TelemetryConfig,
    own: Own,
}

/// Settings of the service's own.
#[derive(Serialize, Deserialize)]
struct Own {
    right: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerConfig::on_port(0),
            telemetry: TelemetryConfig::default(),
            own: Own { right: true },
        }
    }
}

impl ProcessConfig for Config {
    fn server(&self) -> &ServerConfig {
        &self.server
    }
    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
    fn check(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match self.own.right {
            true => Ok(()),
            false => Err("`own` is wrong".into()),
        }
    }
}

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        return chassis::run_main("test", &Args::parse().config, |_: Config, context| async {
            let ending = async move { context.shutdown.cancelled_owned().await };
            Ok::<_, Infallible>(TestPlanner::default().app().ending(ending))
        });
    }
    check_config_prints_and_ends();
    check_config_refuses_what_could_not_serve();
    wrong_settings_are_usage();
    an_address_that_is_taken_is_a_failure();
    an_address_for_strangers_is_usage();
    sigterm_drains_and_is_a_success();
    a_second_signal_ends_at_once();
    println!("process: 7 passed");
    ExitCode::SUCCESS
}

fn child(config: Option<&Path>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(CHILD, "1").env_remove("RINGKEEP_CONFIG");
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    if let Some(path) = config {
        command.arg("--config").arg(path);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check_config_refuses_what_could_not_serve() {
    for (settings, named) in [
        ("listen = '0.0.0.0:7777'", "allow_unauthenticated"),
        (
            "tls = { certificate = '/no/such.pem', key = '/no/such.key' }",
            "/no/such.pem",
        ),
        ("connections_max = 0", "connections_max"),
        ("calls_max = 0", "calls_max"),
        ("calls_per_connection_max = 0", "calls_per_connection_max"),
    ] {
        let folder = testkit::folder();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("[server]\n{settings}\n")).unwrap();
        let output = child(Some(&path)).arg("--check-config").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{settings}: {output:?}");
        let shown = text(&output.stderr);
        assert!(shown.contains(named), "{settings}: {shown}");
    }
}

fn check_config_prints_and_ends() {
    let folder = testkit::folder();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[server]\nlisten = '127.0.0.1:7777'\n").unwrap();
    let output: Output = child(Some(&path))
        .arg("--check-config")
        .env("RINGKEEP_TELEMETRY__LOG", "debug")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let shown = text(&output.stdout);
    assert!(shown.contains("listen = \"127.0.0.1:7777\""), "{shown}");
    assert!(shown.contains("log = \"debug\""), "{shown}");
    assert_eq!(text(&output.stderr), "");
}

fn wrong_settings_are_usage() {
    for (name, value, expected) in [
        (
            "RINGKEEP_SERVER__LISEN",
            "x",
            "did you mean `RINGKEEP_SERVER__LISTEN`?",
        ),
        ("RINGKEEP_TELEMETRY__LOG", "=x=", "telemetry.log"),
        ("RINGKEEP_OWN__RIGHT", "false", "`own` is wrong"),
    ] {
        let output = child(None).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let shown = text(&output.stderr);
        assert!(shown.starts_with("error: "), "{shown}");
        assert!(shown.contains(expected), "{shown}");
    }
}

fn an_address_that_is_taken_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = child(None)
        .env("RINGKEEP_SERVER__LISTEN", &address)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        text(&output.stderr).contains("could not listen on"),
        "{output:?}"
    );
}

/// Starting again does not help, so the exit code is the one that a unit does not restart on.
fn an_address_for_strangers_is_usage() {
    let output = child(None)
        .env("RINGKEEP_SERVER__LISTEN", "0.0.0.0:0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let shown = text(&output.stderr);
    assert!(shown.contains("allow_unauthenticated"), "{shown}");
}

/// Starts a child that logs JSON, and returns its address and the rest of its log.
#[expect(
    clippy::zombie_processes,
    reason = "every caller waits; where this panics, the whole test ends"
)]
fn started() -> (Child, String, BufReader<std::process::ChildStderr>) {
    let mut child = child(None)
        .env("RINGKEEP_TELEMETRY__LOG_FORMAT", "json")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the child ended");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        if line["message"] == "listening" {
            return (child, line["address"].as_str().unwrap().to_owned(), log);
        }
    }
}

fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn sigterm_drains_and_is_a_success() {
    let (child, address, _log) = started();
    let slow = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut client = planner_at(address, None);
            ask(&mut client, "4.1.0").await.unwrap();
            ask(&mut client, "slow").await
        })
    });
    std::thread::sleep(std::time::Duration::from_millis(150));
    signal(&child, "TERM");
    assert!(slow.join().unwrap().unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), "");
}

fn a_second_signal_ends_at_once() {
    let (mut child, address, mut log) = started();
    let runtime = runtime();
    let _never = runtime.spawn(async move { ask(&mut planner_at(address, None), "never").await });
    std::thread::sleep(std::time::Duration::from_millis(150));
    signal(&child, "INT");
    let mut line = String::new();
    while !line.contains("shutting down") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the child ended");
    }
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
