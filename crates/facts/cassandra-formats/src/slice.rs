//! Slices an SSTable: writes a new one with exactly the partitions of some token ranges, from the chunks that hold
//! them.
//!
//! Partitions are copied as they are: a row's encoding depends only on the serialization header, which is kept. What
//! depends on the position of a partition (index, checksums, compression) is written from scratch. Secondary index
//! components are left out; Cassandra builds them when the slice is loaded.

mod big;
mod bti;
mod data;
mod output;
mod rewrite;
mod sink;

use std::ops::Range;

pub use sink::{CreateComponents, WriteSeek};

use crate::codec::Compressor;
use crate::descriptor::FormatVersion;
use crate::error::{Damage, Error, Result};
use crate::layout::{DataLayout, read_whole};
use crate::source::Components;
use crate::statistics::Statistics;
use crate::toc::encode_toc;
use crate::uncompressed::{READ_BYTES, Uncompressed};
use crate::version::{Format, Version};
use crate::{COMPRESSION_INFO, DATA, STATISTICS, STATISTICS_BYTES_MAX, TOC};
use cassandra_tokens::{Partitioner, Token, TokenRanges};

use data::Compression;
use output::Output;

/// An SSTable that was written as a slice of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// How many partitions it has.
    pub partitions: u64,
    /// The length of Data.db in bytes.
    pub data_bytes: u64,
    /// The uncompressed length of the rows in bytes.
    pub uncompressed_bytes: u64,
    /// The token of its first partition.
    pub first_token: Token,
    /// The token of its last partition.
    pub last_token: Token,
    /// The components that were written, TOC.txt last.
    pub components: Vec<&'static str>,
}

/// How much of an SSTable is in some token ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sliced {
    /// No partition. Nothing was written.
    Nothing,
    /// Every partition. Nothing was written: the caller can use the SSTable itself.
    Everything,
    /// Some partitions, which were written.
    Part(Slice),
}

/// Writes the slice of `ranges`. Returns `None`, and writes nothing, if no partition is in them.
///
/// All bytes of Data are checked before they are used, by the checksums of its chunks or by CRC.db.
///
/// Reads the small components, the parts of the index around the ranges, and the chunks of Data.db that hold wanted
/// partitions. TOC.txt is written last; after a crash the caller must discard components without it.
pub fn slice(
    source: &dyn Components,
    version: &FormatVersion,
    ranges: &TokenRanges,
    create: &mut dyn CreateComponents,
) -> Result<Option<Slice>> {
    match cut(source, version, ranges, READ_BYTES, true, create)? {
        Sliced::Part(slice) => Ok(Some(slice)),
        Sliced::Nothing | Sliced::Everything => Ok(None),
    }
}

/// The same for sources in which each read has a cost: an SSTable of which every partition is wanted is not copied,
/// and Data is read in pieces of `read_bytes`, or less if less is wanted.
pub fn slice_reading(
    source: &dyn Components,
    version: &FormatVersion,
    ranges: &TokenRanges,
    read_bytes: usize,
    create: &mut dyn CreateComponents,
) -> Result<Sliced> {
    cut(source, version, ranges, read_bytes, false, create)
}

fn cut(
    source: &dyn Components,
    version: &FormatVersion,
    ranges: &TokenRanges,
    read_bytes: usize,
    copies_everything: bool,
    create: &mut dyn CreateComponents,
) -> Result<Sliced> {
    let version = Version::known(version).ok_or_else(|| {
        Error::unsupported(
            DATA,
            format!("{version} is not a version that is known here"),
        )
    })?;
    let statistics = statistics(source, version)?;
    let partitioner = partitioner(&statistics)?;
    let (layout, data) = DataLayout::of(source, version, Some(&statistics))?;
    let compression = match &layout {
        DataLayout::Compressed(info) => {
            refuse_compressor(&info.compressor)?;
            Some(Compression::new(info))
        }
        DataLayout::Plain { .. } => None,
    };
    let data = Uncompressed::checked(data, layout, read_bytes)?;
    let cut = Cut {
        source,
        version,
        statistics,
        partitioner,
        ranges,
        compression,
        copies_everything,
    };
    let copied = match version.format() {
        Format::Big => big::copy(&cut, data, create)?,
        Format::Bti => bti::copy(&cut, data, create)?,
    };
    let copied = match copied {
        Copying::Nothing => return Ok(Sliced::Nothing),
        Copying::Everything => return Ok(Sliced::Everything),
        Copying::Part(copied) => copied,
    };
    let share = copied.share;
    let mut components = copied.components;
    let finished = copied.output.finish(&cut, share, create)?;
    components.extend(finished.components);
    components.push(TOC);
    sink::Sink::write_whole(create, TOC, &encode_toc(components.iter().copied()))?;
    Ok(Sliced::Part(Slice {
        components,
        ..finished.slice
    }))
}

/// The source, the ranges, and how to copy.
struct Cut<'a> {
    source: &'a dyn Components,
    version: Version,
    statistics: Statistics,
    partitioner: Partitioner,
    ranges: &'a TokenRanges,
    compression: Option<Compression>,
    /// Whether to copy even if every partition is wanted.
    copies_everything: bool,
}

impl Cut<'_> {
    /// Whether these parts of Data, in their order, are all of it, so that nothing needs to be copied.
    fn leaves_whole<'r>(&self, runs: impl Iterator<Item = &'r Range<u64>>, data_end: u64) -> bool {
        let mut at = 0;
        for run in runs {
            if run.start != at {
                return false;
            }
            at = run.end;
        }
        at == data_end && !self.copies_everything
    }
}

/// The result of copying.
enum Copying {
    Nothing,
    Everything,
    Part(Box<Copied>),
}

/// Partitions that were copied, with the components of their index.
struct Copied {
    output: Output,
    /// The fraction of the source's partitions that was copied, 0 to 1.
    share: f64,
    components: Vec<&'static str>,
}

fn statistics(source: &dyn Components, version: Version) -> Result<Statistics> {
    let bytes = read_whole(source, STATISTICS, STATISTICS_BYTES_MAX)?
        .ok_or_else(|| Damage::whole(STATISTICS, "the component is missing"))?;
    let statistics = Statistics::parse(&bytes, version)?;
    if statistics.covered().is_some() {
        return Err(Error::unsupported(
            DATA,
            "it is zero-copy-streamed, which is not sliced further",
        ));
    }
    Ok(statistics)
}

fn partitioner(statistics: &Statistics) -> Result<Partitioner> {
    let partitioner = statistics.partitioner().ok_or_else(|| {
        Error::unsupported(STATISTICS, "its partitioner is not one that is known here")
    })?;
    if partitioner.order_is_known() {
        Ok(partitioner)
    } else {
        Err(Error::unsupported(
            STATISTICS,
            "tables of a local partitioner have no share of the ring to slice",
        ))
    }
}

fn refuse_compressor(compressor: &Compressor) -> Result<()> {
    match compressor {
        Compressor::Encrypting(name) => Err(Error::unsupported(
            COMPRESSION_INFO,
            format!("it is encrypted by {name}, and can only be copied whole"),
        )),
        Compressor::Unknown(name) => Err(Error::unsupported(
            COMPRESSION_INFO,
            format!("its compressor {name} is not known here"),
        )),
        _ => Ok(()),
    }
}
