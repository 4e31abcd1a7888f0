//! Finds damage in an SSTable: checksums, components against each other, keys and their order, and every row if asked.

mod cell_order;
mod data;
mod filter;
mod findings;
mod index;
mod names;
mod names_of_classes;
mod order;
mod plausible;
mod row_checks;
mod row_order;
mod rows;
mod seen;
mod streamed;

pub use streamed::ComponentCheck;

use crate::codec::Compressor;
use crate::descriptor::Descriptor;
use crate::error::{Damage, Error, Result};
use crate::inspect::{Facts, facts, known};
use crate::layout::{DataLayout, read_whole};
use crate::source::Components;
use crate::statistics::Statistics;
use crate::uncompressed::Uncompressed;
use crate::version::{Format, Version};
use crate::{COMPRESSION_INFO, STATISTICS, STATISTICS_BYTES_MAX, TOC, TOC_BYTES_MAX};

/// How much to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All checksums, all structure, keys, tokens and their order; the index is compared with Data at some
    /// partitions, including the first and the last. Data.db is read once.
    Checksums,
    /// Also decodes every row and cell, compares the whole index with them, and checks the order of rows and of cells
    /// and that Filter.db has every key. Data.db is read twice.
    Extended,
}

/// The result of a verification.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The facts, as far as the damage leaves them readable.
    pub facts: Facts,
    /// Everything that is wrong, in the order in which it was found.
    pub damage: Vec<Damage>,
    /// What is unusual but not damage, and what could not be checked.
    pub warnings: Vec<String>,
}

/// Finds all damage of one SSTable. `done` is called with the number of bytes that have been checked since the last
/// call. The only errors are a source that fails and an unknown version.
pub fn verify(
    components: &dyn Components,
    descriptor: &Descriptor,
    depth: Depth,
    done: &mut dyn FnMut(u64),
) -> Result<Report> {
    let version = known(descriptor)?;
    let mut verification = Verification {
        components,
        version,
        names: components.names(),
        statistics: None,
        report: Report::default(),
    };
    verification.names()?;
    verification.statistics()?;
    verification.facts()?;
    let is_sound = verification.data_checksums(done)?;
    verification.content(depth, is_sound)?;
    Ok(verification.report)
}

/// Decodes every row as [`Depth::Extended`] does, without the rest of [`verify`]. Data.db is read from front to back,
/// and never before a byte that was read, except again from its start if user types may have been frozen.
pub fn verify_rows(components: &dyn Components, descriptor: &Descriptor) -> Result<Report> {
    let mut verification = Verification {
        components,
        version: known(descriptor)?,
        names: components.names(),
        statistics: None,
        report: Report::default(),
    };
    verification.statistics()?;
    if verification.data()?.is_some() {
        verification.rows()?;
    }
    Ok(verification.report)
}

/// One run.
struct Verification<'a> {
    components: &'a dyn Components,
    version: Version,
    names: Vec<String>,
    statistics: Option<Statistics>,
    report: Report,
}

impl Verification<'_> {
    /// Adds damage to the report and goes on; a source that fails ends the verification.
    fn note<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Damaged(damage)) => {
                if !self.report.damage.contains(&damage) {
                    self.report.damage.push(damage);
                }
                Ok(None)
            }
            Err(error @ Error::Unsupported { .. }) => {
                self.report.warnings.push(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn names(&mut self) -> Result<()> {
        let missing = names::check_required(&self.names, self.version.format());
        self.report.damage.extend(missing);
        let toc = read_whole(self.components, TOC, TOC_BYTES_MAX);
        match self.note(toc)? {
            Some(Some(toc)) => {
                let damage = names::check_toc(&toc, &self.names);
                self.report.damage.extend(damage);
                let unnamed = names::unnamed(&toc, &self.names);
                self.report.warnings.extend(unnamed);
            }
            Some(None) => {
                let what =
                    format!("{TOC}: it is missing, so it is unknown which components should exist");
                self.report.warnings.push(what);
            }
            None => {}
        }
        Ok(())
    }

    fn statistics(&mut self) -> Result<()> {
        let bytes = read_whole(self.components, STATISTICS, STATISTICS_BYTES_MAX);
        let Some(Some(bytes)) = self.note(bytes)? else {
            return Ok(());
        };
        let parsed = Statistics::parse(&bytes, self.version);
        self.statistics = self.note(parsed)?;
        if let Some(statistics) = &self.statistics {
            let sketch = statistics.sketch().map(drop).map_err(Error::from);
            self.note(sketch)?;
        }
        Ok(())
    }

    fn facts(&mut self) -> Result<()> {
        let facts = facts(self.components, self.version, self.statistics.as_ref());
        if let Some(facts) = self.note(facts)? {
            self.report.facts = facts;
        }
        Ok(())
    }

    /// Index and rows. Nothing is checked behind damaged checksums, because the same damage would be reported again.
    fn content(&mut self, depth: Depth, is_sound: bool) -> Result<()> {
        let Some((mut data, is_compressed)) = self.data()? else {
            return Ok(());
        };
        if let Some(statistics) = &self.statistics
            && !self.version.has_statistics_checksums()
        {
            let checked = plausible::check(statistics, is_compressed);
            self.note(checked.map_err(Error::from))?;
        }
        let extended = depth == Depth::Extended && is_sound;
        if depth == Depth::Extended && !is_sound {
            let what = "rows: Data.db is damaged already".to_owned();
            self.report.warnings.push(what);
        }
        match self.version.format() {
            Format::Big => self.big_index(&mut data)?,
            Format::Bti => self.bti_index(&mut data)?,
        }
        if extended { self.rows() } else { Ok(()) }
    }

    /// Data without its compression, and whether it has one. `None` if it cannot be decoded, with a note of why.
    fn data(&mut self) -> Result<Option<(Uncompressed, bool)>> {
        let layout = DataLayout::of(self.components, self.version, self.statistics.as_ref());
        let Some((layout, data)) = self.note(layout)? else {
            return Ok(None);
        };
        if let DataLayout::Compressed(info) = &layout
            && let Compressor::Encrypting(name) | Compressor::Unknown(name) = &info.compressor
        {
            if let Some(what) = names_of_classes::damaged_compressor(name) {
                self.report
                    .damage
                    .push(Damage::whole(COMPRESSION_INFO, what));
            }
            let what = format!("rows and index: {name} is not understood");
            self.report.warnings.push(what);
            return Ok(None);
        }
        if self.statistics.is_none() {
            let what = format!("rows and index: they need {STATISTICS}");
            self.report.warnings.push(what);
            return Ok(None);
        }
        let is_compressed = matches!(layout, DataLayout::Compressed(_));
        let data = Uncompressed::new(data, layout);
        Ok(self.note(data)?.map(|data| (data, is_compressed)))
    }
}
