//! Compressors: any bytes are refused or give the length that was asked for, and what is compressed comes back.

use cassandra_formats::codec::{Codec, Compressor};

use crate::Archive;

const COMPRESSORS: [&str; 5] = [
    "LZ4Compressor",
    "SnappyCompressor",
    "DeflateCompressor",
    "ZstdCompressor",
    "NoopCompressor",
];
/// More than any chunk of the seeds.
const LEN_MAX: u64 = 1 << 20;

pub fn run(archive: &Archive) {
    let bytes = archive.components.values().next();
    let bytes = bytes.map_or(&[][..], Vec::as_slice);
    let chosen = archive.right.unsigned_abs() as usize % COMPRESSORS.len();
    let compressor = Compressor::of(COMPRESSORS[chosen]);
    let Ok(mut codec) = Codec::new(&compressor, &[]) else {
        return;
    };
    let len = (archive.left.unsigned_abs() % LEN_MAX) as usize;
    let mut out = Vec::new();
    if codec.decompress(bytes, &mut out, len).is_ok() {
        assert_eq!(out.len(), len);
    }
    let (mut compressed, mut back) = (Vec::new(), Vec::new());
    codec.compress(bytes, &mut compressed).expect("compresses");
    codec
        .decompress(&compressed, &mut back, bytes.len())
        .expect("what was compressed comes back");
    assert!(back == bytes);
}
