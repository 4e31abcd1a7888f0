//! An etcd server: one member on loopback ports, over a folder on disk.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::task;
use tokio::time::{Instant, sleep};
use tracing::info;

use crate::cache::Cache;
use crate::fetch;
use crate::ports::free_port;
use crate::process::Process;
use crate::tools;

const READY_TIMEOUT: Duration = Duration::from_secs(120);
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// PEM files of a server that only takes clients with a certificate.
#[derive(Clone, Debug)]
pub struct EtcdTls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: PathBuf,
    /// The client's own, for [`Etcd::ctl`].
    pub client_certificate: PathBuf,
    pub client_key: PathBuf,
    pub ca: PathBuf,
}

/// A running etcd. It ends with the value, and its folder goes too.
#[derive(Debug)]
pub struct Etcd {
    dir: PathBuf,
    programs: PathBuf,
    client_port: u16,
    peer_port: u16,
    tls: Option<EtcdTls>,
}

impl Etcd {
    /// Starts a member over a new folder, on free ports.
    pub async fn start(dir: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(dir, None).await
    }

    /// The same with TLS.
    pub async fn start_with(dir: impl AsRef<Path>, tls: Option<EtcdTls>) -> Result<Self> {
        let programs = task::spawn_blocking(|| fetch::etcd(&Cache::open()?)).await??;
        let dir = dir.as_ref();
        fs::create_dir_all(dir).with_context(|| format!("could not create {}", dir.display()))?;
        let etcd = Self {
            dir: fs::canonicalize(dir)?,
            programs,
            client_port: free_port()?,
            peer_port: free_port()?,
            tls,
        };
        etcd.run()?;
        etcd.wait_ready().await?;
        info!("etcd listens at {}", etcd.endpoint());
        Ok(etcd)
    }

    pub fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme(), self.client_port)
    }

    /// Starts a stopped or killed member again, at the same place.
    pub async fn restart(&self) -> Result<()> {
        if self.process().is_none() {
            self.run()?;
        }
        self.wait_ready().await
    }

    /// Kills the member at once, as a power cut would, and keeps its data.
    pub fn kill(&self) {
        if let Some(process) = self.process() {
            process.kill();
        }
    }

    /// Ends the member in good order and keeps its data.
    pub fn stop(&self) {
        if let Some(process) = self.process() {
            process.stop(STOP_PATIENCE);
        }
    }

    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.dir.join("pid")).filter(|process| process.is_alive())
    }

    /// Runs `etcdctl` on it and returns what it prints.
    pub fn ctl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.programs.join("etcdctl"));
        command.args(["--endpoints", &self.endpoint(), "--command-timeout=30s"]);
        if let Some(tls) = &self.tls {
            command.arg("--cacert").arg(&tls.ca);
            command.arg("--cert").arg(&tls.client_certificate);
            command.arg("--key").arg(&tls.client_key);
        }
        command.args(arguments);
        tools::run(&mut command, &format!("run etcdctl {arguments:?}"))
    }

    fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    fn run(&self) -> Result<()> {
        let log = File::create(self.log_file())?;
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let mut command = Command::new(self.programs.join("etcd"));
        command.args(["--name", "lab", "--log-level", "warn"]);
        command.arg("--data-dir").arg(self.dir.join("data"));
        command.args(["--listen-client-urls", &self.endpoint()]);
        command.args(["--advertise-client-urls", &self.endpoint()]);
        command.args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ]);
        command.args(["--initial-cluster", &format!("lab={peer}")]);
        if let Some(tls) = &self.tls {
            command.arg("--cert-file").arg(&tls.certificate);
            command.arg("--key-file").arg(&tls.key);
            command.arg("--client-cert-auth");
            command.arg("--trusted-ca-file").arg(&tls.client_ca);
        }
        let child = command
            // An interrupt at the terminal is for the lab, not for its servers.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("could not run etcd")?;
        let process = Process::of(child.id() as i32).context("etcd ended at once")?;
        fs::write(self.dir.join("pid"), process.record())?;
        Ok(())
    }

    /// etcd listens for clients once it has joined its cluster.
    async fn wait_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.client_port)).is_err() {
            if self.process().is_none() || Instant::now() > deadline {
                let log = fs::read_to_string(self.log_file()).unwrap_or_default();
                bail!(
                    "etcd in {} does not listen; its last words:\n{}",
                    self.dir.display(),
                    tools::last_lines(&log, 10)
                );
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("etcd.log")
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
