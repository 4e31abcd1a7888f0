//! How documents read for people. Their shapes, which `--output json` prints, are the crate `views`.

pub mod adopted;
pub mod backup;
pub mod backup_list;
pub mod cluster;
pub mod finding;
pub mod kept_damage;
pub mod leftovers;
pub mod limits;
pub mod plan;
pub mod retention;
pub mod schedule;
pub mod sstable;
pub mod task;
pub mod verify;

/// What a cell shows for none.
pub fn dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or("-")
        .to_owned()
}
