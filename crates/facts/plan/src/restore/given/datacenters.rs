//! Which datacenter of the target takes the data of which datacenter of the backup.

use std::collections::{BTreeMap, BTreeSet};

use placement::{DatacenterMap, Replication, Ring};

use super::rings::Rings;
use crate::findings::Findings;
use crate::{codes, wording};

pub(crate) struct Datacenters {
    pub map: DatacenterMap,
    /// The datacenters of the backup that were asked for by name.
    named: BTreeSet<String>,
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
        let pairs = wanted.iter().flat_map(|(source, targets)| {
            targets
                .split(',')
                .map(move |target| (source, target.trim().to_owned()))
        });
        for (source, target) in pairs {
            let target = &target;
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
                    "name datacenters as `nodetool status` does, first that of the backup: --datacenter BACKUP=TARGET",
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
            named: wanted.keys().cloned().collect(),
            feeds,
        }
    }

    /// Whether any was asked for by name: those that were not are left out.
    pub fn asked(&self) -> bool {
        !self.named.is_empty()
    }

    pub fn is_named(&self, source: &str) -> bool {
        self.named.contains(source)
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

    /// The option by which one that holds replicas feeds this datacenter of the target too.
    pub fn to_feed(&self, target: &str, source: &Replication) -> String {
        let holding = match source {
            Replication::NetworkTopology { datacenters } => datacenters.keys().next(),
            _ => None,
        };
        match holding {
            Some(name) => {
                let fed = self.fed_by(name).map(String::as_str);
                let all: Vec<&str> = fed.chain([target]).collect();
                format!("--datacenter {name}={}", all.join(","))
            }
            None => format!("--datacenter BACKUP={target}"),
        }
    }

    /// Says which of the datacenters that hold replicas of what is restored go nowhere: their replicas may have writes that no
    /// other has.
    pub fn check_fed(&self, holding: &BTreeSet<String>, rings: &Rings, findings: &mut Findings) {
        for name in holding
            .iter()
            .filter(|name| !self.feeds.contains_key(*name))
        {
            let example = rings.target.datacenters().first();
            let example = example.map_or("TARGET", String::as_str);
            // Of one that was asked for, it is said what is wrong with it.
            if self.is_named(name) {
                continue;
            }
            if self.asked() {
                findings.say(
                    codes::DATACENTER_LEFT_OUT,
                    name,
                    format!(
                        "nothing is restored from the backup's datacenter {name}: writes at LOCAL_QUORUM or LOCAL_ONE there \
                         that had not reached the others when the backup was made are missing"
                    ),
                    format!("to restore them too, add --datacenter {name}={example}"),
                );
                continue;
            }
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
    wording::list(ring.datacenters())
}
