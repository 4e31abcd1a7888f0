//! A few seeds of faults at steps of backups and restores on three real nodes; the soak suite hits every step with every fault.

use anyhow::Result;
use e2e::chaos::{Coverage, Scope, run_all, seeds};

/// Two restores in place, one of them rolled back, and one online.
const SEEDS: [u64; 3] = [1, 2, 3];

#[tokio::test(flavor = "multi_thread")]
async fn faults_at_any_step_end_well_or_by_name() -> Result<()> {
    let mut coverage = Coverage::default();
    let failures = run_all(&seeds(SEEDS)?, Scope::Few, &mut coverage).await?;
    println!("{coverage}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(coverage.hits() > 0);
    assert_eq!(coverage.missed(), Vec::<String>::new());
    Ok(())
}
