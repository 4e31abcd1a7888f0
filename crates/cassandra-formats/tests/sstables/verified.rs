//! Real SSTables are found sound, at each depth.

use cassandra_formats::verify::{Depth, verify};
use sstable_files::SstableFiles;

use crate::folders;

fn check(sstables: &[SstableFiles]) {
    let mut wrong = Vec::new();
    for sstable in sstables {
        for depth in [Depth::Checksums, Depth::Extended] {
            let path = sstable.path("");
            match verify(sstable, sstable.descriptor(), depth, &mut |_| ()) {
                Ok(report) if report.damage.is_empty() => {
                    if !report.warnings.is_empty() {
                        println!("{} {depth:?}: {:?}", path.display(), report.warnings);
                    }
                }
                Ok(report) => {
                    wrong.push(format!("{} {depth:?}: {:?}", path.display(), report.damage))
                }
                Err(error) => wrong.push(format!("{} {depth:?}: {error}", path.display())),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        sstables.len(),
        wrong.join("\n")
    );
    println!("{} SSTables verified", sstables.len());
}

#[test]
fn shared_sstables_are_sound() {
    check(&folders::shared("shared_sstables_are_sound"));
}

#[test]
fn own_sstables_are_sound() {
    let own = folders::own();
    assert!(!own.is_empty());
    check(&own);
}
