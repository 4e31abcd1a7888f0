//! Java's modified UTF-8: UTF-16 units, each as one to three bytes, and NUL as two.

/// The bytes of a text.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let low = |shift: u16| 0x80 | ((unit >> shift) & 0x3f) as u8;
        match unit {
            0x01..=0x7f => bytes.push(unit as u8),
            0 | 0x80..=0x7ff => bytes.extend([0xc0 | (unit >> 6) as u8, low(0)]),
            _ => bytes.extend([0xe0 | (unit >> 12) as u8, low(6), low(0)]),
        }
    }
    bytes
}

/// The text of bytes; none if they are no such text. Surrogates without their other half are replaced.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let more = |byte: u8| (byte & 0xc0 == 0x80).then_some(u16::from(byte & 0x3f));
        let (unit, after) = match (first, after) {
            (0x01..=0x7f, _) => (u16::from(first), after),
            (0xc0..=0xdf, [b, after @ ..]) => (u16::from(first & 0x1f) << 6 | more(*b)?, after),
            (0xe0..=0xef, [b, c, after @ ..]) => {
                let high = u16::from(first & 0x0f) << 12;
                (high | more(*b)? << 6 | more(*c)?, after)
            }
            _ => return None,
        };
        units.push(unit);
        rest = after;
    }
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_no_byte_is_zero() {
        for text in ["", "a", "a\0b", "Größe", "日本", "🙂"] {
            let bytes = encode(text);
            assert!(!bytes.contains(&0), "{text}");
            assert_eq!(decode(&bytes).as_deref(), Some(text));
        }
        assert_eq!(encode("\0"), [0xc0, 0x80]);
        assert_eq!(encode("🙂").len(), 6, "two surrogates");
    }

    #[test]
    fn what_is_cut_off_or_malformed_is_no_text() {
        for bytes in [
            &[0xc3][..],
            &[0xe0, 0x80],
            &[0xc3, 0x41],
            &[0xff],
            &[0x80],
            &[0],
        ] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
