//! The components that need no other: what is understood is written back as what was understood.

use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::crc::CrcFile;
use cassandra_formats::digest::{encode_digest, parse_digest};
use cassandra_formats::filter::Filter;
use cassandra_formats::source::ReadAt;
use cassandra_formats::statistics::Statistics;
use cassandra_formats::summary::Summary;
use cassandra_formats::toc::{encode_toc, parse_toc};
use cassandra_tokens::{Partitioner, Token};

use crate::{Archive, repair};

pub fn run(archive: &Archive) {
    let repaired = repair::repaired(archive);
    for (name, bytes) in repaired {
        let source: Box<dyn ReadAt> = Box::new(bytes.clone());
        match name.as_str() {
            "TOC.txt" => toc(&bytes),
            "Digest.crc32" => digest(&bytes),
            "CRC.db" => crc(source, archive),
            "CompressionInfo.db" => compression_info(source, archive),
            "Statistics.db" => statistics(&bytes, archive),
            "Summary.db" => summary(source, archive),
            "Filter.db" => filter(source, archive),
            _ => {}
        }
    }
}

fn toc(bytes: &[u8]) {
    if let Ok(names) = parse_toc(bytes) {
        let again = encode_toc(names.iter().map(String::as_str));
        assert_eq!(parse_toc(&again), Ok(names));
    }
}

fn digest(bytes: &[u8]) {
    if let Ok(checksum) = parse_digest(bytes) {
        assert_eq!(encode_digest(checksum), bytes.trim_ascii_end());
    }
}

fn crc(source: Box<dyn ReadAt>, archive: &Archive) {
    let len = archive.left as u64;
    let end = archive.right as u64;
    let stored = source.len();
    let opened = match archive.flag(7) {
        true => CrcFile::open_slice(source, len, end.min(len)..end),
        false => CrcFile::open(source, len),
    };
    let Ok(mut crc) = opened else { return };
    assert!(crc.chunk_count <= stored);
    for index in 0..crc.chunk_count {
        crc.checksum(index).expect("checksums that were counted");
    }
    assert!(crc.checksum(crc.chunk_count).is_err());
}

fn compression_info(source: Box<dyn ReadAt>, archive: &Archive) {
    let (len, end) = (archive.left as u64, archive.right as u64);
    let version = archive.version();
    let opened = match archive.flag(7) {
        true => CompressionInfo::open_slice(source, version, len, end.min(len)..end),
        false => CompressionInfo::open(source, version, len),
    };
    let Ok(mut info) = opened else { return };
    let _ = info.uncompressed_here();
    if info.check_all().is_ok() {
        let last = info.chunks.end - 1;
        let chunk = info.chunk(last).expect("a chunk that was checked");
        assert!(chunk.offset + u64::from(chunk.stored_len) <= len);
        assert!(chunk.uncompressed_len <= info.chunk_length);
    }
}

fn statistics(bytes: &[u8], archive: &Archive) {
    let version = archive.version();
    let Ok(statistics) = Statistics::parse(bytes, version) else {
        return;
    };
    let _ = statistics.sketch();
    let _ = statistics.partitions();
    let _ = statistics.partitioner();
    // Integers of variable length have more than one form: only the second one must come back.
    let encoded = statistics.encode(version);
    let again = Statistics::parse(&encoded, version).expect("what was encoded");
    assert!(again.encode(version) == encoded);
}

fn summary(source: Box<dyn ReadAt>, archive: &Archive) {
    let Ok(mut summary) = Summary::open(source) else {
        return;
    };
    for index in 0..summary.count() {
        let _ = summary.sample(index);
    }
    let token = Token::Murmur3(archive.left);
    let _ = summary.scan_position(&Partitioner::Murmur3, &token);
}

fn filter(source: Box<dyn ReadAt>, archive: &Archive) {
    let Ok(filter) = Filter::open(source, archive.version()) else {
        return;
    };
    for key in [archive.left, archive.right] {
        let key = key.to_le_bytes();
        filter.might_contain(&key).expect("bits that are there");
    }
}
