//! The planner's settings: those that every process has.

use chassis::server;
use chassis::{ProcessConfig, ServerConfig, TelemetryConfig};
use serde::{Deserialize, Serialize};

const PORT: u16 = 7403;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(
        default = "default_server",
        deserialize_with = "server::on_port::<PORT, _>"
    )]
    pub server: ServerConfig,
    #[serde(default)]
    pub telemetry: TelemetryConfig,
}

fn default_server() -> ServerConfig {
    ServerConfig::on_port(PORT)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: default_server(),
            telemetry: TelemetryConfig::default(),
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
}
