//! A MinIO server: real S3 on a loopback port, over a folder on disk.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task;
use tokio::time::{Instant, sleep, timeout};
use tracing::info;

use crate::cache::Cache;
use crate::fetch;
use crate::ports::free_port;
use crate::process::Process;
use crate::tools;

const READY_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const REGION: &str = "us-east-1";
const ACCESS_KEY: &str = "ringkeep-lab";
/// Not a secret: the server listens on loopback only and holds test data.
const SECRET_KEY: &str = "ringkeep-lab-secret";

/// A running MinIO. It ends with the value, and its folder goes too, unless it was detached.
#[derive(Debug)]
pub struct Minio {
    dir: PathBuf,
    record: Record,
    is_detached: bool,
}

/// What `minio.json` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    endpoint: String,
    region: String,
    access_key: String,
    secret_key: String,
    port: u16,
}

impl Minio {
    /// Starts a server over a folder that is new or was a stopped server's, on a free port.
    pub async fn start(dir: impl AsRef<Path>) -> Result<Self> {
        let program = task::spawn_blocking(|| fetch::minio(&Cache::open()?)).await??;
        let dir = dir.as_ref();
        fs::create_dir_all(dir.join("data"))
            .with_context(|| format!("could not create {}", dir.display()))?;
        let dir = fs::canonicalize(dir)?;
        let record = match read_record(&dir) {
            // The same port again, so that clients find the server where it was.
            Ok(record) => record,
            Err(_) => Record::new(free_port()?),
        };
        fs::write(
            dir.join("minio.json"),
            serde_json::to_string_pretty(&record)? + "\n",
        )?;
        let minio = Self {
            dir,
            record,
            is_detached: false,
        };
        minio.run(&program)?;
        minio.wait_ready().await?;
        info!("MinIO listens at {}", minio.endpoint());
        Ok(minio)
    }

    /// Opens a server that was started before; it outlives the value.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        let record = read_record(dir)?;
        Ok(Self {
            dir: fs::canonicalize(dir)?,
            record,
            is_detached: true,
        })
    }

    pub fn endpoint(&self) -> &str {
        &self.record.endpoint
    }

    pub fn region(&self) -> &str {
        &self.record.region
    }

    pub fn access_key(&self) -> &str {
        &self.record.access_key
    }

    pub fn secret_key(&self) -> &str {
        &self.record.secret_key
    }

    /// Where the server keeps its objects, in a form of its own.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Makes a plain bucket: on a single drive MinIO takes every folder for one.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        fs::create_dir(self.data_dir().join(name))
            .with_context(|| format!("could not make the bucket `{name}`"))
    }

    /// Starts a stopped or killed server again, at the same place.
    pub async fn restart(&self) -> Result<()> {
        if self.process().is_none() {
            let program = fetch::minio(&Cache::open()?)?;
            self.run(&program)?;
        }
        self.wait_ready().await
    }

    /// Ends the server in good order and keeps its data.
    pub fn stop(&self) {
        if let Some(process) = self.process() {
            process.stop(STOP_PATIENCE);
        }
    }

    /// Kills the server at once, as a power cut would.
    pub fn kill(&self) {
        if let Some(process) = self.process() {
            process.kill();
        }
    }

    /// Lets the server live on without this value and this process.
    pub fn detach(&mut self) {
        self.is_detached = true;
    }

    /// Kills the server and removes its folder.
    pub fn remove(mut self) {
        self.is_detached = false;
    }

    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.dir.join("pid")).filter(|process| process.is_alive())
    }

    /// The description that `minio.json` holds.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.record)?)
    }

    fn run(&self, program: &Path) -> Result<()> {
        let log = File::create(self.log_file())?;
        let child = Command::new(program)
            .args([
                "server",
                "--address",
                &format!("127.0.0.1:{}", self.record.port),
            ])
            .arg(self.data_dir())
            .env("MINIO_ROOT_USER", &self.record.access_key)
            .env("MINIO_ROOT_PASSWORD", &self.record.secret_key)
            .env("MINIO_BROWSER", "off")
            .env("MINIO_UPDATE", "off")
            .env("MINIO_CALLHOME_ENABLE", "off")
            // An interrupt at the terminal is for the lab, not for its servers.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("could not run {}", program.display()))?;
        let process = Process::of(child.id() as i32).context("MinIO ended at once")?;
        fs::write(self.dir.join("pid"), process.record())?;
        Ok(())
    }

    async fn wait_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while !matches!(
            timeout(Duration::from_secs(2), self.is_ready()).await,
            Ok(Ok(true))
        ) {
            if self.process().is_none() || Instant::now() > deadline {
                let log = fs::read_to_string(self.log_file()).unwrap_or_default();
                bail!(
                    "MinIO in {} does not reply; its last words:\n{}",
                    self.dir.display(),
                    tools::last_lines(&log, 10)
                );
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Asks for the health of the whole: `health/ready` reports 200 even before there is an object layer.
    async fn is_ready(&self) -> Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.record.port)).await?;
        let request = "GET /minio/health/cluster HTTP/1.0\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"))
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("minio.log")
    }
}

impl Record {
    fn new(port: u16) -> Self {
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            region: REGION.to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            port,
        }
    }
}

impl Drop for Minio {
    fn drop(&mut self) {
        if !self.is_detached {
            self.kill();
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

fn read_record(dir: &Path) -> Result<Record> {
    let text = fs::read_to_string(dir.join("minio.json")).with_context(|| {
        format!(
            "{} holds no MinIO: start one with `lab minio up --dir`",
            dir.display()
        )
    })?;
    Ok(serde_json::from_str(&text)?)
}
