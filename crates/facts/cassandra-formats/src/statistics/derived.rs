//! What other parts of the crate ask of Statistics.db.

use std::ops::Range;

use super::Statistics;
use cassandra_tokens::Partitioner;

impl Statistics {
    /// Positions of the original's uncompressed Data that are here, if it is a slice that DSE streamed without copying.
    pub(crate) fn covered(&self) -> Option<Range<u64>> {
        let zero_copy = self.stats.dse.as_ref()?.zero_copy.as_ref()?;
        Some(zero_copy.data_start..zero_copy.data_end)
    }

    /// `None` where the class is not known here.
    pub fn partitioner(&self) -> Option<Partitioner> {
        Partitioner::of(&self.validation.partitioner)
    }

    /// How many partitions the writer counted.
    pub fn partitions(&self) -> u64 {
        u64::try_from(self.stats.estimated_partition_size.count()).unwrap_or(0)
    }

    /// First and last key, where this component is to be believed for them.
    pub(crate) fn keys(&self) -> Option<(&[u8], &[u8])> {
        if let Some(range) = &self.stats.key_range {
            return Some((&range.first_key, &range.last_key));
        }
        let zero_copy = self.stats.dse.as_ref()?.zero_copy.as_ref()?;
        Some((&zero_copy.first_key, &zero_copy.last_key))
    }
}
