//! `lab doctor`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lab::{Cache, Part};

/// Say whether this machine has what the lab needs; fetches nothing
#[derive(Debug, Args)]
pub struct Doctor {
    /// What is wanted: 3.11, 4.0, 4.1, 5.0, minio, grpcurl, etcd, fake-gcs, azurite; everything by default
    parts: Vec<Part>,
}

impl Doctor {
    pub fn run(self) -> Result<ExitCode> {
        let parts = if self.parts.is_empty() {
            lab::fetchable()
        } else {
            self.parts
        };
        let checks = lab::examine(&Cache::open()?, &parts);
        for check in &checks {
            println!("{check}");
        }
        let missing: Vec<&str> = checks
            .iter()
            .filter(|check| check.found.is_err())
            .map(|check| check.what.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!(
            "lab: not ready for {}: see the lines that begin with `missing`",
            missing.join(", ")
        );
        Ok(ExitCode::FAILURE)
    }
}
