//! The real SSTables that tests read, with their data uncompressed.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

use crate::bytes::Cursor;
use crate::fixtures;
use crate::statistics::header::SerializationHeader;
use crate::version::Version;

pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) facts: Value,
    pub(crate) version: Version,
    pub(crate) components: BTreeMap<String, Vec<u8>>,
    pub(crate) header: SerializationHeader,
    /// The uncompressed data, and where it begins in the original: not at 0 if it is zero-copy-streamed.
    pub(crate) data: Vec<u8>,
    pub(crate) data_position: u64,
}

impl Fixture {
    pub(crate) fn fact(&self, name: &str) -> i64 {
        self.facts[name].as_i64().expect(name)
    }
}

/// All of them; if they are missing, none, with a line that says so.
pub(crate) fn all(test: &str) -> Vec<Fixture> {
    let Some(facts) = shared_fixtures::text(test, "sstables.jsonl") else {
        return Vec::new();
    };
    let root = shared_fixtures::folder();
    facts
        .lines()
        .filter_map(|line| load(&root, serde_json::from_str(line).expect("JSON")))
        .collect()
}

/// `None` if the files are not those of the facts: two SSTables once had one name.
fn load(root: &std::path::Path, facts: Value) -> Option<Fixture> {
    let text = |name: &str| facts[name].as_str().expect(name).to_owned();
    let folder = root.join("sstables").join(text("dir"));
    let components: BTreeMap<String, Vec<u8>> = facts["files"]
        .as_object()
        .expect("files")
        .keys()
        .map(|component| {
            let path = folder.join(format!("{}-{component}", text("sstable")));
            let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            (component.clone(), bytes)
        })
        .collect();
    let len = |component: &String| facts["files"][component].as_u64();
    if components
        .iter()
        .any(|(name, bytes)| len(name) != Some(bytes.len() as u64))
    {
        return None;
    }
    let version = fixtures::version(&format!("{}-{}", text("format"), text("version")));
    let slice = facts["zero_copy"].as_bool() == Some(true);
    let slice = slice.then(|| slice_bounds(&components["Statistics.db"], &text("first_key")));
    let (data, data_position) = uncompressed(&components, version, slice);
    Some(Fixture {
        name: format!("{}/{}", text("dir"), text("sstable")),
        header: header(&components["Statistics.db"]),
        facts,
        version,
        components,
        data,
        data_position,
    })
}

fn header(statistics: &[u8]) -> SerializationHeader {
    let word = |at: usize| u32::from_be_bytes(statistics[at..at + 4].try_into().expect("4 bytes"));
    // Versions with checksums have one behind the count.
    let first = if word(4) == 0 { 4 } else { 8 };
    let entry = (0..word(0) as usize)
        .map(|i| first + 8 * i)
        .find(|at| word(*at) == 3)
        .expect("a header");
    let offset = word(entry + 4) as usize;
    let mut cursor = Cursor::at("Statistics.db", &statistics[offset..], offset as u64);
    SerializationHeader::parse(&mut cursor).expect("a header")
}

/// Where the data of a zero-copy-streamed SSTable begins and ends: before its first key in Statistics.
fn slice_bounds(statistics: &[u8], first_key: &str) -> (u64, u64, u64) {
    let key: Vec<u8> = (0..first_key.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&first_key[i..i + 2], 16).expect("hexadecimal"))
        .collect();
    let long = |at: usize| u64::from_be_bytes(statistics[at..at + 8].try_into().expect("8 bytes"));
    let mut pattern = (key.len() as u16).to_be_bytes().to_vec();
    pattern.extend(key);
    (28..statistics.len() - pattern.len())
        .filter(|at| statistics[*at..].starts_with(&pattern))
        .map(|at| {
            let chunk = u32::from_be_bytes(statistics[at - 12..at - 8].try_into().expect("4"));
            (long(at - 28), long(at - 20), u64::from(chunk))
        })
        .find(|(start, end, chunk)| start < end && (4096..1 << 20).contains(chunk))
        .expect("bounds")
}

fn uncompressed(
    components: &BTreeMap<String, Vec<u8>>,
    version: Version,
    slice: Option<(u64, u64, u64)>,
) -> (Vec<u8>, u64) {
    let stored = &components["Data.db"];
    let Some(info) = components.get("CompressionInfo.db") else {
        let Some((start, end, chunk)) = slice else {
            return (stored.clone(), 0);
        };
        let first = start / chunk * chunk;
        return (
            stored[(start - first) as usize..(end - first) as usize].to_vec(),
            start,
        );
    };
    let mut info = Cursor::new("CompressionInfo.db", info);
    let compressor = info.utf("compressor").expect("compressor");
    for _ in 0..info.u32("options").expect("options") {
        info.utf("key")
            .and_then(|_| info.utf("value"))
            .expect("option");
    }
    let chunk_len = u64::from(info.u32("chunk length").expect("length"));
    let max_compressed = if version.has_max_compressed_length() {
        info.u32("maximum").expect("maximum") as usize
    } else {
        usize::MAX
    };
    let data_len = info.i64("data length").expect("length") as u64;
    let count = info.u32("chunks").expect("chunks");
    let offsets: Vec<u64> = (0..count)
        .map(|_| info.i64("offset").expect("offset") as u64)
        .collect();
    let (start, end) = slice.map_or((0, data_len), |(start, end, _)| (start, end));
    let first = (start / chunk_len) as usize;
    let mut out = Vec::new();
    for (i, offset) in offsets.iter().enumerate().skip(first) {
        let from = (offset - offsets[first]) as usize;
        if from >= stored.len() {
            break;
        }
        let to = offsets
            .get(i + 1)
            .map_or(stored.len(), |next| (next - offsets[first]) as usize);
        let chunk = &stored[from..to.min(stored.len()) - 4];
        let len = chunk_len.min(data_len - i as u64 * chunk_len) as usize;
        if chunk.len() >= max_compressed {
            out.extend_from_slice(chunk);
        } else {
            decompress(&compressor, chunk, len, &mut out);
        }
    }
    let skip = (start - first as u64 * chunk_len) as usize;
    (out[skip..skip + (end - start) as usize].to_vec(), start)
}

fn decompress(compressor: &str, chunk: &[u8], len: usize, out: &mut Vec<u8>) {
    let bytes = match compressor {
        "LZ4Compressor" => lz4_flex::block::decompress(&chunk[4..], len).expect("LZ4"),
        "SnappyCompressor" => snap::raw::Decoder::new()
            .decompress_vec(chunk)
            .expect("Snappy"),
        "DeflateCompressor" => {
            let mut bytes = Vec::new();
            let mut decoder = flate2::read::ZlibDecoder::new(chunk);
            decoder.read_to_end(&mut bytes).expect("Deflate");
            bytes
        }
        other => panic!("{other}"),
    };
    assert_eq!(bytes.len(), len);
    out.extend(bytes);
}
