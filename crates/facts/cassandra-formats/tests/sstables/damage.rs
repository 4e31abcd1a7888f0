//! Every single-bit flip in small SSTables is found, or it is shown that it does no harm; so is every truncation.

mod cases;
mod content;
mod harmless;

use std::collections::BTreeMap;

use cassandra_formats::verify::{Depth, verify};
use cassandra_formats::{Descriptor, Version};
use sstable_files::SstableFiles;

use crate::folders::{self, Memory};
use cases::{Case, FLIPPED, GAPS, TRUNCATED};
use harmless::{Verdict, judge};

/// A sound SSTable, and one that is damaged again and again.
struct Patient {
    name: &'static str,
    descriptor: Descriptor,
    version: Version,
    sound: Memory,
    found: Memory,
}

impl Patient {
    fn of(case: &Case, own: &[SstableFiles]) -> Self {
        let sstable = own.iter().find(|sstable| {
            sstable.folder().ends_with(case.folder)
                && sstable.descriptor().to_string() == case.sstable
        });
        let sstable = sstable.unwrap_or_else(|| panic!("{} {}", case.folder, case.sstable));
        let sound = folders::load(sstable);
        Self {
            name: case.folder,
            descriptor: sstable.descriptor().clone(),
            version: Version::known(&sstable.descriptor().format).expect("a known version"),
            found: sound.clone(),
            sound,
        }
    }

    fn is_found(&self, depth: Depth) -> bool {
        let report = verify(&self.found, &self.descriptor, depth, &mut |_| ());
        !report.expect("memory can be read").damage.is_empty()
    }
}

/// What became of the damage that was done to one component.
#[derive(Debug, Default)]
struct Figures {
    done: u64,
    found: u64,
    harmless: u64,
    gaps: u64,
    looked_at: u64,
    found_by_checksums: u64,
}

#[derive(Default)]
struct Tally {
    components: BTreeMap<String, Figures>,
    why: BTreeMap<String, u64>,
    gaps: BTreeMap<(String, String), u64>,
    wrong: Vec<String>,
}

impl Tally {
    /// Verifies the SSTable after damage was done to it.
    fn note(&mut self, patient: &Patient, component: &str, what: &dyn Fn() -> String) {
        let family = patient.version.to_string();
        let key = match component {
            "Statistics.db" => format!("{component} {family}"),
            _ => component.to_owned(),
        };
        let figures = self.components.entry(key).or_default();
        figures.done += 1;
        // If checksums cover everything, they must find everything; of the rest a share is found.
        let covered = has_checksums(component, patient.version);
        if covered || figures.done.is_multiple_of(5) {
            figures.looked_at += 1;
            figures.found_by_checksums += u64::from(patient.is_found(Depth::Checksums));
        }
        if patient.is_found(Depth::Extended) {
            figures.found += 1;
            return;
        }
        match judge(component, patient.version, &patient.sound, &patient.found) {
            Verdict::Harmless(why) => {
                figures.harmless += 1;
                *self.why.entry(why).or_default() += 1;
            }
            Verdict::Gap(why) => {
                figures.gaps += 1;
                let key = (patient.name.to_owned(), why);
                *self.gaps.entry(key).or_default() += 1;
            }
            Verdict::Harmful(why) => {
                let what = format!("{} {component} {}: {why}", patient.name, what());
                self.wrong.push(what);
            }
        }
    }

    fn print(&self) {
        for (component, f) in &self.components {
            println!(
                "{component:22} {:6} done, {:6} found, {:5} harmless, {:5} gaps; by checksums {:6} of {:6} ({:.1} %)",
                f.done,
                f.found,
                f.harmless,
                f.gaps,
                f.found_by_checksums,
                f.looked_at,
                f.found_by_checksums as f64 * 100.0 / f.looked_at.max(1) as f64
            );
        }
        for (why, count) in &self.why {
            println!("harmless {count:6}: {why}");
        }
        for ((name, why), count) in &self.gaps {
            println!("gap {count:6}: {name}: {why}");
        }
    }

    fn check(&self) {
        for (component, figures) in &self.components {
            if figures.looked_at == figures.done {
                assert_eq!(figures.found_by_checksums, figures.done, "{component}");
            }
        }
        let shown = &self.wrong[..self.wrong.len().min(40)];
        let count = self.wrong.len();
        assert!(
            count == 0,
            "{count} harmful and not found:\n{}",
            shown.join("\n")
        );
        for ((name, why), count) in &self.gaps {
            let known = GAPS.iter().find(|(of, gap, _)| of == name && gap == why);
            let most = known.map_or(0, |(_, _, most)| *most);
            assert!(
                *count <= most,
                "{name}: {why}: {count} not found, {most} known"
            );
        }
    }
}

fn has_checksums(component: &str, version: Version) -> bool {
    match component {
        "Data.db" | "Digest.crc32" => true,
        "Statistics.db" => version.has_statistics_checksums(),
        _ => false,
    }
}

#[test]
fn every_flip_of_a_bit_is_found_or_harmless() {
    let (own, mut tally) = (folders::own(), Tally::default());
    for case in FLIPPED {
        let mut patient = Patient::of(case, &own);
        for component in case.components {
            let len = patient.sound.get(*component).map_or(0, Vec::len);
            for bit in 0..len * 8 {
                let flip = |memory: &mut Memory| {
                    memory.get_mut(*component).expect("it is there")[bit / 8] ^= 1 << (bit % 8);
                };
                flip(&mut patient.found);
                let what = || format!("byte {} bit {}", bit / 8, bit % 8);
                tally.note(&patient, component, &what);
                flip(&mut patient.found);
            }
        }
    }
    tally.print();
    tally.check();
}

#[test]
fn every_truncation_is_found_or_harmless() {
    let (own, mut tally) = (folders::own(), Tally::default());
    for case in TRUNCATED {
        let mut patient = Patient::of(case, &own);
        for component in case.components {
            let Some(whole) = patient.sound.get(*component).cloned() else {
                continue;
            };
            for len in (0..whole.len()).rev() {
                let found = patient.found.get_mut(*component).expect("it is there");
                found.truncate(len);
                tally.note(&patient, component, &|| format!("cut to {len} bytes"));
            }
            patient.found.insert((*component).to_owned(), whole);
        }
    }
    tally.print();
    tally.check();
}
