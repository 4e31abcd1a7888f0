use std::io::Cursor as Memory;

use super::writer::CompressionInfoWriter;
use super::*;

fn version(name: &str) -> Version {
    Version::known(&name.parse().expect("a format version")).expect("known")
}

/// Chunks of 16 bytes at these offsets.
fn file(version_name: &str, max: Option<u32>, data_length: u64, offsets: &[u64]) -> Vec<u8> {
    let parameters = [("lz4_compressor_type".to_owned(), "fast".to_owned())];
    let out = Memory::new(Vec::new());
    let lz4 = Compressor::Lz4;
    let mut writer =
        CompressionInfoWriter::new(out, version(version_name), &lz4, &parameters, 16, max)
            .expect("memory");
    for offset in offsets {
        writer.add_offset(*offset).expect("memory");
    }
    writer.finish(data_length).expect("memory").into_inner()
}

fn open(bytes: Vec<u8>, data_len: u64) -> Result<CompressionInfo> {
    CompressionInfo::open(Box::new(bytes), version("big-nb"), data_len)
}

fn chunks(info: &mut CompressionInfo) -> Result<Vec<(u64, u32, u32)>> {
    info.chunks
        .clone()
        .map(|index| {
            let chunk = info.chunk(index)?;
            Ok((chunk.offset, chunk.stored_len, chunk.uncompressed_len))
        })
        .collect()
}

#[test]
fn chunks_read_back_as_written() {
    for (name, max) in [("big-me", None), ("big-nb", Some(12)), ("bti-bb", Some(16))] {
        let bytes = file(name, max, 40, &[0, 20, 35]);
        let source = Box::new(bytes);
        let mut info = CompressionInfo::open(source, version(name), 50).expect("whole");
        assert_eq!(info.compressor, Compressor::Lz4);
        assert_eq!(info.parameters[0].0, "lz4_compressor_type");
        assert_eq!(info.max_compressed_length, max);
        assert_eq!((info.data_length, info.chunk_count), (40, 3));
        let expected = [(0, 16, 16), (20, 11, 16), (35, 11, 8)];
        assert_eq!(chunks(&mut info).expect("whole"), expected, "{name}");
        info.check_all().expect("whole");
        assert!(info.chunk(3).is_err());
    }
}

#[test]
fn a_writer_that_synced_twice_leaves_an_empty_chunk() {
    let mut info = open(file("big-nb", None, 16, &[0, 20]), 29).expect("whole");
    let expected = [(0, 16, 16), (20, 5, 0)];
    assert_eq!(chunks(&mut info).expect("whole"), expected);
}

#[test]
fn offsets_that_do_not_ascend_inside_data_are_damage_at_their_place() {
    #[track_caller]
    fn check(offsets: &[u64], data_len: u64, expected: &str) {
        let bytes = file("big-nb", None, 40, offsets);
        let found = open(bytes, data_len).and_then(|mut info| info.check_all());
        let what = found.expect_err("damaged").to_string();
        assert_eq!(what, expected);
    }
    check(
        &[1, 20, 35],
        50,
        "CompressionInfo.db at byte 66: the first chunk begins at 1, expected 0",
    );
    check(
        &[0, 20, 19],
        50,
        "CompressionInfo.db at byte 74: chunk 1 goes from 20 to 19, expected up to 65568 bytes and a checksum",
    );
    check(
        &[0, 20, u64::MAX],
        50,
        "CompressionInfo.db at byte 74: chunk 1 ends at 18446744073709551615, Data.db at 50",
    );
    check(
        &[0, 20, 35],
        39,
        "CompressionInfo.db at byte 82: chunk 2 goes from 35 to 39, expected up to 65568 bytes and a checksum",
    );
}

#[test]
fn truncation_at_every_length_is_damage() {
    let whole = file("big-nb", Some(12), 40, &[0, 20, 35]);
    for len in 0..whole.len() {
        let error = open(whole[..len].to_vec(), 50).err();
        assert!(matches!(error, Some(Error::Damaged(_))), "{len}: {error:?}");
    }
    let longer = [whole, vec![0]].concat();
    assert!(matches!(open(longer, 50), Err(Error::Damaged(_))));
}

#[test]
fn a_flipped_bit_is_damage_or_changes_what_is_read() {
    let whole = file("big-nb", Some(12), 40, &[0, 20, 35]);
    let read = |bytes: Vec<u8>| -> Option<_> {
        let mut info = open(bytes, 50).ok()?;
        let chunks = chunks(&mut info).ok()?;
        let head = (info.compressor.clone(), info.parameters.clone());
        Some((head, info.max_compressed_length, info.data_length, chunks))
    };
    let expected = read(whole.clone());
    assert!(expected.is_some());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(read(flipped), expected, "bit {bit}");
    }
}

#[test]
fn a_slice_keeps_the_offsets_of_its_origin() {
    let bytes = file("bti-bb", None, 40, &[0, 20, 35]);
    let open = |covered: Range<u64>, data_len| {
        let source = Box::new(bytes.clone());
        CompressionInfo::open_slice(source, version("bti-bb"), data_len, covered)
    };
    let mut slice = open(17..30, 15).expect("whole");
    assert_eq!(slice.chunks, 1..2);
    let chunk = slice.chunk(1).expect("held");
    assert_eq!((chunk.offset, chunk.stored_len), (0, 11));
    assert!(slice.chunk(0).is_err());
    // The last chunk is as long as Data.db has it.
    assert_eq!(
        chunks(&mut open(17..40, 30).expect("whole"))
            .expect("whole")
            .len(),
        2
    );
    // Data.db is a byte too short or too long.
    for data_len in [14, 16] {
        assert!(open(17..30, data_len).expect("whole").check_all().is_err());
    }
    assert!(open(17..50, 30).is_err());
}

#[test]
fn chunks_that_save_too_little_are_stored_as_they_are() {
    let bytes = file("big-nb", Some(12), 40, &[0, 20, 40]);
    let mut info = open(bytes, 56).expect("whole");
    let mut codec = Codec::new(&Compressor::Lz4, &[]).expect("known");
    let mut out = Vec::new();
    let full = info.chunk(0).expect("inside");
    assert!(!info.is_compressed(&full));
    info.uncompress(&mut codec, &full, &[7; 16], &mut out)
        .expect("as it is");
    assert_eq!(out, [7; 16]);
    // The last eight bytes, filled up to the twelve that are worth storing so.
    let last = info.chunk(2).expect("inside");
    let stored = [vec![7; 8], vec![0; 4]].concat();
    info.uncompress(&mut codec, &last, &stored, &mut out)
        .expect("filled up");
    assert_eq!(out, [7; 8]);
    for wrong in [vec![7; 12], vec![7; 8], vec![7; 16]] {
        assert!(
            info.uncompress(&mut codec, &last, &wrong, &mut out)
                .is_err()
        );
    }
}
