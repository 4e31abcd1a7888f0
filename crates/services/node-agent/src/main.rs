//! The agent as a process of its own.

use std::process::ExitCode;

use blob_store::StoreConfig;
use chassis::{App, ConfigArgs, ProcessConfig, ServerConfig, TelemetryConfig, server};
use clap::Parser;
use node_agent::{AgentConfig, CassandraConfig, Config};
use serde::{Deserialize, Serialize};

const PORT: u16 = 7401;

/// The agent beside a Cassandra node.
#[derive(Parser)]
#[command(name = "ringkeep-node-agent", version)]
struct Arguments {
    #[command(flatten)]
    config: ConfigArgs,
}

/// All sections of the settings.
#[derive(Serialize, Deserialize)]
struct Settings {
    #[serde(
        default = "default_server",
        deserialize_with = "server::on_port::<PORT, _>"
    )]
    server: ServerConfig,
    #[serde(default)]
    telemetry: TelemetryConfig,
    store: StoreConfig,
    #[serde(default)]
    cassandra: CassandraConfig,
    #[serde(default)]
    agent: AgentConfig,
}

fn default_server() -> ServerConfig {
    ServerConfig::on_port(PORT)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    chassis::run_main(
        "node-agent",
        &arguments.config,
        async |settings: Settings, _| {
            let config = Config {
                store: settings.store,
                cassandra: settings.cassandra,
                agent: settings.agent,
            };
            let store = blob_store::open(&config.store).await?;
            let service = node_agent::build(config, store).await?;
            anyhow::Ok(App::new().service(service))
        },
    )
}

impl ProcessConfig for Settings {
    fn server(&self) -> &ServerConfig {
        &self.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sample_loads_names_every_key_and_shows_the_defaults() {
        testkit::sample::check::<super::Settings>("node-agent");
    }

    #[test]
    fn the_settings_are_shown_without_any_secret() {
        let folder = testkit::folder();
        let path = folder.path().join("agent.toml");
        let text = r#"
            [store]
            kind = "s3"
            bucket = "b"
            endpoint = "https://me:hush@s3:9000"
            access_key_id = "k"
            secret_access_key = "hush"
            [telemetry]
            otlp_endpoint = "http://me:hush@collector:4317"
            [cassandra]
            nodetool = ["nodetool", "-u", "me", "-pw", "hush"]
            start_command = ["start", "--password=hush"]
            stop_command = ["sh", "-c", "nodetool -pw hush stopdaemon"]
            cql_username = "me"
            cql_password = "hush"
            jmx_username = "me"
            jmx_password = "hush"
        "#;
        std::fs::write(&path, text).unwrap();
        let settings: super::Settings = chassis::config::load(Some(&path), None).unwrap();
        let shown = chassis::config::render(&settings);
        assert!(shown.contains("otlp_endpoint") && shown.contains("stopdaemon"));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
