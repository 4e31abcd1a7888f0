//! The order of integers and of floating-point numbers.

use std::cmp::Ordering;

/// Big-endian integers of one length.
pub(super) fn signed(a: &[u8], b: &[u8]) -> Option<Ordering> {
    if a.len() != b.len() {
        return None;
    }
    let ((first_a, rest_a), (first_b, rest_b)) = (a.split_first()?, b.split_first()?);
    let first = (*first_a as i8).cmp(&(*first_b as i8));
    Some(first.then_with(|| rest_a.cmp(rest_b)))
}

/// Big-endian integers of any length, which need not be the shortest one.
pub(super) fn varint(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (shortest(a), shortest(b));
    match (is_negative(a), is_negative(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (true, true) => b.len().cmp(&a.len()).then_with(|| a.cmp(b)),
    }
}

pub(super) fn is_negative(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first >= 0x80)
}

/// Without leading bytes that only repeat the sign.
pub(super) fn shortest(mut bytes: &[u8]) -> &[u8] {
    while let [first @ (0 | 0xff), rest @ ..] = bytes
        && !rest.is_empty()
        && is_negative(rest) == (*first == 0xff)
    {
        bytes = rest;
    }
    bytes
}

/// As `Float.compare` of Java.
pub(super) fn float(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let of = |bytes: &[u8]| Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?)));
    Some(java(of(a)?, of(b)?))
}

/// As `Double.compare` of Java.
pub(super) fn double(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let of = |bytes: &[u8]| Some(f64::from_be_bytes(bytes.try_into().ok()?));
    Some(java(of(a)?, of(b)?))
}

/// Below zero, -0.0, 0.0, above zero, and all that are no numbers as one.
fn java(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}
