//! What is measured: this project's verify and slice.

use std::io::{self, Seek, SeekFrom, Write};

use anyhow::{Context, Result, ensure};
use cassandra_formats::slice::{CreateComponents, WriteSeek, slice};
use cassandra_formats::verify::{self, Depth};
use cassandra_tokens::{Token, TokenRange, TokenRanges};
use sstable_files::{NewSstable, SstableFiles};

pub fn verify(sstable: &SstableFiles, extended: bool) -> Result<()> {
    let depth = match extended {
        true => Depth::Extended,
        false => Depth::Checksums,
    };
    let report = verify::verify(sstable, sstable.descriptor(), depth, &mut |_| ())?;
    ensure!(report.damage.is_empty(), "damaged: {:?}", report.damage);
    Ok(())
}

/// The middle half of the ring.
fn half() -> TokenRanges {
    let quarter = i64::MAX / 2;
    TokenRanges::new([TokenRange::new(
        Token::Murmur3(-quarter),
        Token::Murmur3(quarter),
    )])
}

pub fn slice_nowhere(sstable: &SstableFiles) -> Result<()> {
    cut(sstable, &mut Nowhere)
}

pub fn slice_to_files(sstable: &SstableFiles) -> Result<()> {
    let folder = tempfile::tempdir_in(sstable.folder().parent().context("no parent")?)?;
    let mut new = NewSstable::new(folder.path(), sstable.descriptor().clone());
    cut(sstable, &mut new)
}

fn cut(sstable: &SstableFiles, create: &mut dyn CreateComponents) -> Result<()> {
    let slice = slice(sstable, &sstable.descriptor().format, &half(), create)?;
    ensure!(slice.is_some(), "nothing was sliced");
    Ok(())
}

/// Forgets what is written.
struct Nowhere;

#[derive(Default)]
struct Forgotten {
    position: u64,
    len: u64,
}

impl CreateComponents for Nowhere {
    fn create(&mut self, _component: &str) -> io::Result<Box<dyn WriteSeek>> {
        Ok(Box::new(Forgotten::default()))
    }
}

impl Write for Forgotten {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.position += bytes.len() as u64;
        self.len = self.len.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Forgotten {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(offset) => self.len.saturating_add_signed(offset),
            SeekFrom::Current(offset) => self.position.saturating_add_signed(offset),
        };
        Ok(self.position)
    }
}
