//! The positions of the chunks of Data.db, their checksums, and the names of the components.

use cassandra_formats::codec::Codec;
use cassandra_formats::compression_info::writer::CompressionInfoWriter;
use cassandra_formats::crc::CrcFile;
use cassandra_formats::digest::{encode_digest, parse_digest};
use cassandra_formats::toc::{encode_toc, parse_toc};

use crate::fixtures::shared;

#[test]
fn chunks_are_where_compression_info_has_them() {
    for sstable in shared("chunks_are_where_compression_info_has_them") {
        let name = sstable.name();
        let Some(mut info) = sstable.compression_info() else {
            assert!(sstable.facts["compression"].is_null(), "{name}");
            continue;
        };
        assert_eq!(
            info.compressor.name(),
            sstable.text("compression"),
            "{name}"
        );
        let chunk_length = i64::from(info.chunk_length);
        assert_eq!(chunk_length, sstable.number("chunk_length"), "{name}");
        assert_eq!(info.chunk_count as i64, sstable.number("chunks"), "{name}");
        assert_eq!(
            info.data_length as i64,
            sstable.number("uncompressed"),
            "{name}"
        );
        info.check_all()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let data = sstable.read("Data.db").expect("it is always there");
        let mut codec = Codec::new(&info.compressor, &info.parameters).expect("known");
        let mut again = Codec::new(&info.compressor, &info.parameters).expect("known");
        let (mut out, mut compressed, mut back) = (Vec::new(), Vec::new(), Vec::new());
        for index in info.chunks.clone() {
            let chunk = info.chunk(index).expect("checked");
            let start = chunk.offset as usize;
            let end = start + chunk.stored_len as usize;
            let stored = &data[start..end];
            let checksum = u32::from_be_bytes(data[end..end + 4].try_into().expect("four"));
            assert_eq!(crc32fast::hash(stored), checksum, "{name} chunk {index}");
            info.uncompress(&mut codec, &chunk, stored, &mut out)
                .unwrap_or_else(|what| panic!("{name} chunk {index}: {what}"));
            again.compress(&out, &mut compressed).expect("compresses");
            again
                .decompress(&compressed, &mut back, out.len())
                .unwrap_or_else(|what| panic!("{name} chunk {index}: {what}"));
            assert!(back == out, "{name} chunk {index}");
        }
    }
}

#[test]
fn compression_info_reads_back_byte_for_byte() {
    for sstable in shared("compression_info_reads_back_byte_for_byte") {
        let Some(bytes) = sstable.read("CompressionInfo.db") else {
            continue;
        };
        if sstable.covered().is_some() {
            continue;
        }
        let mut info = sstable.compression_info().expect("it is there");
        let mut writer = CompressionInfoWriter::new(
            std::io::Cursor::new(Vec::new()),
            sstable.version(),
            &info.compressor,
            &info.parameters,
            info.chunk_length,
            info.max_compressed_length,
        )
        .expect("memory");
        for index in info.chunks.clone() {
            let chunk = info.chunk(index).expect("whole");
            writer.add_offset(chunk.offset).expect("memory");
        }
        let written = writer.finish(info.data_length).expect("memory");
        assert!(written.into_inner() == bytes, "{}", sstable.name());
    }
}

#[test]
fn crc_files_hold_the_checksums_of_datas_chunks() {
    for sstable in shared("crc_files_hold_the_checksums_of_datas_chunks") {
        let Some(bytes) = sstable.read("CRC.db") else {
            continue;
        };
        let (name, data) = (sstable.name(), sstable.read("Data.db").expect("there"));
        if sstable.read("CompressionInfo.db").is_some() {
            continue;
        }
        let (source, len) = (Box::new(bytes), data.len() as u64);
        let opened = match sstable.covered() {
            Some(covered) => CrcFile::open_slice(source, len, covered),
            None => CrcFile::open(source, len),
        };
        let mut file = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (index, chunk) in data.chunks(file.chunk_length as usize).enumerate() {
            let checksum = file.checksum(index as u64).expect("checked");
            assert_eq!(checksum, crc32fast::hash(chunk), "{name} chunk {index}");
        }
    }
}

#[test]
fn digests_are_the_checksums_of_data() {
    for sstable in shared("digests_are_the_checksums_of_data") {
        let Some(bytes) = sstable.read("Digest.crc32") else {
            continue;
        };
        let digest = parse_digest(&bytes).expect("whole");
        assert_eq!(i64::from(digest), sstable.number("data_crc32"));
        assert_eq!(encode_digest(digest), bytes);
    }
}

#[test]
fn tables_of_contents_name_the_components() {
    for sstable in shared("tables_of_contents_name_the_components") {
        let bytes = sstable.read("TOC.txt").expect("it is always there");
        let names = parse_toc(&bytes).expect("whole");
        assert_eq!(encode_toc(names.iter().map(String::as_str)), bytes);
        let files = sstable.facts["files"].as_object().expect("files");
        let complete = files.keys().all(|file| names.contains(file))
            && names.iter().all(|name| files.contains_key(name));
        let expected = sstable.facts["checks"]["toc_complete"].as_bool();
        assert_eq!(Some(complete), expected, "{}", sstable.name());
    }
}
