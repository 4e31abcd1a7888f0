//! Programs that check what is shipped in `deploy`: promtool and kustomize, built with Go and kept in the cache like etcd.
//!
//! They are large, and take minutes to build: `lab tools` does that, and no test. A test that needs one is skipped by name if it
//! is not there.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use tracing::info;

use crate::cache::Cache;
use crate::fetch::go_in;
use crate::tools;

/// A program that is built from a module of the Go proxy.
#[derive(Clone, Copy, Debug)]
pub struct GoTool {
    pub name: &'static str,
    package: &'static str,
    version: &'static str,
}

/// Checks and tests rules of Prometheus; of the line with long-term support.
pub const PROMTOOL: GoTool = GoTool {
    name: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    version: "v0.305.0",
};

/// Renders overlays of Kubernetes manifests.
pub const KUSTOMIZE: GoTool = GoTool {
    name: "kustomize",
    package: "sigs.k8s.io/kustomize/kustomize/v5",
    version: "v5.7.1",
};

impl GoTool {
    /// All of them.
    pub const ALL: [Self; 2] = [PROMTOOL, KUSTOMIZE];

    /// The program, built first if it is not in the cache.
    pub fn program(self) -> Result<PathBuf> {
        let folder = Cache::open()?.make(&self.entry(), |folder, _| self.build(folder))?;
        Ok(folder.join(self.name))
    }

    fn entry(self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// The program, if it was built before. Otherwise a line on stderr names the test that is skipped: past the test harness,
    /// which shows nothing of what a test prints that passes.
    pub fn or_skip(self, test: &str) -> Option<PathBuf> {
        let cached = Cache::open().map(|cache| cache.path(&self.entry()));
        let program = cached.map(|folder| folder.join(self.name));
        match program {
            Ok(program) if program.is_file() => Some(program),
            _ => {
                let _ = writeln!(
                    io::stderr(),
                    "skipped: {test} needs {}, which `make tools` builds",
                    self.name
                );
                None
            }
        }
    }

    fn build(self, folder: &Path) -> Result<()> {
        let go = tools::need("go")?;
        info!(
            "building {} with Go, which takes some minutes the first time",
            self.name
        );
        let module = folder.join("module");
        fs::create_dir(&module)?;
        go_in(&go, &module, &["mod", "init", "tool-of-lab"])?;
        let package = format!("{}@{}", self.package, self.version);
        go_in(&go, &module, &["get", &package])?;
        let out = folder.join(self.name).display().to_string();
        go_in(&go, &module, &["build", "-o", &out, self.package])
    }
}
