//! What is open while the files of a part are written.

use std::fs;

use bucket::Run;
use model::manifest::StoredFile;

use super::*;
use crate::stage::fetch::by_request;

/// A file whose content is its number, and which lies at this number in the pack.
fn file(number: u8, directory: &str, table: &str) -> StagedFile {
    StagedFile {
        directory: directory.to_owned(),
        path: format!("{table}/nb-{number}-big-TOC.txt"),
        stored: StoredFile {
            name: format!("nb-{number}-big-TOC.txt"),
            index: None,
            bytes: 1,
            blake3: blake3::hash(&[number]).to_hex().to_string(),
            object: "pack".to_owned(),
            offset: Some(number.into()),
            from: None,
            copied_from: None,
            source: None,
        },
    }
}

/// Descriptors of this process that are of files and folders below `root`.
fn open_below(root: &Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let paths = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    paths.filter(|path| path.starts_with(root)).count()
}

/// Writes files; returns how many descriptors that took at once. Each of them is on disk then.
fn write_all(files: Vec<StagedFile>, synced_together: usize) -> usize {
    let root = tempfile::tempdir().unwrap();
    let ownership = Ownership::like(root.path()).unwrap();
    let labels = ["data-1", "data-2"];
    let staging = labels.map(|label| (label.to_owned(), (root.path().join(label), ownership)));
    let staging = HashMap::from(staging);
    let count = files.len();
    let run = by_request(files).pop().unwrap();
    let Run::Part(part, files) = run else {
        panic!("{run:?}");
    };
    let path = |file: &StagedFile| staging[&file.directory].0.join(&file.path);
    let targets = files.into_iter().map(|file| Target {
        path: path(&file),
        file,
    });
    let targets: Vec<Target> = targets.collect();
    let mut writing = Writing::new(&part, targets.clone(), staging.clone(), synced_together);
    let (mut open_max, mut placed) = (0, Vec::new());
    for number in 0..count {
        let piece = Bytes::from(vec![number as u8]);
        placed.extend(writing.take(&piece).unwrap());
        open_max = open_max.max(open_below(root.path()));
    }
    placed.extend(writing.end().unwrap());
    assert_eq!(placed, (0..count).collect::<Vec<_>>());
    for (number, target) in targets.iter().enumerate() {
        assert_eq!(fs::read(&target.path).unwrap(), [number as u8]);
    }
    open_max
}

#[test]
fn files_of_a_part_share_the_descriptor_of_their_folder() {
    let files = |count: u8| (0..count).map(|number| file(number, "data-1", "ks/a"));
    // The files that wait to be synced, the one that is written, and the folder.
    assert_eq!(write_all(files(100).collect(), 16), 15 + 1 + 1);
    assert_eq!(write_all(files(100).collect(), 1), 1 + 1);
    let of_many_folders = (0..100).map(|number| {
        let directory = format!("data-{}", 1 + number / 3 % 2);
        file(number, &directory, &format!("ks/table-{}", number / 6))
    });
    assert!(write_all(of_many_folders.collect(), 16) <= 17);
}

#[test]
fn all_parts_together_leave_most_of_the_limit_of_open_files() {
    for parallel in [0, 1, 8, 32, 100, 1000] {
        let each = synced_together(parallel);
        assert!(each >= 1 && each * parallel <= OPEN_FILES.max(parallel));
    }
    assert_eq!(synced_together(8), SYNCED_TOGETHER_MAX);
}
