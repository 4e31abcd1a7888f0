//! Partitions that tests build by hand.

use super::ClusteringKind;
use crate::bytes::{put_uvint, put_vint_bytes};
use crate::statistics::header::{Column, SerializationHeader};

/// A table with a clustering column, a static one, an integer, a text and a list.
pub(crate) fn header(statics: bool) -> SerializationHeader {
    let columns = |types: &[&str]| {
        types
            .iter()
            .map(|text| Column {
                name: text.as_bytes().to_vec(),
                type_class: (*text).to_owned(),
            })
            .collect()
    };
    SerializationHeader {
        min_timestamp: 1_000,
        min_local_deletion_time: 2_000,
        min_ttl: 10,
        key_type: "UTF8Type".into(),
        clustering_types: vec!["Int32Type".into()],
        static_columns: columns(if statics { &["UTF8Type"] } else { &[] }),
        regular_columns: columns(&["Int32Type", "UTF8Type", "ListType(Int32Type)"]),
    }
}

/// Writes partitions as Cassandra does.
pub(crate) struct Writer {
    out: Vec<u8>,
    previous: usize,
}

impl Writer {
    pub(crate) fn partition(key: &str) -> Self {
        let mut out = vec![0, key.len() as u8];
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        Self { out, previous: 0 }
    }

    fn body(&mut self, start: usize, body: &[u8]) {
        let mut with_previous = Vec::new();
        put_uvint(&mut with_previous, (start - self.previous) as u64);
        with_previous.extend_from_slice(body);
        put_vint_bytes(&mut self.out, &with_previous);
        self.previous = start;
    }

    pub(crate) fn static_row(mut self, value: &str) -> Self {
        self.out.extend_from_slice(&[0x80 | 0x20, 1]);
        let mut body = vec![0, 0, 7];
        put_vint_bytes(&mut body, value.as_bytes());
        put_vint_bytes(&mut self.out, &body);
        self
    }

    pub(crate) fn row(mut self, flags: u8, clustering: i32, body: &[u8]) -> Self {
        let start = self.out.len();
        self.out.extend_from_slice(&[flags, 0]);
        self.out.extend_from_slice(&clustering.to_be_bytes());
        self.body(start, body);
        self
    }

    pub(crate) fn marker(mut self, kind: ClusteringKind, clustering: i32, body: &[u8]) -> Self {
        let start = self.out.len();
        self.out.extend_from_slice(&[0x02, kind as u8, 0, 1, 0]);
        self.out.extend_from_slice(&clustering.to_be_bytes());
        self.body(start, body);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.out.push(1);
        self.out
    }
}

/// A partition with everything in it.
pub(crate) fn sample() -> Vec<u8> {
    use ClusteringKind::*;
    // A time to live, a cell of each kind, and a list that was deleted before.
    let full = [
        &[5, 5, 20][..],
        &[0x08 | 0x10 | 0x02, 0, 0, 0, 42],
        &[0x01 | 0x04, 3, 9],
        &[1, 1, 1],
        &[0x08, 16],
        &[9; 16],
        &[4, 0, 0, 0, 7],
    ]
    .concat();
    Writer::partition("key")
        .static_row("static")
        .marker(InclStartBound, 1, &[1, 1])
        .row(0x04 | 0x08 | 0x20 | 0x40, 2, &full)
        .marker(InclEndExclStartBoundary, 3, &[1, 1, 2, 2])
        .row(0x04 | 0x10, 4, &[9, 1, 1, 0x07])
        .marker(ExclEndBound, 5, &[2, 2])
        .end()
}
