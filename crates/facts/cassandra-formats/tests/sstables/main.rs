//! Whole SSTables: those that this project made with real Cassandra, and the shared ones if they are available.

mod agreement;
mod damage;
mod datastax;
mod disorder;
mod folders;
mod mutations;
mod plan_facts;
mod slices;
mod verified;
