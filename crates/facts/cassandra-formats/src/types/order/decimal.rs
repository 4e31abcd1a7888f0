//! The order of decimals, which are an unscaled integer and a scale: 1.0 and 1.00 are equal.

use std::cmp::Ordering;

use super::number::{is_negative, shortest, varint};

/// The longest unscaled value that is compared with one of another scale: its digits take time in its square.
const UNSCALED_BYTES_MAX: usize = 256;
/// Digits are taken nine at a time.
const NINE_DIGITS: u64 = 1_000_000_000;

pub(super) fn compare(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let (scale_a, a) = parts(a)?;
    let (scale_b, b) = parts(b)?;
    if scale_a == scale_b {
        return Some(varint(a, b));
    }
    let signs = sign(a).cmp(&sign(b));
    if signs != Ordering::Equal || sign(a) == 0 {
        return Some(signs);
    }
    let (digits_a, digits_b) = (digits(a)?, digits(b)?);
    let magnitude = |digits: &[u8], scale: i32| digits.len() as i64 - i64::from(scale);
    let order = magnitude(&digits_a, scale_a)
        .cmp(&magnitude(&digits_b, scale_b))
        .then_with(|| without_zeros(&digits_a).cmp(without_zeros(&digits_b)));
    Some(if is_negative(a) {
        order.reverse()
    } else {
        order
    })
}

/// The scale and the unscaled value.
fn parts(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (scale, unscaled) = bytes.split_first_chunk::<4>()?;
    (!unscaled.is_empty()).then(|| (i32::from_be_bytes(*scale), shortest(unscaled)))
}

fn sign(unscaled: &[u8]) -> i8 {
    match unscaled {
        [0] => 0,
        _ if is_negative(unscaled) => -1,
        _ => 1,
    }
}

/// Trailing zeros do not change a fraction.
fn without_zeros(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|digit| *digit != 0);
    &digits[..end.map_or(0, |end| end + 1)]
}

/// The decimal digits of the absolute value, without leading zeros.
fn digits(unscaled: &[u8]) -> Option<Vec<u8>> {
    if unscaled.len() > UNSCALED_BYTES_MAX {
        return None;
    }
    let mut bytes = absolute(unscaled);
    let mut digits = Vec::with_capacity(bytes.len() * 5 / 2 + 9);
    while bytes.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u64;
        for byte in &mut bytes {
            let value = (rest << 8) | u64::from(*byte);
            // The rest is below the divisor, so the quotient is below 256.
            *byte = (value / NINE_DIGITS) as u8;
            rest = value % NINE_DIGITS;
        }
        for _ in 0..9 {
            digits.push((rest % 10) as u8);
            rest /= 10;
        }
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    digits.reverse();
    Some(digits)
}

fn absolute(unscaled: &[u8]) -> Vec<u8> {
    if !is_negative(unscaled) {
        return unscaled.to_vec();
    }
    let mut bytes: Vec<u8> = unscaled.iter().map(|byte| !byte).collect();
    for byte in bytes.iter_mut().rev() {
        let (sum, carries) = byte.overflowing_add(1);
        *byte = sum;
        if !carries {
            return bytes;
        }
    }
    bytes
}
