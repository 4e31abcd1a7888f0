//! All that readers take from an SSTable, so that two can be compared.

use std::fmt::Write;
use std::sync::Arc;

use cassandra_formats::bti::{Partitions, Rows, Target};
use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::crc::CrcFile;
use cassandra_formats::data::{Cell, CellVisitor, DeletionTime, Depth, Schema, Walker};
use cassandra_formats::index::IndexReader;
use cassandra_formats::promoted::PromotedReader;
use cassandra_formats::source::ReadAt;
use cassandra_formats::statistics::Statistics;
use cassandra_formats::{DataLayout, Error, Result, Uncompressed, Version};

use crate::folders::Memory;

fn component(components: &Memory, name: &str) -> Box<dyn ReadAt> {
    Box::new(components.get(name).cloned().unwrap_or_default())
}

pub fn statistics(components: &Memory, version: Version) -> Result<Statistics> {
    Statistics::parse(&components["Statistics.db"], version)
}

/// Cells and deletions in words.
struct Cells(String);

impl CellVisitor for Cells {
    fn cell(&mut self, cell: &Cell) {
        writeln!(self.0, "{cell:?}").expect("a string");
    }

    fn complex_deletion(&mut self, column: usize, deletion: DeletionTime) {
        writeln!(self.0, "column {column} {deletion:?}").expect("a string");
    }
}

/// Each partition, row, marker and cell as the walker reports it.
pub fn rows(components: &Memory, version: Version) -> Result<String> {
    let statistics = statistics(components, version)?;
    let schema = Schema::new(&statistics.header, version).map_err(Error::from)?;
    let (layout, data) = DataLayout::of(components, version, Some(&statistics))?;
    let data = Uncompressed::new(data, layout)?;
    let mut walker = Walker::new(Arc::new(schema), Depth::Cells, data, 0);
    let mut cells = Cells(String::new());
    let mut text = String::new();
    loop {
        let event = walker
            .next_with(&mut cells)?
            .map(|event| format!("{event:?}"));
        let is_end = event.is_none();
        writeln!(text, "{}{event:?}", cells.0).expect("a string");
        cells.0.clear();
        if is_end {
            return Ok(text);
        }
    }
}

/// The uncompressed bytes of Data.
pub fn bytes(components: &Memory, version: Version) -> Result<Vec<u8>> {
    let (layout, data) = DataLayout::of(components, version, None)?;
    let mut data = Uncompressed::new(data, layout)?;
    let extent = data.extent();
    let mut bytes = vec![0; (extent.end - extent.start) as usize];
    data.seek(extent)?;
    data.read_exactly(&mut bytes)?;
    Ok(bytes)
}

/// What Cassandra reads of CompressionInfo.db: its chunks, and which of them are stored as they are.
pub fn chunks(components: &Memory, version: Version) -> Result<String> {
    let source = component(components, "CompressionInfo.db");
    let data_len = components["Data.db"].len() as u64;
    let mut info = CompressionInfo::open(source, version, data_len)?;
    let mut text = format!(
        "{:?} {:?} {} {}",
        info.compressor, info.parameters, info.chunk_length, info.data_length
    );
    for index in 0..info.chunk_count {
        let chunk = info.chunk(index)?;
        let is_raw = info
            .max_compressed_length
            .is_some_and(|max| chunk.stored_len >= max);
        writeln!(text, "{chunk:?} {is_raw}").expect("a string");
    }
    Ok(text)
}

/// The checksums of CRC.db, each with the bytes of Data.db that it is of.
pub fn checksums(components: &Memory) -> Result<String> {
    let data_len = components["Data.db"].len() as u64;
    let mut crc = CrcFile::open(component(components, "CRC.db"), data_len)?;
    let length = u64::from(crc.chunk_length);
    let mut text = String::new();
    for index in 0..crc.chunk_count {
        let end = (index * length + length).min(data_len);
        let checksum = crc.checksum(index)?;
        writeln!(text, "{}..{end} {checksum}", index * length).expect("a string");
    }
    Ok(text)
}

/// Entries and row indexes. The last block of a row index may include the byte that ends the partition or not:
/// writers do both and readers stop at that byte, so it is left out.
pub fn big_index(components: &Memory, version: Version) -> Result<String> {
    let statistics = statistics(components, version)?;
    let schema = Arc::new(Schema::new(&statistics.header, version).map_err(Error::from)?);
    let data_end = bytes(components, version)?.len() as u64;
    let mut entries = Vec::new();
    let mut index = IndexReader::new(component(components, "Index.db"));
    while let Some(entry) = index.next_entry()? {
        let (head, position) = (format!("{entry:?}"), entry.data_position);
        let mut blocks = Vec::new();
        if !entry.promoted.is_empty() {
            let mut reader = PromotedReader::new(&mut index, schema.clone())?;
            while let Some(block) = reader.next_block()? {
                blocks.push(block.clone());
            }
            let head = format!("{head} {} {:?}", reader.header_len(), reader.deletion());
            entries.push((head, position, blocks));
        } else {
            entries.push((head, position, blocks));
        }
    }
    for at in 0..entries.len() {
        let end = entries.get(at + 1).map_or(data_end, |entry| entry.1);
        let (_, position, blocks) = &mut entries[at];
        if let Some(last) = blocks.last_mut()
            && last.end() == end - *position
        {
            last.width -= 1;
        }
    }
    Ok(format!("{entries:?}"))
}

/// All leaves of Partitions.db and what they lead to in Rows.db, with the blocks there.
pub fn bti_index(components: &Memory, version: Version, with_separators: bool) -> Result<String> {
    let partitions = Partitions::open(component(components, "Partitions.db"))?;
    let rows = Rows::open(component(components, "Rows.db"), version);
    let mut text = format!(
        "{:?} {:?} {}",
        partitions.first_key(),
        partitions.last_key(),
        partitions.count()
    );
    let mut walk = partitions.walk();
    while let Some(leaf) = walk.next()? {
        let (prefix, hash, target) = (leaf.prefix.to_vec(), leaf.hash, leaf.target);
        writeln!(text, "{prefix:?} {hash:?} {target:?}").expect("a string");
        let Target::Rows(position) = target else {
            continue;
        };
        let entry = rows.entry(position)?;
        let (key, data, count) = (&entry.key, entry.data_position, entry.block_count);
        writeln!(text, "{key:?} {data} {count} {:?}", entry.deletion).expect("a string");
        let mut blocks = rows.blocks(&entry);
        while let Some(block) = blocks.next()? {
            let separator = with_separators.then_some(block.separator);
            let (offset, open) = (block.offset, block.open);
            writeln!(text, "{separator:?} {offset} {open:?}").expect("a string");
        }
    }
    Ok(text)
}
