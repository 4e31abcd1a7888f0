//! A case of the conformance suite: objects whose parts are not held in memory.

use std::sync::Arc;

use super::conformance::{Subject, chunked, pattern};
use crate::{Put, ReadAgain};

const CHUNK_BYTES: usize = 64 << 10;

/// An object is created once, and holds what was read the first time, also where a part begins.
pub(super) async fn read_twice(s: Subject, prefix: String) {
    for len in [0, 1, s.part_bytes, 2 * s.part_bytes + 7] {
        let (key, bytes) = (format!("{prefix}{len}"), pattern(len, 5));
        let whole = bytes.clone();
        let again: ReadAgain = Arc::new(move |range| {
            let range = range.start as usize..range.end as usize;
            chunked(&whole.slice(range), CHUNK_BYTES)
        });
        for expected in [Put::Created, Put::Exists] {
            let body = chunked(&bytes, CHUNK_BYTES);
            let put = s
                .store
                .put_read_twice(&key, len as u64, body, again.clone());
            assert_eq!(put.await.expect("put"), expected, "{len} bytes");
        }
        let stored = s.store.get(&key, len as u64).await.expect("get");
        assert!(stored == bytes, "{len} bytes");
    }
}
