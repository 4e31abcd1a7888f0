//! Standalone in this process, called through the command line.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::ServerConfig;
use cli::{Patience, Surroundings};
use standalone::{Config, Error, Standalone};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Draining has nothing to wait for in these tests.
const END_TIMEOUT: Duration = Duration::from_secs(20);

pub fn config(folder: &Path) -> Config {
    let mut config = Config {
        data_dir: folder.join("data"),
        ..Config::default()
    };
    config.server = ServerConfig::on_port(0);
    config
}

pub struct Running {
    pub endpoint: String,
    pub agents: Vec<String>,
    /// The line that says that it is ready.
    pub ready: String,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub async fn start(mut config: Config) -> Self {
        config.complete();
        let shutdown = CancellationToken::new();
        let standalone = Standalone::start(config, shutdown.clone())
            .await
            .expect("starts");
        Self {
            endpoint: format!("http://{}", standalone.address()),
            ready: standalone.ready_line(),
            agents: standalone.agents().map(|(_, at)| at.to_string()).collect(),
            serving: tokio::spawn(standalone.serve()),
            shutdown,
        }
    }

    /// Exit code, stdout, stderr.
    pub async fn ringkeep(&self, args: &[&str]) -> (u8, String, String) {
        let (out, err) = (Captured::default(), Captured::default());
        let surroundings = Surroundings {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            input: Box::new(io::empty()),
            out_is_terminal: false,
            err_is_terminal: false,
            input_is_terminal: false,
            no_color: true,
            width: Some(100),
            interrupt: Box::pin(std::future::pending()),
            patience: Patience::default(),
        };
        let mut line = vec!["ringkeep"];
        line.extend(args);
        line.extend(["--endpoint", &self.endpoint]);
        let line = line.into_iter().map(Into::into).collect::<Vec<_>>();
        let exit = cli::run_in(line, surroundings, |_| async { Ok(None) }).await;
        (exit.code(), out.text(), err.text())
    }

    pub async fn end(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(END_TIMEOUT, self.serving).await;
        ended
            .expect("it ends in time")
            .expect("no panic")
            .expect("it ends well");
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
