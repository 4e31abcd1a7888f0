//! Moves a state from one backend to another: as JSON lines, with no task-runner running.
//!
//! The first line is a header: `{"ringkeep_state":1,"floor":N}`. Each entry is a line `{"key":K,"value":V}`, sorted by key.
//! The last line is `{"entries":N}`: a file without it is not whole. Leases are not in it. No version and no token of the
//! state is above the floor, and those of the state that it is imported into are higher: agents refuse lower numbers than
//! they have seen.

mod error;
mod read;
mod targets;

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StateConfig;

pub use error::TransferError;
use read::Lines;
use targets::{Source, Target};

/// The form that this version writes and reads.
const FORM: u32 = 1;
/// Entries that are read at once; each may have a megabyte.
const PAGE_ENTRIES: usize = 32;

/// The first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    ringkeep_state: u32,
    floor: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    value: Value,
}

/// The last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    entries: u64,
}

/// Writes the whole state. Refused while a task-runner uses it. Returns the number of entries.
pub async fn export(
    config: &StateConfig,
    out: &mut (dyn Write + Send),
) -> Result<u64, TransferError> {
    let source = Source::open(config).await?;
    let floor = source.floor().await?;
    let header = Header {
        ringkeep_state: FORM,
        floor,
    };
    write_line(out, &header)?;
    let mut end = End { entries: 0 };
    let mut after: Option<String> = None;
    loop {
        let page = source.page(floor, after.as_deref(), PAGE_ENTRIES);
        let page = page.await?;
        after = page.entries.last().map(|entry| entry.key.clone());
        for entry in page.entries {
            let (key, value) = (entry.key, entry.value);
            write_line(out, &Line { key, value })?;
            end.entries += 1;
        }
        if !page.more {
            break;
        }
    }
    source.check_still_unused().await?;
    write_line(out, &end)?;
    out.flush()?;
    Ok(end.entries)
}

fn write_line<T: Serialize>(out: &mut (dyn Write + Send), line: &T) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Reads a file that [`export`] has written into a state. All of the file is checked before anything is written. Refused if the
/// state has entries, unless they are to be replaced; nothing of it can be used until all of the file is there. Returns the
/// number of entries.
pub async fn import(
    config: &StateConfig,
    path: &Path,
    replace: bool,
) -> Result<u64, TransferError> {
    let mut checked = Lines::open(path)?;
    while checked.next()?.is_some() {}
    let mut target = Target::open(config, replace).await?;
    let mut lines = Lines::open(path)?;
    target.begin(lines.floor()).await?;
    let mut entries = 0;
    while let Some(line) = lines.next()? {
        target.put(line.key, line.value).await?;
        entries += 1;
    }
    target.finish().await?;
    Ok(entries)
}
