//! What plans ask of SSTables, against what Cassandra's own tools say of the same files.

use cassandra_formats::{EncryptedBy, Expiring, PlanFacts, plan_facts};
use sstable_files::SstableFiles;

use crate::folders::{self, Memory};

fn facts(sstable: &SstableFiles, components: &Memory, after_seconds: u64) -> PlanFacts {
    plan_facts(components, sstable.descriptor(), after_seconds).expect("memory does not fail")
}

fn fixture(path: &str) -> SstableFiles {
    let found = folders::own();
    let fits = |sstable: &SstableFiles| sstable.path("Data.db").ends_with(path);
    found.into_iter().find(fits).expect("a fixture")
}

/// The output of sstablemetadata after a label; `None` if the tool was not run on it.
fn metadata(sstable: &SstableFiles, label: &str) -> Option<Vec<String>> {
    let path = sstable
        .folder()
        .join(format!("{}.sstablemetadata.txt", sstable.descriptor()));
    let text = std::fs::read_to_string(path).ok()?;
    let lines = text.lines().skip_while(|line| !line.starts_with(label));
    Some(lines.map(str::to_owned).collect())
}

#[test]
fn tokens_are_those_that_cassandra_says() {
    let mut compared = 0;
    for sstable in folders::own() {
        let found = facts(&sstable, &folders::load(&sstable), 0);
        for (label, token) in [
            ("First token: ", &found.first_token),
            ("Last token: ", &found.last_token),
        ] {
            let Some(lines) = metadata(&sstable, label) else {
                continue;
            };
            let Some(line) = lines.first() else { continue };
            let expected = line[label.len()..].split(' ').next();
            let local = found.partitioner.as_deref().unwrap_or_default();
            if !local.starts_with("LocalPartitioner") {
                assert_eq!(token.as_deref(), expected, "{}", sstable.path("").display());
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn what_expires_is_what_cassandra_counts_by_time() {
    let mut points = 0;
    for sstable in folders::own() {
        if !sstable.folder().ends_with("layouts/expiring") {
            continue;
        }
        let lines = metadata(&sstable, "Estimated tombstone drop times").expect("metadata");
        let bins: Vec<(u64, u64)> = lines[2..]
            .iter()
            .map_while(|line| {
                let (at, rest) = line.trim().split_once(' ')?;
                let count = rest.split_once('|')?.1.trim().split(' ').next()?;
                Some((at.parse().ok()?, count.parse().ok()?))
            })
            // Before 3.11 what has no end was counted too, at the last second there was, which the tool shows as the one before.
            .filter(|(at, _)| {
                let version = &sstable.descriptor().format.version;
                !(version.starts_with('m') && *at == i32::MAX as u64 - 1)
            })
            .collect();
        assert!(bins.len() > 3, "{lines:?}");
        let components = folders::load(&sstable);
        for after in [bins[0].0, bins[2].0, bins[bins.len() - 1].0] {
            let expected: Vec<Expiring> = bins
                .iter()
                .filter(|(at, _)| *at > after + 60)
                .map(|&(at_seconds, cells)| Expiring { at_seconds, cells })
                .collect();
            points += expected.len();
            let found = facts(&sstable, &components, after);
            assert_eq!(found.expiring, expected, "{}", sstable.path("").display());
            let all: u64 = expected.iter().map(|point| point.cells).sum();
            assert!(found.cells >= Some(all), "{found:?} {all}");
        }
    }
    assert!(points > 20, "{points}");
}

#[test]
fn deletions_are_not_taken_for_what_expires() {
    let sstable = fixture("big-nb/layouts/deletions/nb-2-big-Data.db");
    let found = facts(&sstable, &folders::load(&sstable), 0);
    assert_eq!(found.expiring, []);
}

#[test]
fn hazards_are_seen_in_the_header() {
    for (path, tuples, unfrozen) in [
        ("big-ma/layouts/collections/ma-1-big-Data.db", true, true),
        ("big-me/layouts/collections/me-1-big-Data.db", true, false),
        ("big-nb/layouts/collections/nb-1-big-Data.db", true, false),
        ("big-ma/layouts/simple/ma-1-big-Data.db", false, false),
    ] {
        let sstable = fixture(path);
        let found = facts(&sstable, &folders::load(&sstable), 0);
        assert_eq!(
            (found.has_tuples, found.has_unfrozen_type),
            (tuples, unfrozen),
            "{path}"
        );
        assert!(!found.is_zero_copy_slice && !found.has_legacy_counter_shards);
    }
}

#[test]
fn zero_copy_streamed_sstables_are_reported() {
    let Some(folder) = shared_fixtures::sstables("zero_copy_streamed_sstables_are_reported") else {
        return;
    };
    // Its Data.db is that of another SSTable, which these facts do not depend on.
    let folder = folder.join("datastax/bti-bb/ZeroCopyStreamingTest");
    let slices = sstable_files::find(&[folder]).expect("walks");
    assert!(!slices.is_empty(), "the shared fixtures have one");
    for sstable in slices {
        let found = facts(&sstable, &folders::load(&sstable), 0);
        assert!(found.is_zero_copy_slice && found.first_token.is_some());
    }
}

/// With the compressor and the options of an encrypted table in front of what was there.
fn encrypted(sstable: &SstableFiles, class: &str, options: &[(&str, &str)]) -> Memory {
    let mut components = folders::load(sstable);
    let before = &components["CompressionInfo.db"];
    let name_len = usize::from(u16::from_be_bytes([before[0], before[1]]));
    let rest = before[2 + name_len + 4..].to_vec();
    let mut bytes = Vec::new();
    let put = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend((text.len() as u16).to_be_bytes());
        bytes.extend(text.as_bytes());
    };
    put(&mut bytes, class);
    bytes.extend((options.len() as u32).to_be_bytes());
    for (name, value) in options {
        put(&mut bytes, name);
        put(&mut bytes, value);
    }
    bytes.extend(rest);
    components.insert("CompressionInfo.db".to_owned(), bytes);
    components
}

#[test]
fn encryption_is_reported_with_the_name_of_its_key() {
    let sstable = fixture("big-nb/layouts/simple/nb-1-big-Data.db");
    for (class, options, key) in [
        ("Encryptor", &[][..], "system_key"),
        (
            "EncryptingLZ4Compressor",
            &[
                ("cipher_algorithm", "AES/CBC/PKCS5Padding"),
                ("system_key_file", "k2"),
            ][..],
            "k2",
        ),
    ] {
        let mut components = encrypted(&sstable, class, options);
        let expected = Some(EncryptedBy {
            compressor: class.to_owned(),
            key: key.to_owned(),
        });
        let found = facts(&sstable, &components, 0);
        assert_eq!(found.encryption, expected);
        assert!(found.first_token.is_some(), "more may be known");
        // If the small components are encrypted too, they are noise.
        for name in ["Statistics.db", "Index.db", "Summary.db"] {
            for byte in components.get_mut(name).expect("is there") {
                *byte ^= 0xa5;
            }
        }
        let found = facts(&sstable, &components, 0);
        let nothing_else = PlanFacts {
            encryption: expected,
            ..PlanFacts::default()
        };
        assert_eq!(found, nothing_else);
    }
    let plain = facts(&sstable, &folders::load(&sstable), 0);
    assert_eq!(plain.encryption, None);
}

#[test]
fn damage_hides_only_what_it_damages() {
    let sstable = fixture("big-nb/layouts/expiring/nb-1-big-Data.db");
    let whole = facts(&sstable, &folders::load(&sstable), 0);
    for name in ["Statistics.db", "Summary.db", "CompressionInfo.db"] {
        let mut components = folders::load(&sstable);
        components.get_mut(name).expect("is there").truncate(20);
        let found = facts(&sstable, &components, 0);
        match name {
            "Statistics.db" => assert_eq!(found, PlanFacts::default()),
            "Summary.db" => {
                let mut expected = whole.clone();
                (expected.first_token, expected.last_token) = (None, None);
                assert_eq!(found, expected);
            }
            _ => assert_eq!(found, whole),
        }
    }
}
