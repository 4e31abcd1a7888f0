//! The frame of Statistics.db: where each part begins, and the checksums.

use super::STATISTICS;
use crate::bytes::Cursor;
use crate::error::Damage;
use crate::version::Version;

/// The bytes of one part, without its checksum.
pub(super) type Part = Vec<u8>;

/// Their names, in the order of their numbers in the table of contents.
const PARTS: [&str; 4] = ["VALIDATION", "COMPACTION", "STATS", "HEADER"];
const CHECKSUM_LEN: u32 = 4;

/// Splits the component into its four parts, each as a cursor that knows its offset.
pub(super) fn split(bytes: &[u8], version: Version) -> Result<[Cursor<'_>; 4], Damage> {
    let checksums = version.has_statistics_checksums();
    let offsets = parse_toc(bytes, checksums)?;
    let mut parts = PARTS.map(|_| Cursor::new(STATISTICS, &[]));
    for (index, part) in parts.iter_mut().enumerate() {
        let start = offsets.get(index).copied().unwrap_or(0);
        let end = offsets
            .get(index + 1)
            .map_or(bytes.len(), |end| *end as usize);
        let name = PARTS[index];
        let stored = bytes.get(start as usize..end).ok_or_else(|| {
            let what = format!("{name} goes from {start} to {end} of {}", bytes.len());
            Damage::whole(STATISTICS, what)
        })?;
        *part = Cursor::at(STATISTICS, stored, start.into());
        if checksums {
            let len = stored.len().saturating_sub(CHECKSUM_LEN as usize);
            let body = part.clone().take(len, name)?;
            let mut rest = part.clone();
            rest.take(len, name)?;
            check(&mut rest, crc32fast::hash(body), name)?;
            *part = Cursor::at(STATISTICS, body, start.into());
        }
    }
    Ok(parts)
}

pub(super) fn join(parts: &[Part; 4], version: Version) -> Vec<u8> {
    let checksums = version.has_statistics_checksums();
    let checksum_len = if checksums { CHECKSUM_LEN } else { 0 };
    let mut out = Vec::new();
    let mut toc = crc32fast::Hasher::new();
    let count = (parts.len() as u32).to_be_bytes();
    out.extend_from_slice(&count);
    toc.update(&count);
    if checksums {
        out.extend_from_slice(&toc.clone().finalize().to_be_bytes());
    }
    let mut offset = toc_len(checksums);
    for (index, part) in (0_u32..).zip(parts) {
        let entry = [index.to_be_bytes(), offset.to_be_bytes()].concat();
        out.extend_from_slice(&entry);
        toc.update(&entry);
        offset += part.len() as u32 + checksum_len;
    }
    if checksums {
        out.extend_from_slice(&toc.finalize().to_be_bytes());
    }
    for part in parts {
        out.extend_from_slice(part);
        if checksums {
            out.extend_from_slice(&crc32fast::hash(part).to_be_bytes());
        }
    }
    out
}

fn toc_len(checksums: bool) -> u32 {
    4 + 8 * PARTS.len() as u32 + if checksums { 2 * CHECKSUM_LEN } else { 0 }
}

/// The offsets of the parts, ascending, the first one right behind the table of contents.
fn parse_toc(bytes: &[u8], checksums: bool) -> Result<[u32; 4], Damage> {
    let cursor = &mut Cursor::new(STATISTICS, bytes);
    let mut crc = crc32fast::Hasher::new();
    let start = cursor.clone();
    let count = cursor.u32("number of parts")?;
    crc.update(&count.to_be_bytes());
    if checksums {
        check(cursor, crc.clone().finalize(), "the number of parts")?;
    }
    if count as usize != PARTS.len() {
        return Err(start.damage(format!("{count} parts, expected {}", PARTS.len())));
    }
    // The whole table first, so that a flipped bit is reported as a wrong checksum.
    let entries = cursor.take(8 * PARTS.len(), "table of contents")?;
    crc.update(entries);
    let mut entries = Cursor::at(STATISTICS, entries, cursor.offset() - entries.len() as u64);
    if checksums {
        check(cursor, crc.finalize(), "the table of contents")?;
    }
    let mut offsets = [0; 4];
    let mut least = toc_len(checksums);
    for (index, offset) in offsets.iter_mut().enumerate() {
        let start = entries.clone();
        let kind = entries.u32("part")?;
        *offset = entries.u32("offset of a part")?;
        let in_order = if index == 0 {
            *offset == least
        } else {
            *offset > least
        };
        if kind as usize != index || !in_order {
            let what = format!(
                "part {kind} at {offset}, expected {} ({index}) from {least} on",
                PARTS[index]
            );
            return Err(start.damage(what));
        }
        least = *offset;
    }
    Ok(offsets)
}

fn check(cursor: &mut Cursor<'_>, computed: u32, of: &str) -> Result<(), Damage> {
    let start = cursor.clone();
    let stored = cursor.u32("checksum")?;
    if stored == computed {
        return Ok(());
    }
    Err(start.damage(format!(
        "the checksum of {of} is {stored:08x}, its bytes give {computed:08x}"
    )))
}
