//! Every kind of fault at every step of backups, of restores online and in place, and of rollbacks, on three real nodes.

use anyhow::Result;
use e2e::chaos::{
    Coverage, SEED, SEEDS_FOR_ALL, Scope, run_all, run_upgrades, seeds, with_upgrades,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_step_ends_well_or_by_name() -> Result<()> {
    let mut coverage = Coverage::default();
    let is_repeated = std::env::var_os(SEED).is_some();
    let mut failures = run_all(&seeds(0..SEEDS_FOR_ALL)?, Scope::All, &mut coverage).await?;
    if with_upgrades() {
        failures.extend(run_upgrades(&mut coverage).await.err());
    }
    println!("{coverage}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(coverage.hits() > 0);
    assert_eq!(coverage.missed(), Vec::<String>::new());
    // A single seed that is repeated hits a part of it.
    if !is_repeated {
        assert_eq!(coverage.kinds_without_hit(), Vec::<&str>::new());
        assert_eq!(coverage.gaps(), Vec::<String>::new());
    }
    Ok(())
}
