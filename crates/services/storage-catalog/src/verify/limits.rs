//! Limits of one verification, which may change while it runs.

use blob_store::Bandwidth;
use chassis::work::Gate;
use model::task::TransferLimits;

use super::content::OBJECTS_PARALLEL;
use crate::catalog::NODES_PARALLEL;

/// What a verification may take; at first, all that the catalog allows.
#[derive(Debug)]
pub struct VerifyLimits {
    pub bandwidth: Bandwidth,
    pub gate: Gate,
}

impl Default for VerifyLimits {
    fn default() -> Self {
        Self {
            bandwidth: Bandwidth::unlimited(None),
            gate: Gate::default(),
        }
    }
}

impl VerifyLimits {
    /// Changes the limits, also for what waits already. Returns what is in force.
    pub fn set(&self, asked: TransferLimits) -> TransferLimits {
        self.bandwidth.set_rate(asked.bandwidth_bytes_per_second);
        self.gate.set_limit(asked.parallel_files as usize);
        let own = (OBJECTS_PARALLEL * NODES_PARALLEL) as u32;
        TransferLimits {
            parallel_files: match asked.parallel_files {
                0 => own,
                files => files.min(own),
            },
            ..asked
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_files_are_in_force_than_the_catalog_reads_at_once() {
        let limits = VerifyLimits::default();
        for (asked, expected) in [(0, 32), (5, 5), (99, 32)] {
            let set = limits.set(TransferLimits {
                bandwidth_bytes_per_second: 7,
                parallel_files: asked,
            });
            assert_eq!(
                (set.bandwidth_bytes_per_second, set.parallel_files),
                (7, expected)
            );
        }
    }
}
