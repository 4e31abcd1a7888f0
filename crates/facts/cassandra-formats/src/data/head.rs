//! Short pieces of Data that are parsed from bytes in memory, and the checks that they have in common.

use std::io::Read;

use super::COMPONENT;
use super::deletion::DeletionTime;
use super::input::{Bytes, Input, Stop, damage};
use super::row;
use crate::data::window::{WINDOW_LEN, Window};
use crate::error::Error;

pub(super) fn range(deletion: Option<DeletionTime>) -> String {
    deletion.map_or("no range".into(), |deletion| {
        format!("the range deleted at {}", deletion.marked_for_delete_at)
    })
}

pub(super) fn check_row_flags(
    position: u64,
    flags: u8,
    extended: u8,
    is_static: bool,
) -> Result<(), Error> {
    let Some(why) = wrong_row_flags(flags, extended, is_static) else {
        return Ok(());
    };
    let what = format!("row flags {flags:#04x} {extended:#04x}: {why}");
    Err(damage(COMPONENT, position, what).into())
}

/// Flags that no writer sets together.
#[inline]
fn wrong_row_flags(flags: u8, extended: u8, is_static: bool) -> Option<&'static str> {
    let extended_static = flags & row::EXTENSION_FLAG != 0 && extended & row::IS_STATIC != 0;
    if extended_static != is_static {
        return Some("the static row comes first, if there is one");
    }
    if extended & !row::IS_STATIC & !row::HAS_SHADOWABLE_DELETION != 0 {
        return Some("some are unknown");
    }
    if flags & (row::END_OF_PARTITION | row::IS_MARKER) != 0 {
        return Some("a row was expected");
    }
    if flags & row::HAS_TTL != 0 && flags & row::HAS_TIMESTAMP == 0 {
        return Some("a time to live comes with a timestamp");
    }
    if extended & row::HAS_SHADOWABLE_DELETION != 0 && flags & row::HAS_DELETION == 0 {
        return Some("there is no deletion to be shadowable");
    }
    None
}

/// Checks the size that precedes a row's cells and a marker's deletion: how far back the row or marker before it began.
#[inline]
pub(super) fn check_previous<I: Input>(input: &mut I, expected: u64) -> Result<(), Stop> {
    let start = input.offset();
    let found = input.uvint()?;
    if found != expected {
        let what = format!("the size of what is before should be {expected}, it is {found}");
        return Err(input.damage_at(start, what));
    }
    Ok(())
}

/// Parses something that must fit the window; returns how many bytes it was, which are not consumed.
#[inline]
pub(super) fn head<R: Read, T>(
    window: &mut Window<R>,
    of: &str,
    likely_len: usize,
    mut parse: impl FnMut(&mut Bytes<'_>) -> Result<T, Stop>,
) -> Result<(T, usize), Error> {
    let mut want = likely_len;
    loop {
        let offset = window.offset();
        let bytes = window.fill(want).map_err(|e| *e)?;
        let had = bytes.len();
        let mut input = Bytes::new(COMPONENT, bytes, offset);
        match parse(&mut input) {
            Ok(parsed) => return Ok((parsed, input.position())),
            Err(Stop::Failed(error)) => return Err(*error),
            Err(Stop::Short) if had < want.min(WINDOW_LEN) => {
                let what = format!("the data ends within {of}");
                return Err(damage(COMPONENT, offset, what).into());
            }
            Err(Stop::Short) if want >= WINDOW_LEN => {
                let what = format!("{of} is longer than {WINDOW_LEN} bytes");
                return Err(damage(COMPONENT, offset, what).into());
            }
            Err(Stop::Short) => want = had.saturating_mul(2).clamp(want + 1, WINDOW_LEN),
        }
    }
}
