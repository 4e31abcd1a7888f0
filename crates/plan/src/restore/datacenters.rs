//! Which datacenter of the target takes the data of which datacenter of the backup.

use std::collections::{BTreeMap, BTreeSet};

use placement::{DatacenterMap, Ring};

use super::rings::Rings;
use crate::findings::Findings;
use crate::{codes, text};

pub(super) struct Datacenters {
    pub map: DatacenterMap,
    /// Of each source datacenter, the target datacenters that it feeds.
    feeds: BTreeMap<String, BTreeSet<String>>,
}

impl Datacenters {
    /// As asked for, or by name. Names that are not there are refused.
    pub fn of(wanted: &BTreeMap<String, String>, rings: &Rings, findings: &mut Findings) -> Self {
        let mut feeds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if wanted.is_empty() {
            for name in rings.source.datacenters() {
                if rings.target.datacenters().contains(name) {
                    feeds.entry(name.clone()).or_default().insert(name.clone());
                }
            }
        }
        for (source, target) in wanted {
            let known = [
                ("backup", &rings.source, source),
                ("target", &rings.target, target),
            ];
            let unknown: Vec<_> = known
                .into_iter()
                .filter(|(_, ring, name)| !ring.datacenters().contains(name))
                .collect();
            for (whose, ring, name) in &unknown {
                findings.say(
                    codes::DATACENTER_UNMAPPED,
                    name,
                    format!(
                        "the {whose} has no datacenter {name}; it has {}",
                        names(ring)
                    ),
                    "name datacenters as `nodetool status` does: --datacenter BACKUP=TARGET",
                );
            }
            if unknown.is_empty() {
                let fed = feeds.entry(source.clone()).or_default();
                fed.insert(target.clone());
            }
        }
        let pairs = feeds
            .iter()
            .flat_map(|(source, targets)| targets.iter().map(move |target| (source, target)));
        Self {
            map: DatacenterMap::new(pairs.map(|(source, target)| (source.clone(), target.clone()))),
            feeds,
        }
    }

    /// Whether each datacenter of the backup feeds just the one of its own name.
    pub fn is_identity(&self, rings: &Rings) -> bool {
        rings.source.datacenters().iter().all(|name| {
            let mut fed = self.fed_by(name);
            fed.next() == Some(name) && fed.next().is_none()
        })
    }

    pub fn fed_by(&self, source: &str) -> impl Iterator<Item = &String> {
        self.feeds.get(source).into_iter().flatten()
    }

    /// Says which of the datacenters that hold replicas of what is restored go nowhere: their replicas may have writes that no
    /// other has.
    pub fn check_fed(
        &self,
        holding: &BTreeSet<String>,
        asked: bool,
        rings: &Rings,
        findings: &mut Findings,
    ) {
        for name in holding
            .iter()
            .filter(|name| !self.feeds.contains_key(*name))
        {
            if asked {
                findings.say(
                    codes::DATACENTER_LEFT_OUT,
                    name,
                    format!("nothing is restored from the backup's datacenter {name}"),
                    "writes at LOCAL_QUORUM there that had not reached the others yet are missing",
                );
                continue;
            }
            let example = rings.target.datacenters().first();
            let example = example.map_or("TARGET", String::as_str);
            findings.say(
                codes::DATACENTER_UNMAPPED,
                name,
                format!(
                    "the target has no datacenter {name}; it has {}",
                    names(&rings.target)
                ),
                format!(
                    "say where its data goes with --datacenter {name}={example}; datacenters that are not named are \
                     left out then"
                ),
            );
        }
    }
}

fn names(ring: &Ring) -> String {
    text::list(ring.datacenters())
}
