//! Deletion times, in the forms that versions write them.

use super::input::{Bytes, Input, Stop};
use crate::version::Version;

/// The local deletion time of what is not deleted and does not expire.
pub const NO_DELETION_TIME: i64 = i64::MAX;

/// When something was deleted: by the writer's clock in microseconds, and by the node's in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionTime {
    /// Microseconds, by the writer's clock; everything with this timestamp or an older one is deleted.
    pub marked_for_delete_at: i64,
    /// When it was deleted, by the node's clock, in seconds since 1970, or [`NO_DELETION_TIME`].
    pub local_deletion_time: i64,
}

impl DeletionTime {
    /// The value for nothing deleted.
    pub const LIVE: Self = Self {
        marked_for_delete_at: i64::MIN,
        local_deletion_time: NO_DELETION_TIME,
    };

    /// Whether nothing is deleted.
    pub fn is_live(self) -> bool {
        self == Self::LIVE
    }
}

/// Decodes the four bytes of a local deletion time: unsigned seconds in 5.0's versions, signed ones before.
#[inline]
pub(super) fn local_deletion_time(bytes: u32, version_has_uint: bool) -> i64 {
    let (value, none) = if version_has_uint {
        (i64::from(bytes), i64::from(u32::MAX))
    } else {
        (i64::from(bytes as i32), i64::from(i32::MAX))
    };
    if value == none {
        NO_DELETION_TIME
    } else {
        value
    }
}

/// A deletion time as it is written before a partition and in indexes: not as a difference to the header's minima.
pub(crate) fn read_deletion_time(
    input: &mut Bytes<'_>,
    version: Version,
) -> Result<DeletionTime, Stop> {
    if !version.has_uint_deletion_time() {
        let local = u32::from_be_bytes(input.array()?);
        let marked_for_delete_at = i64::from_be_bytes(input.array()?);
        return Ok(DeletionTime {
            marked_for_delete_at,
            local_deletion_time: local_deletion_time(local, false),
        });
    }
    let start = input.offset();
    let first = input.u8()?;
    if first == 0x80 {
        return Ok(DeletionTime::LIVE);
    }
    if first > 0x80 {
        let what = format!("a deletion time cannot begin with {first:#04x}");
        return Err(input.damage_at(start, what));
    }
    let mut marked = [first, 0, 0, 0, 0, 0, 0, 0];
    marked[1..].copy_from_slice(&input.array::<7>()?);
    let local = u32::from_be_bytes(input.array()?);
    Ok(DeletionTime {
        marked_for_delete_at: i64::from_be_bytes(marked),
        local_deletion_time: local_deletion_time(local, true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: &str, bytes: &[u8]) -> Result<DeletionTime, Stop> {
        let version = Version::known(&version.parse().expect("a version")).expect("known");
        let mut input = Bytes::new("Data.db", bytes, 0);
        let read = read_deletion_time(&mut input, version);
        assert!(read.is_err() || input.remaining() == 0);
        read
    }

    #[test]
    fn both_forms_have_a_time_or_that_nothing_was_deleted() {
        let old_live = [&[0x7f, 0xff, 0xff, 0xff][..], &[0x80, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert!(matches!(read("big-nb", &old_live), Ok(d) if d.is_live()));
        assert!(matches!(read("bti-bb", &old_live), Ok(d) if d.is_live()));
        assert!(matches!(read("big-oa", &[0x80]), Ok(d) if d.is_live()));
        let some = DeletionTime {
            marked_for_delete_at: 5,
            local_deletion_time: 7,
        };
        let old = [&[0, 0, 0, 7][..], &[0, 0, 0, 0, 0, 0, 0, 5]].concat();
        assert_eq!(read("big-me", &old).ok(), Some(some));
        let new = [&[0, 0, 0, 0, 0, 0, 0, 5][..], &[0, 0, 0, 7]].concat();
        assert_eq!(read("bti-da", &new).ok(), Some(some));
        assert!(matches!(read("bti-da", &[0x81]), Err(Stop::Failed(_))));
    }

    #[test]
    fn seconds_after_2038_need_the_new_form() {
        assert_eq!(local_deletion_time(0x8000_0000, true), 1 << 31);
        assert_eq!(local_deletion_time(0x8000_0000, false), -(1 << 31));
    }
}
