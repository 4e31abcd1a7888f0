//! The orders of UUIDs: each type has its own.

use std::cmp::Ordering;

fn halves(bytes: &[u8]) -> Option<(u64, u64)> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let value = u128::from_be_bytes(bytes);
    Some(((value >> 64) as u64, value as u64))
}

/// The upper half of a version 1 UUID with its time from the highest bits to the lowest.
fn reordered(upper: u64) -> i64 {
    ((upper << 48) | ((upper << 16) & 0xffff_0000_0000) | (upper >> 32)) as i64
}

/// `UUIDType`: by version; version 1 by time, others as unsigned bytes.
pub(super) fn uuid(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let ((upper_a, lower_a), (upper_b, lower_b)) = (halves(a)?, halves(b)?);
    let version = |upper: u64| (upper >> 12) & 0xf;
    let order = version(upper_a).cmp(&version(upper_b));
    let order = order.then_with(|| match version(upper_a) {
        1 => reordered(upper_a).cmp(&reordered(upper_b)),
        _ => upper_a.cmp(&upper_b),
    });
    Some(order.then_with(|| lower_a.cmp(&lower_b)))
}

/// `TimeUUIDType`: by time, then by the lower half as signed bytes. `None` for other versions, which it does not order.
pub(super) fn time_uuid(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let ((upper_a, lower_a), (upper_b, lower_b)) = (halves(a)?, halves(b)?);
    let is_time = |upper: u64| (upper >> 12) & 0xf == 1;
    if !is_time(upper_a) || !is_time(upper_b) {
        return None;
    }
    let signed = |lower: u64| lower.to_be_bytes().map(|byte| byte as i8);
    let order = reordered(upper_a).cmp(&reordered(upper_b));
    Some(order.then_with(|| signed(lower_a).cmp(&signed(lower_b))))
}

/// `LexicalUUIDType`: as `UUID.compareTo` of Java.
pub(super) fn lexical(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let ((upper_a, lower_a), (upper_b, lower_b)) = (halves(a)?, halves(b)?);
    let order = (upper_a as i64).cmp(&(upper_b as i64));
    Some(order.then_with(|| (lower_a as i64).cmp(&(lower_b as i64))))
}
