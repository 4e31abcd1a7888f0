//! Real SSTables are found sound, at each depth.

use cassandra_formats::Version;
use cassandra_formats::statistics::Statistics;
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

/// As Cassandra wrote it, to the byte.
#[test]
fn statistics_are_encoded_as_they_were_written() {
    let mut sstables = folders::own();
    sstables.extend(folders::datastax());
    sstables.extend(folders::shared(
        "statistics_are_encoded_as_they_were_written",
    ));
    for sstable in &sstables {
        let version = Version::known(&sstable.descriptor().format).expect("a known version");
        let bytes = std::fs::read(sstable.path("Statistics.db")).expect("statistics");
        let statistics = Statistics::parse(&bytes, version).expect("parses");
        assert!(
            statistics.encode(version) == bytes,
            "{}",
            sstable.path("").display()
        );
    }
}
