use super::*;

#[test]
fn a_part_is_rounded_up_and_never_more_than_the_whole() {
    for (bytes, wanted, tokens, expected) in [
        (100, 1, 3, 34),
        (100, 3, 3, 100),
        (0, 1, 2, 0),
        (u64::MAX, (1 << 64) - 1, 1 << 64, u64::MAX),
        (u64::MAX, 1 << 63, 1 << 64, 1 << 63),
        (1000, 1 << 126, 1 << 127, 500),
    ] {
        assert_eq!(
            part(bytes, wanted, tokens),
            expected,
            "{wanted} of {tokens}"
        );
    }
}
