//! A keyspace's replication, read from the option map of its CREATE KEYSPACE.

use std::collections::BTreeMap;

use crate::Ring;

/// How many replicas a keyspace has, and where they are placed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Replication {
    /// The next so many nodes on the ring, whatever their datacenter.
    Simple {
        /// The replication factor.
        replicas: u32,
    },
    /// So many in each datacenter, on different racks as far as possible.
    NetworkTopology {
        /// The replication factor by datacenter, each above 0.
        datacenters: BTreeMap<String, u32>,
    },
    /// Every node holds everything: EverywhereStrategy of DSE and HCD.
    Everywhere,
    /// LocalStrategy: each node keeps its own data.
    Local,
}

/// Which part of a replication is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplicationError {
    /// There is no option `class`.
    #[error("the replication names no class")]
    NoClass,
    /// A strategy that is none of the four of [`Replication`].
    #[error("replication strategy `{0}` is not understood")]
    Class(String),
    /// An option that the strategy needs is absent.
    #[error("{class} lacks the option `{option}`")]
    Missing {
        /// The strategy's simple class name.
        class: &'static str,
        /// The option's name.
        option: &'static str,
    },
    /// An option that the strategy does not have.
    #[error("{class} has the option `{option}`, which is not understood")]
    Option {
        /// The strategy's simple class name.
        class: &'static str,
        /// The option's name.
        option: String,
    },
    /// A replication factor that is not a number.
    #[error("`{option}` is `{value}`, which is not a number of replicas")]
    Number {
        /// The option: `replication_factor` or a datacenter.
        option: String,
        /// Its value as it was given.
        value: String,
    },
    /// A replication factor with transient replicas, such as `3/1`.
    #[error("`{option}` is `{value}`: transient replication is not understood")]
    Transient {
        /// The option: `replication_factor` or a datacenter.
        option: String,
        /// Its value as it was given.
        value: String,
    },
    /// NetworkTopologyStrategy without any datacenter.
    #[error("NetworkTopologyStrategy names no datacenter")]
    NoDatacenter,
    /// A bare `replication_factor` of NetworkTopologyStrategy; [`Replication::expanded`] resolves it.
    #[error(
        "NetworkTopologyStrategy has `replication_factor` {0} for datacenters that it does not name; a ring is needed to name them"
    )]
    Unexpanded(u32),
}

const PACKAGE: &str = "org.apache.cassandra.locator.";
const CLASS: &str = "class";
const FACTOR: &str = "replication_factor";
const SIMPLE: &str = "SimpleStrategy";
const TOPOLOGY: &str = "NetworkTopologyStrategy";
const EVERYWHERE: &str = "EverywhereStrategy";
const LOCAL: &str = "LocalStrategy";

impl Replication {
    /// Parses the options as `system_schema.keyspaces` and a schema file have them, the class with or without its
    /// package.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, ReplicationError> {
        let class = options.get(CLASS).ok_or(ReplicationError::NoClass)?;
        match class.strip_prefix(PACKAGE).unwrap_or(class) {
            SIMPLE => {
                nothing_but(SIMPLE, options, &[CLASS, FACTOR])?;
                let missing = ReplicationError::Missing {
                    class: SIMPLE,
                    option: FACTOR,
                };
                let replicas = number(FACTOR, options.get(FACTOR).ok_or(missing)?)?;
                Ok(Self::Simple { replicas })
            }
            TOPOLOGY => match options.get(FACTOR) {
                Some(value) => Err(ReplicationError::Unexpanded(number(FACTOR, value)?)),
                None => Self::topology(named(options)?),
            },
            EVERYWHERE => nothing_but(EVERYWHERE, options, &[CLASS]).map(|()| Self::Everywhere),
            LOCAL => nothing_but(LOCAL, options, &[CLASS]).map(|()| Self::Local),
            _ => Err(ReplicationError::Class(class.clone())),
        }
    }

    /// As [`Self::parse`], but a bare `replication_factor` goes to the ring's datacenters that are not named, as
    /// Cassandra does when it creates the keyspace.
    pub fn expanded(
        options: &BTreeMap<String, String>,
        ring: &Ring,
    ) -> Result<Self, ReplicationError> {
        match Self::parse(options) {
            Err(ReplicationError::Unexpanded(replicas)) => {
                let mut datacenters: BTreeMap<String, u32> = ring
                    .owning_datacenters()
                    .map(|name| (name.to_owned(), replicas))
                    .collect();
                datacenters.extend(named(options)?);
                Self::topology(datacenters)
            }
            parsed => parsed,
        }
    }

    fn topology(mut datacenters: BTreeMap<String, u32>) -> Result<Self, ReplicationError> {
        if datacenters.is_empty() {
            return Err(ReplicationError::NoDatacenter);
        }
        datacenters.retain(|_, replicas| *replicas > 0);
        Ok(Self::NetworkTopology { datacenters })
    }

    /// The datacenters that it names although no node of the ring owns tokens there, so that they can hold no replica.
    pub fn datacenters_not_in<'a>(&'a self, ring: &Ring) -> Vec<&'a str> {
        let Self::NetworkTopology { datacenters } = self else {
            return Vec::new();
        };
        let missing = |name: &&str| !ring.owning_datacenters().any(|known| known == *name);
        datacenters
            .keys()
            .map(String::as_str)
            .filter(missing)
            .collect()
    }
}

/// The datacenters with their numbers of replicas.
fn named(options: &BTreeMap<String, String>) -> Result<BTreeMap<String, u32>, ReplicationError> {
    options
        .iter()
        .filter(|(option, _)| *option != CLASS && *option != FACTOR)
        .map(|(option, value)| Ok((option.clone(), number(option, value)?)))
        .collect()
}

fn nothing_but(
    class: &'static str,
    options: &BTreeMap<String, String>,
    known: &[&str],
) -> Result<(), ReplicationError> {
    match options
        .keys()
        .find(|option| !known.contains(&option.as_str()))
    {
        Some(option) => Err(ReplicationError::Option {
            class,
            option: option.clone(),
        }),
        None => Ok(()),
    }
}

fn number(option: &str, value: &str) -> Result<u32, ReplicationError> {
    let (option, value) = (option.to_owned(), value.to_owned());
    match value.trim().parse() {
        Ok(replicas) => Ok(replicas),
        Err(_) if value.contains('/') => Err(ReplicationError::Transient { option, value }),
        Err(_) => Err(ReplicationError::Number { option, value }),
    }
}

#[cfg(test)]
mod tests;
