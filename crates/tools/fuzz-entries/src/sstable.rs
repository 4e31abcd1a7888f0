//! A whole SSTable: inspected, verified at both depths, sliced. The slice of a sound SSTable is sound.

use std::collections::BTreeMap;

use cassandra_formats::Descriptor;
use cassandra_formats::slice::slice;
use cassandra_formats::source::Components;
use cassandra_formats::verify::{Depth, Report, verify};
use cassandra_tokens::{Token, TokenRange, TokenRanges};

use crate::memory::Written;
use crate::{Archive, repair};

pub fn run(archive: &Archive) {
    let components = repair::repaired(archive);
    let descriptor = descriptor(archive);
    let _ = cassandra_formats::inspect(&components, &descriptor);
    let _ = verified(&components, &descriptor, Depth::Checksums);
    let report = verified(&components, &descriptor, Depth::Extended);
    let is_sound = report.is_some_and(|report| is_sound(&report));
    let range = TokenRange::new(Token::Murmur3(archive.left), Token::Murmur3(archive.right));
    let ranges = TokenRanges::new([range]);
    let mut written = Written::default();
    let Ok(sliced) = slice(&components, &descriptor.format, &ranges, &mut written) else {
        return;
    };
    let written = written.into_components();
    match sliced {
        None => assert!(written.is_empty(), "nothing is written for no partitions"),
        Some(slice) => {
            assert_eq!(written.len(), slice.components.len());
            if is_sound {
                let report = verified(&written, &descriptor, Depth::Extended);
                let damage = report.map(|report| report.damage);
                assert_eq!(damage, Some(Vec::new()), "a sound SSTable's slice");
            }
        }
    }
}

/// What is wrong with an archive, which for a seed should be nothing: mutations of what is damaged reach less.
pub fn complaints(archive: &Archive) -> Vec<String> {
    let components = repair::repaired(archive);
    let report = verified(&components, &descriptor(archive), Depth::Extended).unwrap_or_default();
    let damage = report.damage.iter().map(ToString::to_string);
    damage.chain(report.warnings).collect()
}

fn descriptor(archive: &Archive) -> Descriptor {
    Descriptor {
        format: archive.version_text().parse().expect("a format version"),
        id: "1".to_owned(),
    }
}

fn is_sound(report: &Report) -> bool {
    report.damage.is_empty() && report.warnings.is_empty()
}

fn verified(
    components: &BTreeMap<String, Vec<u8>>,
    descriptor: &Descriptor,
    depth: Depth,
) -> Option<Report> {
    let components: &dyn Components = components;
    verify(components, descriptor, depth, &mut |_| ()).ok()
}
