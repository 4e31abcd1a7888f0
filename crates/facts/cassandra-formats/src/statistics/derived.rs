//! Facts derived from Statistics.db for other parts of the crate.

use std::ops::Range;

use super::Statistics;
use cassandra_tokens::Partitioner;

impl Statistics {
    /// If the SSTable is zero-copy-streamed: the positions of the original's uncompressed Data that it holds.
    pub(crate) fn covered(&self) -> Option<Range<u64>> {
        let zero_copy = self.stats.dse.as_ref()?.zero_copy.as_ref()?;
        Some(zero_copy.data_start..zero_copy.data_end)
    }

    /// The partitioner; `None` if its class is not known here.
    pub fn partitioner(&self) -> Option<Partitioner> {
        Partitioner::of(&self.validation.partitioner)
    }

    /// How many partitions the writer counted.
    pub fn partitions(&self) -> u64 {
        u64::try_from(self.stats.estimated_partition_size.count()).unwrap_or(0)
    }

    /// First and last key, if this component has them and can be trusted for them.
    pub(crate) fn keys(&self) -> Option<(&[u8], &[u8])> {
        if let Some(range) = &self.stats.key_range {
            return Some((&range.first_key, &range.last_key));
        }
        let zero_copy = self.stats.dse.as_ref()?.zero_copy.as_ref()?;
        Some((&zero_copy.first_key, &zero_copy.last_key))
    }
}
