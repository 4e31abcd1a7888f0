//! Whole paths on real clusters, one program, so that several run at a time.

mod any_ring;
mod bad_input;
mod chaos;
mod compact_storage;
mod control;
mod copied;
mod foreign_partitions;
mod grpcurl;
mod guardrails;
mod killed;
mod maintenance;
mod renamed;
mod restaged;
mod roundtrip;
mod schema_back;
mod stores;
mod three_nodes;
mod versions;
