//! Plans as people read them: each test is a small world of a backup and a target, and the whole plan as text.

mod backup;
mod in_place;
mod online;
mod refused;
mod schema;
mod upgrade;
mod world;
