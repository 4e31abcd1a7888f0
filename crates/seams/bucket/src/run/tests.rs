use std::sync::Arc;

use blob_store::Counted;
use blob_store::testing::Memory;

use super::*;

const LIMITS: RunLimits = RunLimits {
    bytes_max: 1000,
    files_max: 4,
};

fn packed(object: &str, offset: Option<u64>, bytes: u64) -> StoredFile {
    StoredFile {
        name: format!("nb-{}-big-Data.db", offset.unwrap_or(0)),
        index: None,
        bytes,
        blake3: String::new(),
        object: object.to_owned(),
        offset,
        from: None,
        copied_from: None,
        source: None,
    }
}

fn runs_of(files: &[(&str, Option<u64>, u64)]) -> Vec<Run<StoredFile>> {
    let files = files.iter();
    let files = files.map(|(object, offset, bytes)| packed(object, *offset, *bytes));
    runs(files.collect(), pack_place, LIMITS)
}

/// Object, range and number of files of each run of a pack.
fn parts(runs: &[Run<StoredFile>]) -> Vec<(&str, Range<u64>, usize)> {
    let parts = runs.iter().filter_map(|run| match run {
        Run::Whole(_) => None,
        Run::Part(part, files) => Some((part.object.as_str(), part.range.clone(), files.len())),
    });
    parts.collect()
}

#[test]
fn files_side_by_side_are_one_run_in_the_order_of_their_places() {
    let found = runs_of(&[
        ("b", Some(10), 5),
        ("own", None, 7),
        ("a", Some(100), 50),
        ("a", Some(0), 100),
        ("a", Some(100), 0),
    ]);
    assert!(matches!(&found[0], Run::Whole(file) if file.object == "own"));
    assert_eq!(parts(&found), [("a", 0..150, 3), ("b", 10..15, 1)]);
}

#[test]
fn a_run_ends_at_a_large_gap_at_an_overlap_and_at_its_limits() {
    let far = 100 + GAP_BYTES_MAX;
    let beside = |next: u64| runs_of(&[("a", Some(0), 100), ("a", Some(next), 1)]);
    // The gap itself is larger than this test's runs.
    assert_eq!(parts(&beside(far)).len(), 2);
    assert_eq!(parts(&beside(900)).len(), 1);
    assert_eq!(parts(&beside(1000)).len(), 2, "too many bytes");
    assert_eq!(parts(&beside(99)).len(), 2, "they overlap");
    let many: Vec<_> = (0..9).map(|at| ("a", Some(at), 1)).collect();
    assert_eq!(
        parts(&runs_of(&many)),
        [("a", 0..4, 4), ("a", 4..8, 4), ("a", 8..9, 1)]
    );
    let wide = RunLimits {
        bytes_max: u64::MAX,
        ..LIMITS
    };
    for (next, expected) in [(far, 1), (far + 1, 2)] {
        let files = vec![packed("a", Some(0), 100), packed("a", Some(next), 1)];
        assert_eq!(runs(files, pack_place, wide).len(), expected);
    }
    let huge = runs_of(&[("a", Some(u64::MAX), 5), ("a", Some(0), u64::MAX)]);
    assert_eq!(huge.len(), 2, "no place overflows");
}

#[test]
fn what_is_read_over_is_bounded_by_what_is_wanted() {
    let wide = RunLimits {
        bytes_max: u64::MAX,
        files_max: usize::MAX,
    };
    // Files of this size with gaps of this size between them, and how many come with one request.
    for (bytes, gap, expected) in [
        (100, 0, 100),
        (100, GAP_BYTES_MAX, 2),
        (100, GAP_BYTES_MAX / 4, 5),
        (100, GAP_BYTES_MAX / 50, 51),
        (GAP_BYTES_MAX, GAP_BYTES_MAX, 100),
        (GAP_BYTES_MAX / 2, GAP_BYTES_MAX, 2),
    ] {
        let files = (0..100).map(|number| packed("a", Some(number * (bytes + gap)), bytes));
        let found = runs(files.collect(), pack_place, wide);
        assert_eq!(found[0].files().len(), expected, "{bytes} and {gap}");
        for run in &found {
            let Run::Part(part, files) = run else {
                panic!("{run:?}");
            };
            let wanted: u64 = files.iter().map(|file| file.bytes).sum();
            let read_over = part.bytes() - wanted;
            assert!(read_over <= GAP_BYTES_MAX.max(wanted), "{bytes} and {gap}");
        }
        let files: usize = found.iter().map(|run| run.files().len()).sum();
        assert_eq!(files, 100);
    }
}

#[test]
fn pieces_of_any_size_are_divided_among_the_files() {
    let content: Vec<u8> = (0..200u8).collect();
    let files = [
        (0u64, 10u64),
        (10, 0),
        (10, 1),
        (30, 70),
        (100, 0),
        (120, 80),
    ];
    let stored: Vec<_> = files
        .iter()
        .map(|(at, bytes)| packed("a", Some(*at), *bytes))
        .collect();
    let limits = RunLimits {
        files_max: 100,
        ..LIMITS
    };
    let found = runs(stored, pack_place, limits);
    let [Run::Part(part, _)] = &found[..] else {
        panic!("{found:?}");
    };
    for piece_bytes in [1, 3, 10, 64, 200] {
        let mut split = part.split();
        let mut came = vec![Vec::new(); files.len()];
        for piece in content.chunks(piece_bytes) {
            for (file, bytes) in split.pass(&Bytes::copy_from_slice(piece)) {
                assert!(!bytes.is_empty());
                came[file].extend_from_slice(&bytes);
            }
        }
        for ((at, bytes), came) in files.iter().zip(came) {
            let place = *at as usize..(at + bytes) as usize;
            assert_eq!(came, content[place], "pieces of {piece_bytes}");
        }
    }
}

#[tokio::test]
async fn a_loaded_part_has_its_files_and_no_others() {
    let memory = Memory::default();
    memory.overwrite("a", "0123456789");
    let counted = Arc::new(Counted::new(Arc::new(memory.clone())));
    let bucket = Bucket::new(counted.clone());
    let files = vec![packed("a", Some(2), 3), packed("a", Some(6), 2)];
    let found = runs(files.clone(), pack_place, LIMITS);
    let [Run::Part(part, _)] = &found[..] else {
        panic!("{found:?}");
    };
    let loaded = bucket.load_part(part).await.unwrap();
    assert_eq!((counted.counts().gets, counted.counts().bytes_down), (1, 6));
    assert_eq!(loaded.file(&files[0]).unwrap(), "234");
    assert_eq!(loaded.file(&files[1]).unwrap(), "67");
    for other in [
        packed("b", Some(2), 3),
        packed("a", None, 3),
        packed("a", Some(1), 3),
        packed("a", Some(9), 1),
    ] {
        assert!(loaded.file(&other).is_none(), "{other:?}");
    }
    let empty = runs_of(&[("gone", Some(4), 0)]);
    let Run::Part(part, _) = &empty[0] else {
        panic!("{empty:?}");
    };
    bucket.load_part(part).await.expect("nothing is asked for");
    memory.overwrite("a", "0123");
    let Run::Part(part, _) = &found[0] else {
        unreachable!();
    };
    let error = bucket.load_part(part).await.unwrap_err();
    assert!(matches!(error, StoreError::OutOfRange { .. }), "{error}");
}
