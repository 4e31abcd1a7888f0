//! Plans as people read them: each test is a small world of a backup and a target, and the whole plan as text.

mod any_order;
mod any_ring;
mod backup;
mod classes;
mod completeness;
mod dse;
mod dse_onto_cassandra;
mod encryption;
mod every_code;
mod expiry;
mod formats;
mod in_place;
mod online;
mod online_changed;
mod refused;
mod refused_target;
mod rings_datacenters;
mod rings_datacenters_refused;
mod rings_size;
mod rings_strategies;
mod schema;
mod schema_changes;
mod schema_lines;
mod strategies_refused;
mod upgrade;
mod world;
