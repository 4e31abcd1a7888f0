//! Signed integers in as few bytes as they need, as payloads of tries hold them.

/// How many bytes [`put`] writes, at least one.
pub(super) fn len(value: i64) -> usize {
    // The sign needs a bit, too.
    let magnitude = if value < 0 { !value } else { value };
    let bits = 65 - magnitude.leading_zeros() as usize;
    bits.div_ceil(8)
}

pub(super) fn put(out: &mut Vec<u8>, value: i64) {
    let bytes = value.to_be_bytes();
    out.extend_from_slice(&bytes[8 - len(value)..]);
}

/// The value that is all of `bytes`, 1 to 8 of them.
pub(super) fn get(bytes: &[u8]) -> Option<i64> {
    if bytes.len() > 8 {
        return None;
    }
    let first = *bytes.first()?;
    let sign = i64::from(first as i8) >> 7;
    Some(
        bytes
            .iter()
            .fold(sign, |value, byte| (value << 8) | i64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_fewest_bytes_that_keep_their_sign() {
        let edges = (0..63).flat_map(|bit| {
            let power = 1_i64 << bit;
            [power - 1, power, -power, -power - 1]
        });
        for value in edges.chain([i64::MIN, i64::MAX]) {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(bytes.len(), len(value), "{value}");
            assert_eq!(get(&bytes), Some(value), "{value}");
            if bytes.len() > 1 {
                assert_ne!(get(&bytes[1..]), Some(value), "{value} in fewer");
            }
        }
        assert_eq!((len(0), len(127), len(128), len(-128)), (1, 1, 2, 1));
    }
}
