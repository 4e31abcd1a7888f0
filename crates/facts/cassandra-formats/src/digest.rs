//! Digest.crc32: the checksum of all bytes of Data.db, as decimal text.

use crate::DIGEST;
use crate::error::Damage;

/// Parses the whole component.
pub fn parse_digest(bytes: &[u8]) -> Result<u32, Damage> {
    // Some writers end the line, Cassandra does not.
    let digits = bytes.trim_ascii_end();
    // Cassandra writes no leading zeros, so each checksum has exactly one text.
    let plain = digits.first() != Some(&b'0') || digits.len() == 1;
    let value = std::str::from_utf8(digits)
        .ok()
        .filter(|text| plain && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok());
    value.ok_or_else(|| {
        let shown = bytes.get(..32).unwrap_or(bytes).escape_ascii();
        Damage::at(DIGEST, 0, format!("`{shown}` is not a checksum in decimal"))
    })
}

/// The whole component for a CRC32 of Data.db, without a line break, as Cassandra writes it.
pub fn encode_digest(checksum: u32) -> Vec<u8> {
    checksum.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<u32>) {
        assert_eq!(
            parse_digest(bytes).ok(),
            expected,
            "{}",
            bytes.escape_ascii()
        );
    }

    #[test]
    fn a_digest_is_one_unsigned_decimal() {
        check(b"0", Some(0));
        check(b"4294967295", Some(u32::MAX));
        check(b"1983729251\n", Some(1_983_729_251));
    }

    #[test]
    fn anything_else_is_damage() {
        for bytes in [
            &b""[..],
            b"\n",
            b"4294967296",
            b"-1",
            b"+1",
            b"01",
            b"12a",
            b" 1",
            b"\xff",
        ] {
            check(bytes, None);
        }
    }

    #[test]
    fn a_checksum_reads_back_as_written() {
        for checksum in [0, 1, u32::MAX] {
            check(&encode_digest(checksum), Some(checksum));
        }
    }

    #[test]
    fn no_flipped_bit_leaves_the_checksum_as_it_was() {
        let bytes = encode_digest(1_983_729_251);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(parse_digest(&flipped), Ok(1_983_729_251), "bit {bit}");
        }
    }
}
