//! An Azurite: an emulator of Azure Blob Storage on a loopback port, over a folder on disk. It needs Node.js.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use tokio::net::TcpStream;
use tokio::task;
use tracing::info;

use crate::cache::Cache;
use crate::fetch;
use crate::http;
use crate::ports::free_port;
use crate::server::Server;
use crate::tools;

/// The account and key that every Azurite has. They are public.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// PEM files of a server that speaks TLS and takes tokens. It reads who they are for, and verifies no signature.
#[derive(Clone, Debug)]
pub struct AzuriteTls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A running Azurite. It ends with the value, and its folder goes too.
#[derive(Debug)]
pub struct Azurite {
    _server: Server,
    port: u16,
    scheme: &'static str,
}

impl Azurite {
    /// Whether this machine has it or can fetch it. Otherwise a line on stderr names the test that is skipped: past the test
    /// harness, which shows nothing of what a test prints that passes.
    pub fn or_skip(test: &str) -> bool {
        let is_there = Cache::open().is_ok_and(|cache| cache.has(&fetch::Part::Azurite.entry()));
        let can_run = tools::find("node").is_some();
        if can_run && (is_there || tools::find("npm").is_some()) {
            return true;
        }
        let _ = writeln!(
            io::stderr(),
            "skipped: {test} needs Azurite, for which Node.js and npm are missing"
        );
        false
    }

    /// Starts a server over a new folder, on a free port.
    pub async fn start(dir: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(dir, None).await
    }

    /// The same with TLS and tokens.
    pub async fn start_with(dir: impl AsRef<Path>, tls: Option<AzuriteTls>) -> Result<Self> {
        let program = task::spawn_blocking(|| fetch::azurite(&Cache::open()?)).await??;
        let (server, port) = (Server::new("Azurite", dir)?, free_port()?);
        let mut command = Command::new(tools::need("node")?);
        command.arg(program);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        command.args(["--silent", "--disableTelemetry", "--location", "data"]);
        if let Some(tls) = &tls {
            command.args(["--oauth", "basic"]);
            command.arg("--cert").arg(&tls.certificate);
            command.arg("--key").arg(&tls.key);
        }
        server.run(&mut command)?;
        let is_plain = tls.is_none();
        server.wait_ready(|| is_up(port, is_plain)).await?;
        let scheme = if is_plain { "http" } else { "https" };
        let azurite = Self {
            _server: server,
            port,
            scheme,
        };
        info!("Azurite listens at {}", azurite.endpoint());
        Ok(azurite)
    }

    /// The URL of the account.
    pub fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}/{ACCOUNT}", self.scheme, self.port)
    }

    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    pub fn key(&self) -> &'static str {
        KEY
    }
}

/// Whether it refuses a request that is not signed, as it does once its database is open. A request that stores something
/// has to be signed: whoever makes the container waits until that succeeds.
async fn is_up(port: u16, is_plain: bool) -> Result<bool> {
    if !is_plain {
        return Ok(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    }
    let path = format!("/{ACCOUNT}/lab-ready?restype=container&comp=list");
    let (status, reply) = http::request(port, "GET", &path, "").await?;
    Ok((400..500).contains(&status) && reply.to_lowercase().contains("x-ms-request-id"))
}
