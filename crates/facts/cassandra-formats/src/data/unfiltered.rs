//! The two things that partitions hold: rows, and markers of ranges of deleted rows.

use std::io::Read;

use super::COMPONENT;
use super::clustering::{ClusteringKind, read_prefix};
use super::event::{Depth, Event, Marker};
use super::head::{check_previous, head, range};
use super::input::{Bytes, Input, Stop, Stream, damage};
use super::row::{self, BodyReader, RowBody};
use super::visitor::CellVisitor;
use super::walker::Walker;
use crate::error::Error;

/// Rows up to this length are decoded from memory, longer ones from a stream.
const HELD_ROW: u64 = 64 << 10;

impl<R: Read> Walker<R> {
    /// Reads a row, beginning with its size.
    pub(super) fn row_body<C: CellVisitor>(
        &mut self,
        flags: u8,
        is_static: bool,
        previous: u64,
        visitor: &mut C,
    ) -> Result<Option<RowBody>, Error> {
        let (size, consumed) = head(&mut self.window, "a row's size", 9, |i| i.uvint())?;
        self.window.consume(consumed);
        let start = self.window.offset();
        let mut reader = BodyReader {
            schema: &self.schema,
            flags,
            is_static,
            present: &mut self.present,
            path: &mut self.path,
            visitor,
        };
        let (decoded, left) = if self.depth == Depth::Clusterings {
            let mut input = Stream::new(COMPONENT, &mut self.window, size);
            let checked = check_previous(&mut input, previous);
            let left = input.left();
            (checked.and_then(|()| input.skip(left)).map(|()| None), 0)
        } else if size <= HELD_ROW {
            let bytes = self.window.fill(size as usize).map_err(|e| *e)?;
            let mut input = Bytes::new(
                COMPONENT,
                bytes.get(..size as usize).unwrap_or(bytes),
                start,
            );
            let decoded =
                check_previous(&mut input, previous).and_then(|()| reader.read(&mut input));
            let (position, left) = (input.position(), input.remaining());
            self.window.consume(position);
            (decoded.map(Some), left as u64)
        } else {
            let mut input = Stream::new(COMPONENT, &mut self.window, size);
            let decoded =
                check_previous(&mut input, previous).and_then(|()| reader.read(&mut input));
            (decoded.map(Some), input.left())
        };
        match decoded {
            Ok(body) if left == 0 => Ok(body),
            Ok(_) => {
                let what = format!(
                    "the row's size is {size}, its cells are {} bytes long",
                    size - left
                );
                Err(damage(COMPONENT, start, what).into())
            }
            Err(Stop::Failed(error)) => Err(*error),
            Err(Stop::Short) if self.data_ends_before(start.saturating_add(size)) => {
                let what = format!("the data ends within a row of {size} bytes");
                Err(damage(COMPONENT, start, what).into())
            }
            Err(Stop::Short) => {
                let what = format!("the row's size is {size}, its cells are longer");
                Err(damage(COMPONENT, start, what).into())
            }
        }
    }

    fn data_ends_before(&self, end: u64) -> bool {
        let at_hand = self.window.bytes().len() as u64;
        self.window.at_end() && self.window.offset().saturating_add(at_hand) < end
    }

    pub(super) fn marker(&mut self, flags: u8) -> Result<Event<'_>, Error> {
        let position = self.window.offset();
        if flags != row::IS_MARKER {
            let what = format!("flags {flags:#04x} are not those of a marker");
            return Err(damage(COMPONENT, position, what).into());
        }
        self.markers += 1;
        let (schema, previous) = (&self.schema, position - self.previous);
        let parse = |input: &mut Bytes<'_>| {
            input.u8()?;
            let kind = read_prefix(input, &schema.clustering)?;
            let bound_end = input.position();
            let size = input.uvint()?;
            let start = input.offset();
            check_previous(input, previous)?;
            let first = schema.deletion(input)?;
            let second = if kind.is_boundary() {
                Some(schema.deletion(input)?)
            } else {
                None
            };
            let len = input.offset() - start;
            if kind == ClusteringKind::Clustering || len != size {
                let what =
                    format!("a marker of kind {kind:?} and size {size}, it is {len} bytes long");
                return Err(input.damage_at(start, what));
            }
            let (ends, starts) = match (kind.is_end(), second) {
                (_, Some(second)) => (Some(first), Some(second)),
                (true, None) => (Some(first), None),
                (false, None) => (None, Some(first)),
            };
            Ok((kind, bound_end, ends, starts))
        };
        let ((kind, bound_end, ends, starts), consumed) =
            head(&mut self.window, "a marker", 128, parse)?;
        if ends != self.open {
            let what = format!(
                "a marker ends {}, {} is open",
                range(ends),
                range(self.open)
            );
            return Err(damage(COMPONENT, position, what).into());
        }
        self.open = starts;
        self.clustering.clear();
        let bytes = self.window.bytes().get(1..bound_end);
        self.clustering.extend_from_slice(bytes.unwrap_or_default());
        self.window.consume(consumed);
        self.previous = position;
        Ok(Event::Marker(Marker {
            position,
            end: self.window.offset(),
            bound: &self.clustering,
            kind,
            ends,
            starts,
        }))
    }
}
