//! Programs that check what is shipped in `deploy`: promtool and kustomize, built with Go and kept in the cache like etcd.
//!
//! A machine that cannot build them skips the tests that need them, by name, so they are no part of `lab fetch`.

use std::fs;
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
    /// The program, built first if it is not in the cache.
    pub fn program(self) -> Result<PathBuf> {
        let entry = format!("{}-{}", self.name, self.version);
        let folder = Cache::open()?.make(&entry, |folder, _| self.build(folder))?;
        Ok(folder.join(self.name))
    }

    /// The program, or why it cannot be had, printed in the name of the test that is skipped.
    pub fn or_skip(self, test: &str) -> Option<PathBuf> {
        match self.program() {
            Ok(program) => Some(program),
            Err(error) => {
                eprintln!("skipped: {test}: there is no {}: {error:#}", self.name);
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
