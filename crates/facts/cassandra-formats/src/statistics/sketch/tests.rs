use super::*;

/// Keys of 5 to 16 bytes without a pattern.
fn key(index: usize) -> Vec<u8> {
    let scatter = |by: u64| by.wrapping_mul(index as u64 + 1).to_be_bytes();
    let all = [
        scatter(0x9e37_79b9_7f4a_7c15),
        scatter(0xd1b5_4a32_d192_ed03),
    ]
    .concat();
    all[..5 + index % 12].to_vec()
}

fn of_keys(count: usize) -> Vec<u8> {
    let mut sketch = Sketch::new();
    (0..count).for_each(|index| sketch.offer(&key(index)));
    sketch.encode()
}

#[test]
fn sketches_are_those_that_cassandra_makes_of_the_same_keys() {
    // Length and CRC32 of what stream-lib 2.5.2 gave for the hashes of Cassandra 5.0.5.
    #[track_caller]
    fn check(keys: usize, len: usize, checksum: u32) {
        let bytes = of_keys(keys);
        assert_eq!((bytes.len(), crc32fast::hash(&bytes)), (len, checksum));
    }
    check(0, 8, 0x3a19_a72c);
    check(1, 12, 0x3556_62d7);
    // What is gathered is sorted in at 1537 keys.
    check(1_536, 4_136, 0x6f9b_ab43);
    check(1_537, 4_138, 0x2867_c718);
    check(1_538, 4_141, 0x9b12_786e);
    check(6_147, 14_227, 0x2113_2bdb);
    // The sparse set has become registers.
    check(6_148, 5_473, 0x458e_d9f9);
    check(20_000, 5_473, 0xb976_8f0b);
    check(300_000, 5_473, 0xa232_53e3);
}

#[test]
fn sketches_read_back_as_written() {
    for keys in [0, 1, 100, 5_000, 7_000] {
        let bytes = of_keys(keys);
        let parsed = Sketch::parse(&bytes).expect("whole");
        assert_eq!(parsed.encode(), bytes, "{keys} keys");
    }
}

#[test]
fn truncation_at_every_length_is_damage() {
    for keys in [20, 7_000] {
        let bytes = of_keys(keys);
        for len in 0..bytes.len() {
            assert!(Sketch::parse(&bytes[..len]).is_err(), "{keys} keys, {len}");
        }
    }
}
