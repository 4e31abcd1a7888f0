//! Walks Data from partition to partition and from row to row, and checks that sizes and order agree.

use std::io::Read;
use std::sync::Arc;

use super::clustering::{ClusteringKind, skip_values};
use super::deletion::{DeletionTime, read_deletion_time};
use super::event::{Depth, Event, Partition, PartitionEnd, Row};
use super::head::{check_row_flags, head, range};
use super::input::{Bytes, Input, damage};
use super::row::{self, RowBody};
use super::visitor::CellVisitor;
use super::{COMPONENT, Schema};
use crate::data::window::Window;
use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Partition,
    StaticRow,
    Unfiltered,
}

/// Decodes uncompressed data into events, in constant memory.
pub struct Walker<R> {
    pub(super) schema: Arc<Schema>,
    pub(super) window: Window<R>,
    pub(super) depth: Depth,
    next: Next,
    key: Vec<u8>,
    pub(super) clustering: Vec<u8>,
    pub(super) present: Vec<bool>,
    pub(super) path: Vec<u8>,
    /// Where the partition began, and its last row or marker.
    partition: u64,
    pub(super) previous: u64,
    header_len: u64,
    rows: u64,
    pub(super) markers: u64,
    pub(super) open: Option<DeletionTime>,
}

impl<R: Read> Walker<R> {
    /// `reader` must give uncompressed data from the start of a partition to the end of one; `position` is the offset
    /// of that start.
    pub fn new(schema: Arc<Schema>, depth: Depth, reader: R, position: u64) -> Self {
        Self {
            schema,
            window: Window::new(COMPONENT, reader, position),
            depth,
            next: Next::Partition,
            key: Vec::new(),
            clustering: Vec::new(),
            present: Vec::new(),
            path: Vec::new(),
            partition: position,
            previous: position,
            header_len: 0,
            rows: 0,
            markers: 0,
            open: None,
        }
    }

    /// The layout that the rows are decoded with.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The offset in the uncompressed data of the first byte that is not decoded yet.
    pub fn position(&self) -> u64 {
        self.window.offset()
    }

    /// The key of the last partition that an event announced.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The deletion of the range that is open behind the last row or marker.
    pub fn open(&self) -> Option<DeletionTime> {
        self.open
    }

    /// The next event, without its cells.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        self.next_with(&mut ())
    }

    /// The next event, after `visitor` has received its cells.
    pub fn next_with<C: CellVisitor>(
        &mut self,
        visitor: &mut C,
    ) -> Result<Option<Event<'_>>, Error> {
        match self.next {
            Next::Partition => self.start_partition(),
            Next::StaticRow => self.static_row(visitor),
            Next::Unfiltered => self.unfiltered(visitor),
        }
    }

    fn start_partition(&mut self) -> Result<Option<Event<'_>>, Error> {
        let position = self.window.offset();
        if self.window.fill(1).map_err(|e| *e)?.is_empty() {
            return Ok(None);
        }
        let (key, version) = (&mut self.key, self.schema.version);
        let parse = |input: &mut Bytes<'_>| {
            let len = input.u16()?;
            let bytes = input.take(len.into())?;
            key.clear();
            key.extend_from_slice(bytes);
            read_deletion_time(input, version)
        };
        let (deletion, consumed) = head(&mut self.window, "a partition's key", 64, parse)?;
        self.window.consume(consumed);
        self.next = if self.schema.statics.is_empty() {
            Next::Unfiltered
        } else {
            Next::StaticRow
        };
        self.partition = position;
        self.previous = position;
        self.header_len = self.window.offset() - position;
        (self.rows, self.markers, self.open) = (0, 0, None);
        self.clustering.clear();
        Ok(Some(Event::Partition(Partition {
            position,
            key: &self.key,
            deletion,
        })))
    }

    fn static_row<C: CellVisitor>(&mut self, visitor: &mut C) -> Result<Option<Event<'_>>, Error> {
        let position = self.window.offset();
        let parse = |input: &mut Bytes<'_>| Ok((input.u8()?, input.u8()?));
        let ((flags, extended), consumed) = head(&mut self.window, "a static row", 2, parse)?;
        check_row_flags(position, flags, extended, true)?;
        self.window.consume(consumed);
        self.clustering.clear();
        self.next = Next::Unfiltered;
        let body = self.row_body(flags, true, 0, visitor)?;
        self.header_len = self.window.offset() - self.partition;
        Ok(Some(Event::StaticRow(self.row(position, body))))
    }

    fn unfiltered<C: CellVisitor>(&mut self, visitor: &mut C) -> Result<Option<Event<'_>>, Error> {
        let position = self.window.offset();
        let flags = head(&mut self.window, "a partition", 1, |i| i.u8())?.0;
        if flags & row::END_OF_PARTITION != 0 {
            return self.end_partition(flags).map(Some);
        }
        if flags & row::IS_MARKER != 0 {
            return self.marker(flags).map(Some);
        }
        self.rows += 1;
        let shapes = &self.schema.clustering;
        let parse = |input: &mut Bytes<'_>| {
            let flags = input.u8()?;
            let extended = match flags & row::EXTENSION_FLAG {
                0 => 0,
                _ => input.u8()?,
            };
            let start = input.position();
            skip_values(input, shapes)?;
            Ok((extended, start))
        };
        let ((extended, start), consumed) = head(&mut self.window, "a clustering", 64, parse)?;
        check_row_flags(position, flags, extended, false)?;
        self.clustering.clear();
        self.clustering.push(ClusteringKind::Clustering as u8);
        let bytes = self.window.bytes().get(start..consumed);
        self.clustering.extend_from_slice(bytes.unwrap_or_default());
        self.window.consume(consumed);
        let previous = position - self.previous;
        let body = self.row_body(flags, false, previous, visitor)?;
        self.previous = position;
        Ok(Some(Event::Row(self.row(position, body))))
    }

    fn row(&self, position: u64, body: Option<RowBody>) -> Row<'_> {
        Row {
            position,
            end: self.window.offset(),
            clustering: &self.clustering,
            body,
        }
    }

    fn end_partition(&mut self, flags: u8) -> Result<Event<'_>, Error> {
        let position = self.window.offset();
        if flags != row::END_OF_PARTITION || self.open.is_some() {
            let what = format!(
                "the partition ends with flags {flags:#04x}, {} is open",
                range(self.open)
            );
            return Err(damage(COMPONENT, position, what).into());
        }
        self.window.consume(1);
        self.next = Next::Partition;
        Ok(Event::End(PartitionEnd {
            position: self.partition,
            end: self.window.offset(),
            header_len: self.header_len,
            rows: self.rows,
            markers: self.markers,
            last: &self.clustering,
        }))
    }
}
