//! Statistics.db: what the writer knew of the whole SSTable.

pub mod header;
