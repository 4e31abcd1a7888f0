//! The commands of `lab`, one file each.

mod bench;
mod change;
mod diff;
mod digest;
mod doctor;
mod down;
mod fetch;
mod fill;
mod fixtures;
mod minio;
mod tools;
mod up;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Command {
    Doctor(doctor::Doctor),
    Fetch(fetch::Fetch),
    Up(up::Up),
    Down(down::Down),
    Fill(fill::Fill),
    Change(change::Change),
    Digest(digest::Digest),
    Diff(diff::Diff),
    Fixtures(fixtures::Fixtures),
    #[command(subcommand)]
    Minio(minio::Minio),
    Bench(bench::Bench),
    Tools(tools::Tools),
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Command::Doctor(doctor) => return doctor.run(),
            Command::Diff(diff) => return diff.run(),
            Command::Fetch(fetch) => fetch.run().await?,
            Command::Up(up) => up.run().await?,
            Command::Down(down) => down.run().await?,
            Command::Fill(fill) => fill.run().await?,
            Command::Change(change) => change.run().await?,
            Command::Digest(digest) => digest.run().await?,
            Command::Fixtures(fixtures) => fixtures.run().await?,
            Command::Minio(minio) => minio.run().await?,
            Command::Bench(bench) => bench.run().await?,
            Command::Tools(tools) => tools.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
