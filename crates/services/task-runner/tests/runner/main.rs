//! The runner over in-memory connections, with made-up agents, catalog and planner that keep account of what was asked
//! of them.

mod backup;
mod cluster;
mod collection;
mod crash;
mod dying_store;
mod ends;
mod ends_by_setting;
mod fake_agent;
mod fake_catalog;
mod fake_planner;
mod faulty_store;
mod fenced_agent;
mod fences;
mod fleet;
mod force;
mod give_up;
mod lapsing_store;
mod lease;
mod leftovers;
mod limits;
mod maintenance;
mod maintenance_documents;
mod narrow_store;
mod processes;
mod restore;
mod retention;
mod schedules;
mod sharing;
mod superseded;
mod task;
mod trial;
mod typed;
mod verify_delete;
mod way_back;
mod world;
