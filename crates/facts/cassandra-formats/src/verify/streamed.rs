//! Checks one component as a stream of bytes, while it is uploaded or downloaded.

use crate::bti::Partitions;
use crate::checksums::DataChecksums;
use crate::compression_info::CompressionInfo;
use crate::descriptor::Descriptor;
use crate::digest::parse_digest;
use crate::error::{Damage, Error, Result};
use crate::layout::{DataLayout, read_whole};
use crate::source::Components;
use crate::statistics::Statistics;
use crate::verify::names::check_toc;
use crate::verify::order::IndexOrder;
use crate::version::Version;
use crate::{
    COMPRESSION_INFO, DATA, DIGEST, DIGEST_BYTES_MAX, INDEX, PARTITIONS, STATISTICS,
    STATISTICS_BYTES_MAX, SUMMARY, TOC,
};

/// Components up to this size, in bytes, are collected and checked as a whole. Larger ones are not checked, except
/// Data.db and Index.db, which are checked as a stream.
const WHOLE_BYTES_MAX: usize = 64 << 20;

/// The check of one component. It also reads other small components if it needs them, but never Data.db.
pub struct ComponentCheck {
    kind: Kind,
    bytes: u64,
}

enum Kind {
    Data {
        checksums: Box<DataChecksums>,
        digest: Option<u32>,
    },
    Index(Box<IndexOrder>),
    Whole {
        component: &'static str,
        version: Version,
        names: Vec<String>,
        data_len: u64,
        bytes: Vec<u8>,
    },
    /// It cannot be checked by itself.
    None,
}

impl ComponentCheck {
    /// Begins the check of `component`. If another component that it needs is damaged, it checks less; the check of
    /// that component reports the damage. The only error is a source that fails.
    pub fn begin(
        components: &dyn Components,
        descriptor: &Descriptor,
        component: &str,
    ) -> Result<Self> {
        let kind = match Version::known(&descriptor.format) {
            Some(version) => Self::kind(components, version, component)?,
            None => Self::kind_of_unknown(components, component)?,
        };
        Ok(Self { kind, bytes: 0 })
    }

    fn kind(components: &dyn Components, version: Version, component: &str) -> Result<Kind> {
        let whole = |component, data_len| Kind::Whole {
            component,
            version,
            names: components.names(),
            data_len,
            bytes: Vec::new(),
        };
        Ok(match component {
            DATA => {
                let statistics = statistics(components, version)?;
                let layout = less(DataLayout::of(components, version, statistics.as_ref()))?;
                let (layout, data_len) = match layout {
                    Some((layout, data)) => (layout, data.len()),
                    // The digest is of the whole file whatever its chunks are.
                    None => (DataLayout::Plain { crc: None, base: 0 }, 0),
                };
                let digest = digest(components)?;
                let checksums = DataChecksums::new(layout, data_len, digest.is_some());
                Kind::Data {
                    checksums: Box::new(checksums),
                    digest,
                }
            }
            INDEX => match statistics(components, version)? {
                Some(statistics) => {
                    let layout = less(DataLayout::of(components, version, Some(&statistics)))?;
                    let data_length = layout.map(|(layout, data)| match layout {
                        DataLayout::Compressed(info) => info.data_length,
                        DataLayout::Plain { .. } => data.len(),
                    });
                    Kind::Index(Box::new(IndexOrder::new(
                        statistics.partitioner(),
                        data_length,
                    )))
                }
                None => Kind::None,
            },
            STATISTICS => whole(STATISTICS, 0),
            TOC => whole(TOC, 0),
            DIGEST => whole(DIGEST, 0),
            SUMMARY => whole(SUMMARY, 0),
            PARTITIONS => whole(PARTITIONS, 0),
            COMPRESSION_INFO => {
                let data = crate::layout::open(components, DATA)?;
                whole(COMPRESSION_INFO, data.map_or(0, |data| data.len()))
            }
            _ => Kind::None,
        })
    }

    /// Of a version that is not known nothing can be read, but its digest is of the bytes of Data.db as they are.
    fn kind_of_unknown(components: &dyn Components, component: &str) -> Result<Kind> {
        let digest = match component {
            DATA => digest(components)?,
            _ => None,
        };
        let layout = DataLayout::Plain { crc: None, base: 0 };
        Ok(digest.map_or(Kind::None, |digest| Kind::Data {
            checksums: Box::new(DataChecksums::new(layout, 0, true)),
            digest: Some(digest),
        }))
    }

    /// Takes the next bytes. The only error is a source of other components that fails.
    pub fn update(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        match &mut self.kind {
            Kind::Data { checksums, .. } => checksums.update(bytes)?,
            Kind::Index(order) => order.update(bytes),
            Kind::Whole { bytes: held, .. } => {
                if held.len() + bytes.len() > WHOLE_BYTES_MAX {
                    self.kind = Kind::None;
                } else {
                    held.extend_from_slice(bytes);
                }
            }
            Kind::None => {}
        }
        Ok(())
    }

    /// Call it after the last byte: returns all damage.
    pub fn finish(self) -> Result<Vec<Damage>> {
        match self.kind {
            Kind::Data { checksums, digest } => checksums.finish(digest),
            Kind::Index(order) => Ok(order.finish()),
            Kind::Whole {
                component,
                version,
                names,
                data_len,
                bytes,
            } => whole_damage(component, version, &names, data_len, bytes),
            Kind::None => Ok(Vec::new()),
        }
    }
}

fn whole_damage(
    component: &'static str,
    version: Version,
    names: &[String],
    data_len: u64,
    bytes: Vec<u8>,
) -> Result<Vec<Damage>> {
    let checked = match component {
        TOC => return Ok(check_toc(&bytes, names)),
        STATISTICS => Statistics::parse(&bytes, version).map(drop),
        DIGEST => parse_digest(&bytes).map(drop).map_err(Error::from),
        SUMMARY => crate::summary::Summary::open(Box::new(bytes)).map(drop),
        PARTITIONS => check_partitions(bytes),
        COMPRESSION_INFO => CompressionInfo::open(Box::new(bytes), version, data_len).map(drop),
        _ => Ok(()),
    };
    match checked {
        Ok(()) | Err(Error::Unsupported { .. }) => Ok(Vec::new()),
        Err(Error::Damaged(damage)) => Ok(vec![damage]),
        Err(error) => Err(error),
    }
}

/// Checks the whole trie, but not what its leaves point to.
fn check_partitions(bytes: Vec<u8>) -> Result<()> {
    let partitions = Partitions::open(Box::new(bytes))?;
    let mut walk = partitions.walk();
    let mut count = 0;
    while walk.next()?.is_some() {
        count += 1;
    }
    if count == partitions.count() {
        return Ok(());
    }
    let what = format!(
        "the footer counts {} partitions, the trie has {count}",
        partitions.count()
    );
    Err(Damage::whole(PARTITIONS, what).into())
}

/// Turns damage of another component into `None`, which only makes this check weaker.
fn less<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Damaged(_) | Error::Unsupported { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn statistics(components: &dyn Components, version: Version) -> Result<Option<Statistics>> {
    let bytes = less(read_whole(components, STATISTICS, STATISTICS_BYTES_MAX))?.flatten();
    match bytes {
        Some(bytes) => less(Statistics::parse(&bytes, version)),
        None => Ok(None),
    }
}

fn digest(components: &dyn Components) -> Result<Option<u32>> {
    let bytes = less(read_whole(components, DIGEST, DIGEST_BYTES_MAX))?.flatten();
    Ok(bytes.and_then(|bytes| parse_digest(&bytes).ok()))
}
