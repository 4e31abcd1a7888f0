//! MurmurHash3 x64 128 with seed 0, as Cassandra computes it: the bytes of an incomplete last block are signed.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// Both halves of the hash. The first is what tokens are made of; Bloom filters use both.
pub fn murmur3(key: &[u8]) -> [i64; 2] {
    let (blocks, tail) = key.as_chunks::<16>();
    let (mut h1, mut h2) = (0_u64, 0_u64);
    for block in blocks {
        let block = u128::from_le_bytes(*block);
        h1 ^= mix1(block as u64);
        h1 = h1.rotate_left(27).wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2((block >> 64) as u64);
        h2 = h2.rotate_left(31).wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (low, high) = tail.split_at(tail.len().min(8));
    // A half without bytes is zero, and mixing leaves zero as it is.
    h1 ^= mix1(signed(low));
    h2 ^= mix2(signed(high));
    h1 ^= key.len() as u64;
    h2 ^= key.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    [h1 as i64, h2 as i64]
}

/// Little-endian, but a byte from 0x80 on sets every bit above it, because Java's bytes are signed.
fn signed(bytes: &[u8]) -> u64 {
    bytes.iter().enumerate().fold(0, |value, (i, byte)| {
        value ^ (i64::from(*byte as i8) << (8 * i)) as u64
    })
}

fn mix1(k: u64) -> u64 {
    k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix2(k: u64) -> u64 {
    k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn finish(mut k: u64) -> u64 {
    k ^= k >> 33;
    k = k.wrapping_mul(0xff51_afd7_ed55_8ccd);
    k ^= k >> 33;
    k = k.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_those_that_cassandra_computes() {
        for (len, expected) in [
            (0, [0, 0]),
            (1, [-4442228696663692417, -6049531771631615289]),
            (5, [5196761624337915574, -3399370979759026750]),
            (8, [4283474080575724166, -937523618592085770]),
            (9, [3372097326892303166, -8914321448002961779]),
            (15, [-1001731882189536736, -5241984832780458876]),
            (16, [9142094630292602337, 1687735012137790156]),
            (17, [-1796486441991153638, 8825007886285352471]),
            (31, [801263828349082446, 7907325551072484600]),
            (40, [6084877869533579717, -3065258845428656001]),
        ] {
            let key: Vec<u8> = (0..len)
                .map(|nth: u8| 0xff_u8.wrapping_sub(nth.wrapping_mul(7)))
                .collect();
            assert_eq!(murmur3(&key), expected, "{len}");
        }
    }
}
