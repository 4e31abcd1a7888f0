//! Index.db of the `big` format, streamed: each partition's key, where it begins in Data, and its row index.

use std::ops::Range;
use std::sync::Arc;

pub(crate) use crate::INDEX as COMPONENT;
use crate::bytes::{Cursor, put_uvint};
use crate::data::window::{Section, Window};
use crate::error::{Damage, Error};
use crate::source::ReadAt;

/// The most bytes of an entry without its key: the key's length and two variable-length integers.
const ENTRY_MAX_FIXED: usize = 2 + 9 + 9;

/// The entry of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry<'a> {
    /// Where the entry begins in Index.db.
    pub offset: u64,
    /// The serialized partition key.
    pub key: &'a [u8],
    /// Where the partition begins in the uncompressed data.
    pub data_position: u64,
    /// The bytes of Index.db that hold the partition's row index; empty for most partitions.
    pub promoted: Range<u64>,
}

impl IndexEntry<'_> {
    /// Where the next entry begins.
    pub fn end(&self) -> u64 {
        self.promoted.end
    }
}

/// Reads the entries in order, in constant memory.
pub struct IndexReader {
    source: Arc<dyn ReadAt>,
    window: Window<Section>,
    key: Vec<u8>,
    /// How many bytes of the last entry's row index have not been read.
    promoted_left: u64,
    /// Where the last entry began, and its data position.
    last: Option<(u64, u64)>,
}

impl IndexReader {
    /// Reads from the first entry on.
    pub fn new(source: Box<dyn ReadAt>) -> Self {
        Self::starting_at(source, 0)
    }

    /// Reads from `offset` on, which must be where an entry begins, such as
    /// [`Sample::index_position`](crate::summary::Sample::index_position).
    pub fn starting_at(source: Box<dyn ReadAt>, offset: u64) -> Self {
        let source: Arc<dyn ReadAt> = Arc::from(source);
        let window = window(&source, offset);
        Self {
            source,
            window,
            key: Vec::new(),
            promoted_left: 0,
            last: None,
        }
    }

    /// Goes to another entry. From then on positions are compared only with later ones.
    pub fn seek(&mut self, offset: u64) {
        self.window = window(&self.source, offset);
        self.promoted_left = 0;
        self.last = None;
    }

    /// The component's length in bytes.
    pub fn len(&self) -> u64 {
        self.source.len()
    }

    /// Whether the component has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next entry. Its row index is skipped unless it is read before the following entry is requested.
    pub fn next_entry(&mut self) -> Result<Option<IndexEntry<'_>>, Error> {
        // That it is inside the file was checked when its entry was read.
        self.window.skip(self.promoted_left).map_err(|e| *e)?;
        self.promoted_left = 0;
        let offset = self.window.offset();
        let bytes = self.window.fill(2).map_err(|e| *e)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let key_len = Cursor::at(COMPONENT, bytes, offset).u16("a key's length")?;
        let bytes = self
            .window
            .fill(ENTRY_MAX_FIXED + usize::from(key_len))
            .map_err(|e| *e)?;
        let mut cursor = Cursor::at(COMPONENT, bytes, offset);
        let key = cursor.u16_bytes("a key")?;
        self.key.clear();
        self.key.extend_from_slice(key);
        let position_at = cursor.offset();
        let data_position = cursor.uvint("a data position")?;
        let promoted_at = cursor.offset();
        let promoted_len = cursor.uvint("a row index's length")?;
        let start = cursor.offset();
        let left = self.source.len().saturating_sub(start);
        if promoted_len > left || promoted_len > i32::MAX as u64 {
            return Err(Damage::at(
                COMPONENT,
                promoted_at,
                format!(
                    "a row index of {promoted_len} bytes cannot be in the {left} that are left"
                ),
            )
            .into());
        }
        let consumed = cursor.position();
        self.window.consume(consumed);
        if let Some((_, last)) = self.last
            && data_position <= last
        {
            return Err(Damage::at(
                COMPONENT,
                position_at,
                format!("data positions must ascend, {data_position} follows {last}"),
            )
            .into());
        }
        self.last = Some((offset, data_position));
        self.promoted_left = promoted_len;
        Ok(Some(IndexEntry {
            offset,
            key: &self.key,
            data_position,
            promoted: start..start + promoted_len,
        }))
    }

    /// The window, positioned in the last entry's row index, and how many bytes of it are left.
    pub(crate) fn promoted(&mut self) -> (&mut Window<Section>, &mut u64) {
        (&mut self.window, &mut self.promoted_left)
    }

    pub(crate) fn source(&self) -> &Arc<dyn ReadAt> {
        &self.source
    }
}

fn window(source: &Arc<dyn ReadAt>, offset: u64) -> Window<Section> {
    let section = Section::new(source.clone(), offset, source.len());
    Window::new(COMPONENT, section, offset)
}

/// Appends an entry without its row index, which has `promoted_len` bytes. The row index counts from the partition's
/// start, so it can be copied together with the partition.
pub fn put_index_entry(out: &mut Vec<u8>, key: &[u8], data_position: u64, promoted_len: u64) {
    let key_len = u16::try_from(key.len()).expect("keys come from two-byte lengths");
    out.extend_from_slice(&key_len.to_be_bytes());
    out.extend_from_slice(key);
    put_uvint(out, data_position);
    put_uvint(out, promoted_len);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_entries() -> Vec<u8> {
        let mut out = Vec::new();
        put_index_entry(&mut out, b"one", 0, 0);
        put_index_entry(&mut out, b"two", 300, 5);
        out.extend_from_slice(b"index");
        put_index_entry(&mut out, &[7; 65_535], 1 << 40, 0);
        out
    }

    type Entry = (u64, Vec<u8>, u64, Range<u64>);

    fn read(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
        let mut reader = IndexReader::new(Box::new(bytes.to_vec()));
        let mut out = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            out.push((
                entry.offset,
                entry.key.to_vec(),
                entry.data_position,
                entry.promoted,
            ));
        }
        Ok(out)
    }

    #[test]
    fn entries_are_read_as_they_were_written() {
        let read = read(&three_entries()).expect("whole");
        let expected = [
            (0, b"one".to_vec(), 0, 7..7),
            (7, b"two".to_vec(), 300, 15..20),
            (20, vec![7; 65_535], 1 << 40, 65_564..65_564),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn an_index_that_ends_early_is_damage_unless_it_ends_between_entries() {
        let bytes = three_entries();
        for len in (0..100).chain([bytes.len() - 1, bytes.len()]) {
            let whole = [0, 7, 20, bytes.len()].contains(&len);
            let read = read(&bytes[..len]);
            assert_eq!(read.is_ok(), whole, "{len}: {read:?}");
        }
    }

    #[test]
    fn data_positions_must_ascend() {
        let mut bytes = Vec::new();
        put_index_entry(&mut bytes, b"a", 10, 0);
        put_index_entry(&mut bytes, b"b", 10, 0);
        let Err(Error::Damaged(damage)) = read(&bytes) else {
            panic!("the second position is not higher");
        };
        assert_eq!(damage.offset, Some(8));
    }

    #[test]
    fn reading_goes_on_from_where_an_entry_begins() {
        let mut reader = IndexReader::starting_at(Box::new(three_entries()), 7);
        let entry = reader.next_entry().expect("whole").expect("an entry");
        assert_eq!(entry.key, b"two");
        reader.seek(0);
        let entry = reader.next_entry().expect("whole").expect("an entry");
        assert_eq!(entry.key, b"one");
    }
}
