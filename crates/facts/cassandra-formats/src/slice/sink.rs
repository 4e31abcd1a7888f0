//! The caller's files or memory that the components of a slice are written to.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use crate::error::{Error, Result};

/// One new component's bytes.
pub trait WriteSeek: Write + Seek + Send {}

impl<T: Write + Seek + Send> WriteSeek for T {}

/// Creates the components of one new SSTable, by name.
pub trait CreateComponents {
    /// Creates a component, which must not exist yet. The caller makes it durable when the slice is done.
    fn create(&mut self, component: &str) -> io::Result<Box<dyn WriteSeek>>;
}

/// A component that is being written; its errors name it.
pub(crate) struct Sink {
    component: &'static str,
    out: BufWriter<Box<dyn WriteSeek>>,
}

const BUFFER_BYTES: usize = 256 << 10;

impl Sink {
    pub fn create(create: &mut dyn CreateComponents, component: &'static str) -> Result<Self> {
        let out = create.create(component).map_err(|source| Error::Write {
            component: component.into(),
            source,
        })?;
        Ok(Self {
            component,
            out: BufWriter::with_capacity(BUFFER_BYTES, out),
        })
    }

    pub fn write_whole(
        create: &mut dyn CreateComponents,
        component: &'static str,
        bytes: &[u8],
    ) -> Result<()> {
        let mut sink = Self::create(create, component)?;
        sink.put(bytes)?;
        sink.finish()
    }

    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out
            .write_all(bytes)
            .map_err(|source| self.failed(source))
    }

    /// Flushes everything to the caller's writer.
    pub fn finish(&mut self) -> Result<()> {
        self.out.flush().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write {
            component: self.component.into(),
            source,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}
