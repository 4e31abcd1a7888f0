//! Standalone through the command line, as its users see it; no Cassandra is needed for any of this.

mod common;

use std::path::Path;

use common::{Running, config};
use standalone::{AgentEntry, Error, Standalone};
use tokio_util::sync::CancellationToken;

/// A cassandra.yaml whose Cassandra does not run.
fn agent_without_cassandra(folder: &Path) -> AgentEntry {
    let yaml = folder.join("cassandra.yaml");
    let data = folder.join("cassandra-data");
    std::fs::create_dir_all(&data).expect("made");
    let text = format!(
        "cluster_name: t\nlisten_address: 127.0.0.1\nrpc_address: 127.0.0.1\nnative_transport_port: 9\ndata_file_directories: ['{}']\n",
        data.display()
    );
    std::fs::write(&yaml, text).expect("written");
    let mut entry = AgentEntry {
        listen: "127.0.0.1:0".parse().ok(),
        ..AgentEntry::default()
    };
    entry.cassandra.config_file = yaml;
    entry.cassandra.nodetool = vec!["/bin/false".into()];
    entry.cassandra.cql_timeout_seconds = 2;
    entry
}

#[tokio::test(flavor = "multi_thread")]
async fn all_services_answer_on_one_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Running::start(config(folder.path())).await;
    let (exit, out, err) = running.ringkeep(&["status", "-o", "json"]).await;
    assert_eq!(exit, 0, "{out}{err}");
    let status: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(status["ok"], true, "{out}");
    assert_eq!(status["store"]["reachable"], true, "{out}");
    for args in [
        &["backup", "list"][..],
        &["task", "list"],
        &["cluster", "list"],
    ] {
        let (exit, out, err) = running.ringkeep(args).await;
        assert_eq!((exit, out.as_str()), (0, ""), "{args:?}: {err}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_not_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Running::start(config(folder.path())).await;
    for args in [
        &["backup", "show", "c/none"][..],
        &["backup", "show", "none"],
        &["backup", "verify", "none"],
        &["backup", "delete", "none", "--yes"],
        &["backup", "create", "none"],
        &["restore", "plan", "none", "--into", "c"],
        &["restore", "start", "none", "--into", "c", "--yes"],
        &["cluster", "show", "none"],
        &["cluster", "remove", "none"],
        &["task", "show", "0192f000-0000-7000-8000-000000000001"],
        &["task", "watch", "0192f000-0000-7000-8000-000000000001"],
        &["task", "cancel", "0192f000-0000-7000-8000-000000000001"],
        &["task", "resume", "0192f000-0000-7000-8000-000000000001"],
    ] {
        let (exit, out, err) = running.ringkeep(args).await;
        assert_eq!((exit, out.as_str()), (5, ""), "{args:?}: {err}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_the_process_is_reached_under_its_own_and_under_the_main_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    config.agents = vec![agent_without_cassandra(folder.path())];
    let running = Running::start(config).await;
    let main = running
        .endpoint
        .strip_prefix("http://")
        .expect("plain")
        .to_owned();
    for address in [running.agents[0].as_str(), &main] {
        // Its Cassandra does not run, so it cannot be registered; but the agent itself has spoken.
        let (exit, _, err) = running
            .ringkeep(&["cluster", "add", "c", "--agent", address])
            .await;
        assert_ne!(exit, 0);
        assert!(err.contains("127.0.0.1:9"), "{address}: {exit} {err}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_cassandra_yaml_is_absent_and_the_others_are_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    let mut absent = agent_without_cassandra(folder.path());
    absent.cassandra.config_file = folder.path().join("no-such.yaml");
    config.agents = vec![agent_without_cassandra(folder.path()), absent];
    let running = Running::start(config).await;
    let ready = &running.ready;
    assert!(ready.contains("agent-1 on 127.0.0.1:"), "{ready}");
    let absent = ready.contains("which is absent") && ready.contains("no-such.yaml");
    assert!(absent, "{ready}");
    let mut add = vec!["cluster", "add", "c"];
    for agent in &running.agents {
        add.extend(["--agent", agent]);
    }
    let (exit, _, err) = running.ringkeep(&add).await;
    assert_ne!(exit, 0);
    // The one has spoken of its Cassandra, which does not run, and the other of its cassandra.yaml.
    assert!(err.contains("127.0.0.1:9"), "{err}");
    assert!(err.contains("agent `agent-2` could not be built"), "{err}");
    assert!(err.contains("no-such.yaml"), "{err}");
    running.end().await;
}

/// Going on without it would hide it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_settings_of_an_agent_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    let mut mistaken = agent_without_cassandra(folder.path());
    mistaken.cassandra.nodetool = Vec::new();
    config.agents = vec![agent_without_cassandra(folder.path()), mistaken];
    config.complete();
    let error = Standalone::start(config, CancellationToken::new())
        .await
        .err();
    let said = standalone::describe(&error.expect("refused"));
    assert!(
        said.contains("agent `agent-2` could not be built"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Running::start(config(folder.path())).await;
    let (exit, _, err) = running
        .ringkeep(&["cluster", "add", "c", "--agent", "127.0.0.1:9"])
        .await;
    assert_eq!(exit, 6, "{err}");
    assert!(err.contains("127.0.0.1:9"), "{err}");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_belongs_to_one_process_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Running::start(config(folder.path())).await;
    let second = Standalone::start(config(folder.path()), CancellationToken::new()).await;
    let error = second.err().expect("refused");
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--data-dir")));
    running.end().await;
    Running::start(config(folder.path())).await.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("free");
    let mut config = config(folder.path());
    config.server.listen = taken.local_addr().expect("bound");
    let error = Standalone::start(config, CancellationToken::new())
        .await
        .err()
        .expect("refused");
    let said = standalone::describe(&error);
    assert!(
        said.contains(&taken.local_addr().expect("bound").to_string()),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_it_does_not_start_without_client_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    config.server.listen = "0.0.0.0:0".parse().expect("an address");
    let error = Standalone::start(config, CancellationToken::new())
        .await
        .err()
        .expect("refused");
    assert!(error.is_usage(), "{error:?}");
    let said = standalone::describe(&error);
    assert!(said.contains("`client_ca`"), "{said}");
    assert!(error.hint().is_some_and(|hint| hint.contains("running.md")));
}
