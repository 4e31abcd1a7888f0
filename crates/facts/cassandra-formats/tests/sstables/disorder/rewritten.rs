//! SSTables with other rows than the ones Cassandra wrote, and with all sizes and checksums right.

use std::ops::Range;
use std::sync::Arc;

use cassandra_formats::data::{Depth, Event, Schema, Walker};
use cassandra_formats::digest::encode_digest;
use cassandra_formats::index::{IndexReader, put_index_entry};
use cassandra_formats::statistics::Statistics;
use cassandra_formats::{DataLayout, Descriptor, Uncompressed, Version};
use sstable_files::SstableFiles;

use crate::folders::{self, Memory};

/// A row or marker without the sizes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfiltered {
    pub is_marker: bool,
    /// Flags and clustering, or flags and bound.
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Partition {
    pub key: Vec<u8>,
    /// Key, deletion and static row.
    header: Vec<u8>,
    pub unfiltereds: Vec<Unfiltered>,
    /// Its row index, which has to change if a row does.
    pub has_row_index: bool,
}

/// An SSTable taken apart.
#[derive(Clone)]
pub struct Parts {
    pub name: String,
    pub descriptor: Descriptor,
    version: Version,
    components: Memory,
    pub partitions: Vec<Partition>,
}

/// The value, and how many bytes it takes.
fn uvint(bytes: &[u8]) -> (u64, usize) {
    let extra = bytes[0].leading_ones() as usize;
    let first = u64::from(bytes[0]) & (0xff_u64 >> extra);
    let value = bytes[1..=extra]
        .iter()
        .fold(first, |value, byte| value << 8 | u64::from(*byte));
    (value, extra + 1)
}

/// For what is shorter than 2 MiB, as every partition of the fixtures is.
fn put_uvint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x4000 => out.extend_from_slice(&[0x80 | (value >> 8) as u8, value as u8]),
        _ => {
            assert!(value < 0x20_0000);
            out.extend_from_slice(&[0xc0 | (value >> 16) as u8, (value >> 8) as u8, value as u8]);
        }
    }
}

impl Parts {
    pub fn of(sstable: &SstableFiles) -> Self {
        let components = folders::load(sstable);
        let descriptor = sstable.descriptor().clone();
        let version = Version::known(&descriptor.format).expect("a known version");
        let mut parts = Self {
            name: sstable.path("").display().to_string(),
            descriptor,
            version,
            components,
            partitions: Vec::new(),
        };
        parts.take_apart();
        parts
    }

    fn take_apart(&mut self) {
        let statistics = Statistics::parse(&self.components["Statistics.db"], self.version);
        let statistics = statistics.expect("statistics");
        let (layout, data) =
            DataLayout::of(&self.components, self.version, Some(&statistics)).expect("a layout");
        let mut data = Uncompressed::new(data, layout).expect("opens");
        let mut bytes = vec![0; data.extent().end as usize];
        data.read_exactly(&mut bytes).expect("is there");
        let schema = Schema::new(&statistics.header, self.version).expect("a schema");
        let mut walker = Walker::new(Arc::new(schema), Depth::Clusterings, bytes.as_slice(), 0);
        let (mut key, mut unfiltereds) = (Vec::new(), Vec::new());
        let of = |range: Range<u64>| &bytes[range.start as usize..range.end as usize];
        while let Some(event) = walker.next_event().expect("walks") {
            match event {
                Event::Partition(partition) => key = partition.key.to_vec(),
                Event::StaticRow(_) => {}
                Event::Row(row) => {
                    let whole = of(row.position..row.end);
                    // Its kind is not written; extended flags are.
                    let flags = 1 + usize::from(whole[0] >> 7);
                    let head = flags + row.clustering.len() - 1;
                    unfiltereds.push(unfiltered(whole, head, false));
                }
                Event::Marker(marker) => {
                    let whole = of(marker.position..marker.end);
                    unfiltereds.push(unfiltered(whole, 1 + marker.bound.len(), true));
                }
                Event::End(end) => self.partitions.push(Partition {
                    key: std::mem::take(&mut key),
                    header: of(end.position..end.position + end.header_len).to_vec(),
                    unfiltereds: std::mem::take(&mut unfiltereds),
                    // Index blocks of the fixtures have 1 KiB.
                    has_row_index: end.end - end.position > 1024,
                }),
            }
        }
    }

    /// Whether rows of this partition can change without the index having to.
    pub fn can_change(&self, index: usize) -> bool {
        let is_last = index + 1 == self.partitions.len();
        !self.partitions[index].has_row_index && (is_last || !self.version.is_bti())
    }

    /// The components, not compressed, and where each partition begins in Data.
    pub fn write(&self) -> (Memory, Vec<u64>) {
        let mut data = Vec::new();
        let mut positions = Vec::new();
        for partition in &self.partitions {
            positions.push(data.len() as u64);
            partition.write(&mut data);
        }
        let mut components = self.components.clone();
        for name in ["CompressionInfo.db", "CRC.db", "Summary.db", "TOC.txt"] {
            components.remove(name);
        }
        if let Some(index) = components.get_mut("Index.db") {
            *index = moved(index, &positions);
        }
        let digest = encode_digest(crc32fast::hash(&data));
        components.insert("Digest.crc32".to_owned(), digest);
        components.insert("Data.db".to_owned(), data);
        (components, positions)
    }
}

fn unfiltered(whole: &[u8], head: usize, is_marker: bool) -> Unfiltered {
    let (head, rest) = whole.split_at(head);
    let (_, size_len) = uvint(rest);
    let (_, previous_len) = uvint(&rest[size_len..]);
    Unfiltered {
        is_marker,
        head: head.to_vec(),
        body: rest[size_len + previous_len..].to_vec(),
    }
}

impl Partition {
    fn write(&self, data: &mut Vec<u8>) {
        let mut previous = data.len();
        data.extend_from_slice(&self.header);
        for unfiltered in &self.unfiltereds {
            let start = data.len();
            data.extend_from_slice(&unfiltered.head);
            let mut body = Vec::new();
            put_uvint(&mut body, (start - previous) as u64);
            body.extend_from_slice(&unfiltered.body);
            put_uvint(data, body.len() as u64);
            data.extend_from_slice(&body);
            previous = start;
        }
        data.push(1);
    }
}

/// Index.db with its partitions at other positions.
fn moved(index: &[u8], positions: &[u64]) -> Vec<u8> {
    let mut reader = IndexReader::new(Box::new(index.to_vec()));
    let mut offsets = Vec::new();
    while let Some(entry) = reader.next_entry().expect("an index") {
        offsets.push((entry.key.to_vec(), entry.offset as usize));
    }
    let mut out = Vec::new();
    for ((key, offset), position) in offsets.iter().zip(positions) {
        let mut at = offset + 2 + key.len();
        at += uvint(&index[at..]).1;
        let (promoted, len) = uvint(&index[at..]);
        put_index_entry(&mut out, key, *position, promoted);
        let from = at + len;
        out.extend_from_slice(&index[from..from + promoted as usize]);
    }
    out
}
