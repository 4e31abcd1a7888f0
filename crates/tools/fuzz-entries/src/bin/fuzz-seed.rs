//! Writes a corpus for each fuzz target, out of the SSTables in a folder: `fuzz-seed <fixtures> <corpus>`.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cassandra_formats::crc::{CRC_CHUNK_LENGTH, encode_crc_header};
use cassandra_formats::source::Components;
use cassandra_formats::statistics::Statistics;
use cassandra_formats::statistics::histogram::EstimatedHistogram;
use cassandra_formats::toc::encode_toc;
use cassandra_formats::{DataLayout, Uncompressed, Version};
use fuzz_entries::{Archive, TARGETS};
use sstable_files::SstableFiles;

type Memory = BTreeMap<String, Vec<u8>>;
type Failure = Box<dyn Error>;

/// Makes all checksums right.
const REPAIR_ALL: u8 = 0b111;
/// Bigger seeds make each execution slow and say little more.
const SEED_LEN_MAX: usize = 96 << 10;

fn main() -> Result<(), Failure> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [fixtures, corpus] = arguments.as_slice() else {
        return Err("usage: fuzz-seed <fixtures> <corpus>".into());
    };
    for (target, _) in TARGETS {
        fs::create_dir_all(corpus.join(target))?;
    }
    let mut seeds = Seeds { corpus, count: 0 };
    for sstable in sstable_files::find(std::slice::from_ref(fixtures))? {
        // Fixtures that are damaged on purpose have their healthy neighbours.
        if let Err(error) = seeds.of(&sstable) {
            println!("{}: {error}", sstable.path("").display());
        }
    }
    println!("{} seeds in {}", seeds.count, corpus.display());
    match seeds.count {
        0 => Err(format!("no SSTable in {}", fixtures.display()).into()),
        _ => Ok(()),
    }
}

struct Seeds<'a> {
    corpus: &'a Path,
    count: u64,
}

impl Seeds<'_> {
    fn of(&mut self, sstable: &SstableFiles) -> Result<(), Failure> {
        let name = sstable.descriptor().to_string();
        self.put("names", format!("{name}-Data.db").as_bytes())?;
        let format = &sstable.descriptor().format;
        let Some(version) = Version::known(format) else {
            return Ok(());
        };
        let mut whole = Memory::new();
        for name in sstable.names() {
            whole.insert(name.clone(), fs::read(sstable.path(&name))?);
        }
        let format = format.to_string();
        let (statistics, data) = contents(&whole, version)?;
        let lean = lean(statistics).encode(version);
        self.archive("sstable", &format, whole.clone())?;
        self.small(&format, &whole)?;
        self.some(
            "index",
            &format,
            &whole,
            &[("Statistics.db", &lean)],
            "Index.db",
        )?;
        self.some(
            "trie",
            &format,
            &whole,
            &[("Rows.db", rows(&whole))],
            "Partitions.db",
        )?;
        self.some(
            "data",
            &format,
            &whole,
            &[("Statistics.db", &lean), ("Data.db", &data)],
            "Data.db",
        )?;
        self.some("codec", &format, &whole, &[], "Data.db")?;
        self.archive("sstable", &format, plain(whole, lean, data))
    }

    fn small(&mut self, format: &str, whole: &Memory) -> Result<(), Failure> {
        let data_len = whole.get("Data.db").map_or(0, Vec::len);
        for name in whole.keys() {
            let large = ["Data.db", "Index.db", "Partitions.db", "Rows.db"];
            if large.contains(&name.as_str()) {
                continue;
            }
            let mut archive = Archive::new(format, one(whole, name));
            archive.left = data_len as i64;
            self.put("small", &switched(&archive))?;
        }
        Ok(())
    }

    /// `component` with others; nothing where it is not there.
    fn some(
        &mut self,
        target: &str,
        format: &str,
        whole: &Memory,
        others: &[(&str, &[u8])],
        component: &str,
    ) -> Result<(), Failure> {
        let mut components = one(whole, component);
        if components.is_empty() {
            return Ok(());
        }
        for (name, bytes) in others {
            components.insert((*name).to_owned(), bytes.to_vec());
        }
        self.archive(target, format, components)
    }

    fn archive(&mut self, target: &str, format: &str, components: Memory) -> Result<(), Failure> {
        let mut archive = Archive::new(format, components);
        // Half of the ring.
        archive.right = i64::MAX;
        self.put(target, &switched(&archive))
    }

    fn put(&mut self, target: &str, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.len() > SEED_LEN_MAX {
            return Ok(());
        }
        fuzz_entries::run(target, bytes);
        if target == "sstable" {
            for complaint in fuzz_entries::complaints(&Archive::decode(bytes)) {
                println!("seed {}: {complaint}", self.count);
            }
        }
        let folder = self.corpus.join(target);
        fs::write(folder.join(format!("seed-{:04}", self.count)), bytes)?;
        self.count += 1;
        Ok(())
    }
}

/// With checksums that are made right.
fn switched(archive: &Archive) -> Vec<u8> {
    let mut bytes = archive.encode();
    bytes[1] = REPAIR_ALL;
    bytes
}

fn one(whole: &Memory, name: &str) -> Memory {
    let bytes = whole.get(name).cloned();
    bytes
        .into_iter()
        .map(|bytes| (name.to_owned(), bytes))
        .collect()
}

fn rows(whole: &Memory) -> &[u8] {
    whole.get("Rows.db").map_or(&[], Vec::as_slice)
}

/// Statistics, and the uncompressed data.
fn contents(whole: &Memory, version: Version) -> Result<(Statistics, Vec<u8>), Failure> {
    let bytes = whole.get("Statistics.db").ok_or("no Statistics.db")?;
    let statistics = Statistics::parse(bytes, version)?;
    let (layout, data) = DataLayout::of(whole, version, Some(&statistics))?;
    let mut uncompressed = Uncompressed::new(data, layout)?;
    let extent = uncompressed.extent();
    let mut data = vec![0; usize::try_from(extent.end - extent.start)?];
    uncompressed.read_exactly(&mut data)?;
    Ok((statistics, data))
}

/// Without its bulk, so that mutations hit what matters.
fn lean(mut statistics: Statistics) -> Statistics {
    let stats = &mut statistics.stats;
    stats.estimated_partition_size = EstimatedHistogram::new(1);
    stats.estimated_cell_per_partition_count = EstimatedHistogram::new(1);
    statistics
}

/// Not compressed, so that mutations change rows instead of what a compressor made of them.
fn plain(mut whole: Memory, statistics: Vec<u8>, data: Vec<u8>) -> Memory {
    whole.remove("CompressionInfo.db");
    whole.insert("Statistics.db".to_owned(), statistics);
    whole.insert("Data.db".to_owned(), data);
    let header = encode_crc_header(CRC_CHUNK_LENGTH).to_vec();
    whole.insert("CRC.db".to_owned(), header);
    let names: Vec<String> = whole.keys().cloned().collect();
    let toc = encode_toc(names.iter().map(String::as_str));
    whole.insert("TOC.txt".to_owned(), toc);
    whole
}
