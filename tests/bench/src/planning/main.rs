//! How fast a restore is planned: 1,000 nodes with 1,000,000 SSTables into 1,500 nodes, and plans of everyday size.

mod world;

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use plan::{check_compatibility, plan_restore};

use world::Size;

const LARGE: Size = Size {
    source_nodes: 1_000,
    target_nodes: 1_500,
    datacenters: 3,
    vnodes: 16,
    tables: 10,
    sstables: 1_000_000,
};
const SMALL: Size = Size {
    source_nodes: 3,
    target_nodes: 6,
    datacenters: 1,
    vnodes: 16,
    tables: 20,
    sstables: 600,
};

fn main() -> Result<()> {
    println!(
        "{:<52} {:>9} {:>9} {:>12}",
        "planning", "seconds", "peak MiB", "SSTables/s"
    );
    let from = "cassandra 4.0.17".parse()?;
    let to = "cassandra 4.1.9".parse()?;
    let seconds = time(|| Ok(check_compatibility(&from, &to).supported))?;
    row("a pair of releases", seconds, 0)?;
    measure(&SMALL)?;
    // Linear in SSTables: each step doubles them.
    for part in [4, 2, 1] {
        measure(&Size {
            sstables: LARGE.sstables / part,
            ..LARGE
        })?;
    }
    Ok(())
}

fn measure(size: &Size) -> Result<()> {
    let request = world::request(size);
    let seconds = time(|| {
        let plan = plan_restore(&request);
        let taken: u64 = plan.nodes.iter().map(|node| node.sstables).sum();
        ensure!(plan.supported, "refused: {:?}", plan.findings.first());
        ensure!(taken >= size.sstables, "{taken} SSTables are taken");
        Ok(true)
    })?;
    let name = format!(
        "{} nodes, {} SSTables, into {} nodes",
        size.source_nodes, size.sstables, size.target_nodes
    );
    row(&name, seconds, size.sstables)
}

fn time(work: impl FnOnce() -> Result<bool>) -> Result<f64> {
    let started = Instant::now();
    ensure!(work()?, "it did not come out as it should");
    Ok(started.elapsed().as_secs_f64())
}

fn row(name: &str, seconds: f64, sstables: u64) -> Result<()> {
    let rate = match sstables {
        0 => "-".to_owned(),
        sstables => format!("{:.0}", sstables as f64 / seconds),
    };
    println!("{name:<52} {seconds:>9.4} {:>9} {rate:>12}", peak_mib()?);
    Ok(())
}

/// The most memory that this process ever had, the request that it plans for included.
fn peak_mib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("the kernel tells no VmHWM")?.parse::<u64>()? >> 10)
}
