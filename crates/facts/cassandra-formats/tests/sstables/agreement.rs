//! What others found in the same SSTables: Cassandra's own tools, and an independent reader.

mod cassandra;
mod golden;
