//! How many replicas of a keyspace are there, weighed, in words, and as a row.

use model::plan::{Completeness, KeyspaceCoverage};
use placement::GroupCoverage;

/// Whether a group of replicas has what is wanted.
pub(crate) fn satisfies(group: &GroupCoverage, wanted: Completeness) -> bool {
    match wanted {
        Completeness::All => group.is_complete(),
        Completeness::Quorum => group.lossy.is_empty(),
        Completeness::One => group.missing.is_empty(),
        Completeness::Any => true,
    }
}

pub(crate) fn in_words(keyspace: &str, group: &GroupCoverage) -> String {
    let datacenter = group.datacenter.as_ref();
    let place = datacenter.map_or(String::new(), |name| format!(" in {name}"));
    let parts = group.share_by_available.iter().enumerate();
    let replicas = group.replicas;
    let parts: Vec<String> = parts
        .take(replicas)
        .filter(|(_, share)| **share > 0.0)
        .map(|(held, share)| {
            let held = match held {
                0 => "none".to_owned(),
                _ => held.to_string(),
            };
            format!(
                "{held} of {replicas} replicas for {} of the ring",
                percent(*share)
            )
        })
        .collect();
    format!("of {keyspace}{place} it has {}", parts.join(", "))
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 0.1 => "less than 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

pub(crate) fn row(keyspace: &str, group: &GroupCoverage) -> KeyspaceCoverage {
    const PPM: f64 = 1_000_000.0;
    let complete = group.is_complete();
    let ppm = |(held, share): (usize, &f64)| match held == group.replicas {
        // What is complete is complete, whatever floating point says.
        true if complete => PPM as u32,
        true => (share * PPM) as u32,
        // No part that is missing is rounded away.
        false => (share * PPM).ceil() as u32,
    };
    KeyspaceCoverage {
        keyspace: keyspace.to_owned(),
        datacenter: group.datacenter.clone().unwrap_or_default(),
        replicas: u32::try_from(group.replicas).unwrap_or(u32::MAX),
        held_ppm: group
            .share_by_available
            .iter()
            .enumerate()
            .map(ppm)
            .collect(),
    }
}
