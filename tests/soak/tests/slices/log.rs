//! What a node has to complain about in its log.

use std::fs;

use anyhow::{Context, Result, ensure};
use lab::Node;

/// A place in a node's log.
pub struct Log<'a> {
    node: &'a Node,
    from: usize,
}

/// Of warnings, those of these words tell of SSTables that were mended, skipped over or not understood.
const SUSPICIOUS: [&str; 9] = [
    "sstable",
    "Scrub",
    "Verif",
    "Corrupt",
    "-big-",
    "-bti-",
    "unreadable",
    "bloom",
    "summary",
];

impl<'a> Log<'a> {
    /// Everything up to here is of no interest.
    pub fn from_here(node: &'a Node) -> Result<Self> {
        let from = fs::read(&node.log_file)?.len();
        Ok(Self { node, from })
    }

    /// Fails with the lines that tell of trouble with SSTables.
    pub fn check_quiet(&self) -> Result<()> {
        let lines = self.complaints()?;
        ensure!(
            lines.is_empty(),
            "the node complains:\n{}",
            lines.join("\n")
        );
        Ok(())
    }

    fn complaints(&self) -> Result<Vec<String>> {
        let text = self.text()?;
        let complaints = text.lines().filter(|line| is_complaint(line));
        Ok(complaints.map(str::to_owned).collect())
    }

    /// All that was logged from there on.
    pub fn text(&self) -> Result<String> {
        let bytes = fs::read(&self.node.log_file)?;
        let new = bytes.get(self.from..).context("the log was cut")?;
        Ok(String::from_utf8_lossy(new).into_owned())
    }
}

fn is_complaint(line: &str) -> bool {
    let is_suspicious = || SUSPICIOUS.iter().any(|word| line.contains(word));
    line.starts_with("ERROR")
        || line.contains("CorruptSSTableException")
        || (line.starts_with("WARN") && is_suspicious())
}
