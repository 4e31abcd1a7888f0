//! A fake-gcs-server: an emulator of Google Cloud Storage's JSON API on a loopback port, over memory.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tokio::task;
use tracing::info;

use crate::cache::Cache;
use crate::fetch;
use crate::http;
use crate::ports::free_port;
use crate::server::Server;

/// A running fake-gcs-server. It ends with the value, and its folder goes too.
#[derive(Debug)]
pub struct FakeGcs {
    _server: Server,
    port: u16,
}

impl FakeGcs {
    /// Starts a server on a free port.
    pub async fn start(dir: impl AsRef<Path>) -> Result<Self> {
        let program = task::spawn_blocking(|| fetch::fake_gcs(&Cache::open()?)).await??;
        let (server, port) = (Server::new("fake-gcs-server", dir)?, free_port()?);
        let mut command = Command::new(program);
        command.args([
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-backend",
            "memory",
        ]);
        command.args(["-port", &port.to_string(), "-log-level", "error"]);
        server.run(&mut command)?;
        let ready = Self {
            _server: server,
            port,
        };
        ready._server.wait_ready(|| can_store(port)).await?;
        info!("fake-gcs-server listens at {}", ready.endpoint());
        Ok(ready)
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub async fn create_bucket(&self, name: &str) -> Result<()> {
        create_bucket(self.port, name).await
    }
}

async fn create_bucket(port: u16, name: &str) -> Result<()> {
    let body = format!("{{\"name\":\"{name}\"}}");
    let (status, reply) = http::request(port, "POST", "/storage/v1/b?project=lab", &body).await?;
    ensure!(
        matches!(status, 200 | 409),
        "could not make the bucket `{name}`: {reply}"
    );
    Ok(())
}

/// Stores an object and reads it back.
async fn can_store(port: u16) -> Result<bool> {
    create_bucket(port, "lab-ready").await?;
    let upload = "/upload/storage/v1/b/lab-ready/o?uploadType=media&name=ready";
    let (stored, _) = http::request(port, "POST", upload, "\"ready\"").await?;
    let read = "/storage/v1/b/lab-ready/o/ready?alt=media";
    let (found, reply) = http::request(port, "GET", read, "").await?;
    Ok(stored == 200 && found == 200 && reply.ends_with("\"ready\""))
}
