use super::*;

const ALL: [Compressor; 5] = [
    Compressor::Lz4,
    Compressor::Snappy,
    Compressor::Deflate,
    Compressor::Zstd,
    Compressor::Noop,
];

fn codec(compressor: &Compressor) -> Codec {
    Codec::new(compressor, &[]).expect("known")
}

/// Bytes that compress somewhat, and differ from place to place.
fn rows(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| if at % 7 < 4 { 0 } else { (at / 3 % 251) as u8 })
        .collect()
}

#[test]
fn names_are_those_of_cassandras_classes() {
    for compressor in ALL {
        assert_eq!(Compressor::of(compressor.name()), compressor);
    }
    let encrypting = Compressor::of("EncryptingLZ4Compressor");
    assert_eq!(encrypting.name(), "EncryptingLZ4Compressor");
    assert!(matches!(encrypting, Compressor::Encrypting(_)));
    assert!(matches!(
        Compressor::of("BrotliCompressor"),
        Compressor::Unknown(_)
    ));
}

#[test]
fn what_was_compressed_comes_back_and_only_at_its_length() {
    for compressor in ALL {
        let mut codec = codec(&compressor);
        let (mut stored, mut back) = (Vec::new(), Vec::new());
        // In this order, so that leftovers of longer chunks would show.
        for len in [65_536, 16_384, 1, 0, 300] {
            let bytes = rows(len);
            codec.compress(&bytes, &mut stored).expect("compresses");
            codec
                .decompress(&stored, &mut back, len)
                .unwrap_or_else(|what| panic!("{compressor:?} {len}: {what}"));
            assert_eq!(back, bytes, "{compressor:?} {len}");
            for wrong in [len + 1, len.wrapping_sub(1).min(len + 2)] {
                let found = codec.decompress(&stored, &mut back, wrong);
                assert!(found.is_err(), "{compressor:?} {len} as {wrong}");
            }
        }
    }
}

#[test]
fn bytes_that_cannot_be_compressed_are_framed_all_the_same() {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(65_536)
    .collect();
    for compressor in ALL {
        let mut codec = codec(&compressor);
        let (mut stored, mut back) = (Vec::new(), Vec::new());
        codec.compress(&noise, &mut stored).expect("compresses");
        codec
            .decompress(&stored, &mut back, noise.len())
            .expect("decompresses");
        assert_eq!(back, noise, "{compressor:?}");
    }
}

#[test]
fn truncation_at_every_length_is_reported() {
    let bytes = rows(1_000);
    for compressor in ALL {
        let mut codec = codec(&compressor);
        let (mut stored, mut back) = (Vec::new(), Vec::new());
        codec.compress(&bytes, &mut stored).expect("compresses");
        for len in 0..stored.len() {
            let found = codec.decompress(&stored[..len], &mut back, bytes.len());
            assert!(found.is_err(), "{compressor:?} {len}");
        }
        // And what follows the chunk is none of it.
        stored.push(0);
        let found = codec.decompress(&stored, &mut back, bytes.len());
        assert!(found.is_err(), "{compressor:?} with a byte more");
    }
}

#[test]
fn no_flipped_bit_panics_or_makes_more_than_was_requested() {
    let bytes = rows(500);
    for compressor in ALL {
        let mut codec = codec(&compressor);
        let (mut stored, mut back) = (Vec::new(), Vec::new());
        codec.compress(&bytes, &mut stored).expect("compresses");
        for bit in 0..stored.len() * 8 {
            stored[bit / 8] ^= 1 << (bit % 8);
            let _ = codec.decompress(&stored, &mut back, bytes.len());
            assert!(back.capacity() < 65_536, "{compressor:?} bit {bit}");
            stored[bit / 8] ^= 1 << (bit % 8);
        }
        codec
            .decompress(&stored, &mut back, bytes.len())
            .expect("the codec is as good as before");
    }
}

#[test]
fn frames_begin_as_cassandras_do() {
    let bytes = rows(1_000);
    let mut stored = Vec::new();
    let mut begins = |compressor: &Compressor| {
        codec(compressor).compress(&bytes, &mut stored).expect("ok");
        stored[..4].to_vec()
    };
    assert_eq!(begins(&Compressor::Lz4), 1_000_u32.to_le_bytes());
    assert_eq!(begins(&Compressor::Snappy)[..2], [0xe8, 0x07]);
    // Deflate at its default level, and zstd's magic number.
    assert_eq!(begins(&Compressor::Deflate)[..2], [0x78, 0x9c]);
    assert_eq!(begins(&Compressor::Zstd), [0x28, 0xb5, 0x2f, 0xfd]);
}

#[test]
fn what_cannot_be_read_is_unsupported_by_name() {
    #[track_caller]
    fn check(name: &str, parameters: &[(&str, &str)], expected: &str) {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let error = Codec::new(&Compressor::of(name), &parameters).err();
        let what = error.map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(what, expected);
    }
    check("ZstdCompressor", &[("compression_level", "-5")], "");
    check("LZ4Compressor", &[("lz4_compressor_type", "high")], "");
    check(
        "Encryptor",
        &[],
        "CompressionInfo.db: the chunks are encrypted by Encryptor",
    );
    check(
        "ZstdCompressor",
        &[("compression_level", "three")],
        "CompressionInfo.db: zstd has no compression level three",
    );
    check(
        "SnappyCompressor",
        &[("compression_level", "3")],
        "CompressionInfo.db: SnappyCompressor has no parameter compression_level",
    );
}
