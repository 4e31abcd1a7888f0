//! Whole SSTables: those that this project made with real Cassandra, and the shared ones where they are.

mod agreement;
mod damage;
mod folders;
mod plan_facts;
mod slices;
mod verified;
