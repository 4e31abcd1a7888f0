//! Cuts the SSTables of a snapshot into slices, and looks at each slice as `verify` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cassandra_formats::source::Components;
use cassandra_formats::verify::{self, verify};
use cassandra_formats::{Descriptor, inspect, slice};
use cassandra_tokens::{Partitioner, Token, TokenRange, TokenRanges};
use lab::Node;
use lab::workload::KEYSPACES;
use sstable_files::{NewSstable, SstableFiles};

/// Tables, as `keyspace` and folder name, with their SSTables.
pub type Tables = BTreeMap<(String, String), Vec<SstableFiles>>;

/// The SSTables of all tables in a snapshot; those of secondary indexes stay behind, as indexes are built on loading.
pub fn snapshot(node: &Node, tag: &str) -> Result<Tables> {
    let mut tables = Tables::new();
    for keyspace in KEYSPACES {
        // Nothing but the snapshot is walked: in a live folder files come and go.
        for entry in fs::read_dir(node.data_dirs[0].join(keyspace))? {
            let table = entry?;
            let folder = table.path().join("snapshots").join(tag);
            if !folder.is_dir() {
                continue;
            }
            let mut sstables = sstable_files::find(std::slice::from_ref(&folder))?;
            sstables.retain(|sstable| sstable.folder() == folder);
            let name = table.file_name().to_string_lossy().into_owned();
            tables.insert((keyspace.to_owned(), name), sstables);
        }
    }
    Ok(tables)
}

/// Slices of one table, all in one folder under names that follow one another.
pub struct Cutting {
    folder: PathBuf,
    next_id: u32,
}

impl Cutting {
    /// `into/<keyspace>/<table>-<id>`, as a node wants it.
    pub fn new(into: &Path, (keyspace, table): &(String, String)) -> Result<Self> {
        let folder = into.join(keyspace).join(table);
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, next_id: 1 })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// One slice, proven sound; answers its partitions, none where nothing is in the ranges.
    pub fn cut(&mut self, source: &SstableFiles, ranges: &TokenRanges) -> Result<u64> {
        let format = &source.descriptor().format;
        let descriptor = Descriptor {
            format: format.clone(),
            id: self.next_id.to_string(),
        };
        let mut new = NewSstable::new(&self.folder, descriptor.clone());
        let Some(slice) = slice::slice(source, format, ranges, &mut new)? else {
            return Ok(0);
        };
        new.seal()?;
        self.next_id += 1;
        let written = SstableFiles::look(&self.folder, &descriptor)?;
        let mut names = written.names();
        let mut told = slice.components.clone();
        names.sort();
        told.sort_unstable();
        ensure!(names == told, "{told:?} were told, {names:?} are there");
        let depth = verify::Depth::Extended;
        let report = verify(&written, &descriptor, depth, &mut |_| ())?;
        ensure!(
            report.damage.is_empty() && report.warnings.is_empty(),
            "a slice of {}: {:?} {:?}",
            source.path("").display(),
            report.damage,
            report.warnings
        );
        Ok(slice.partitions)
    }
}

/// Four ranges that are the ring together. One of them ends at the SSTable's first partition and begins high, so that
/// it wraps and has partitions at both ends.
pub fn quarters(sstable: &SstableFiles) -> Result<Vec<TokenRanges>> {
    let facts = inspect(sstable, sstable.descriptor())?;
    let first = facts.first_token.context("a first token")?;
    let first = Partitioner::Murmur3.parse_token(&first)?;
    let mut ends: Vec<Token> = [-(1 << 61), 1 << 60, 1 << 62].map(Token::Murmur3).into();
    ends.push(first);
    ends.sort();
    ends.dedup();
    let after = ends.iter().cycle().skip(1);
    let ranges = ends.iter().zip(after);
    Ok(ranges
        .map(|(left, right)| TokenRanges::new([TokenRange::new(left.clone(), right.clone())]))
        .collect())
}

/// Every second of many ranges, and the others.
pub fn stripes() -> Vec<TokenRanges> {
    let ends: Vec<i64> = (-16..16).map(|end| end << 59).collect();
    let ranges: Vec<TokenRange> = (0..ends.len())
        .map(|at| {
            let right = ends[(at + 1) % ends.len()];
            TokenRange::new(Token::Murmur3(ends[at]), Token::Murmur3(right))
        })
        .collect();
    let every_second = |from: usize| ranges.iter().skip(from).step_by(2).cloned();
    vec![
        TokenRanges::new(every_second(0)),
        TokenRanges::new(every_second(1)),
    ]
}
