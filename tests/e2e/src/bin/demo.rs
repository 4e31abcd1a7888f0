//! The demo: a real Cassandra 5.0 is backed up, broken, restored, and proven to be what it was.
//!
//! It calls the very commands that a user would type, shows them, and cleans up after itself, also on Ctrl-C.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::{CLUSTER, World};
use lab::digest::{Digest, diff};
use lab::workload::{self, Scale};
use lab::{Cluster, Release};
use tokio::process::Command;

#[tokio::main]
async fn main() -> ExitCode {
    let ended = tokio::select! {
        ended = demo() => ended,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\ninterrupted: stopping what was started and removing what was made");
            return ExitCode::from(130);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo() -> Result<()> {
    let begun = Instant::now();
    say("A real Cassandra 5.0 comes up, with a Ringkeep beside it");
    let world = World::builder(Cluster::builder(Release::C50).name("demo"))
        .start()
        .await?;

    say("Tables that look like real life are filled");
    println!(
        "  wide partitions, statics, collections, a UDT, counters, TTLs, deletions and range tombstones,\n  \
         LZ4, Zstd and uncompressed, SAI and classic indexes, a materialized view"
    );
    workload::fill(&world.cluster, Scale::Demo).await?;

    say("The cluster is made known, and backed up in full");
    let mut add = vec!["cluster", "add", CLUSTER];
    for agent in &world.deployment.agents {
        add.extend(["--agent", agent]);
    }
    run(&world, &add).await?;
    run(
        &world,
        &["backup", "create", CLUSTER, "--name", "monday", "--wait"],
    )
    .await?;

    say("Life goes on: data changes and is deleted; a differential backup takes only what is new");
    workload::change(&world.cluster, 1).await?;
    let restore_point = digest(&world).await?;
    let tuesday = [
        "backup",
        "create",
        CLUSTER,
        "--name",
        "tuesday",
        "--kind",
        "differential",
        "--wait",
    ];
    run(&world, &tuesday).await?;
    run(&world, &["backup", "list"]).await?;
    run(&world, &["backup", "verify", "tuesday"]).await?;

    say("Then somebody makes a mistake at three in the morning");
    workload::change(&world.cluster, 2).await?;
    println!("  cqlsh> DROP KEYSPACE shop;");
    world.drop_keyspace("shop").await?;
    let broken = diff(&restore_point, &digest(&world).await?).len();
    println!("  {broken} partitions are not what they were");

    say("What would a restore do?");
    run(&world, &["restore", "plan", "tuesday", "--into", CLUSTER]).await?;

    say("Do it");
    let restore = [
        "restore", "start", "tuesday", "--into", CLUSTER, "--wait", "--yes",
    ];
    run(&world, &restore).await?;

    say("Is it what it was? Every partition, with cell values, write timestamps and TTLs");
    prove(&restore_point, &digest(&world).await?)?;
    println!(
        "\nDone in {:.0} s. Everything that was started is stopped and removed.",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn say(what: &str) {
    println!("\n== {what}");
}

/// Runs a command as a user would, its output and progress on this terminal.
async fn run(world: &World, arguments: &[&str]) -> Result<()> {
    println!("  $ ringkeep {}", arguments.join(" "));
    let cli = world.cli();
    let status = Command::new(&cli.binary)
        .args(["--endpoint", &cli.endpoint])
        .args(arguments)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("run {}", cli.binary.display()))?;
    if !status.success() {
        bail!("`ringkeep {}` ended with {status}", arguments.join(" "));
    }
    // Two streams end up on one terminal: give the slower one its turn.
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}

async fn digest(world: &World) -> Result<Digest> {
    let begun = Instant::now();
    let digest = world.digest().await?;
    println!(
        "  digest of {} partitions with {} rows in {} tables ({:.1} s)",
        digest.partitions(),
        digest.rows(),
        digest.tables.len(),
        begun.elapsed().as_secs_f64()
    );
    Ok(digest)
}

fn prove(expected: &Digest, found: &Digest) -> Result<()> {
    let differences = diff(expected, found);
    if differences.is_empty() {
        println!(
            "  yes: all {} partitions are the same, byte for byte",
            found.partitions()
        );
        return Ok(());
    }
    for difference in differences.iter().take(20) {
        println!("  {difference}");
    }
    bail!("{} partitions differ", differences.len())
}
