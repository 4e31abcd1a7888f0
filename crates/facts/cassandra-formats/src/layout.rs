//! How the bytes of Data.db are laid out, and which checksums they are compared with.

use std::ops::Range;

use crate::compression_info::CompressionInfo;
use crate::crc::CrcFile;
use crate::error::{Error, Result};
use crate::source::{Components, ReadAt};
use crate::statistics::Statistics;
use crate::version::Version;
use crate::{COMPRESSION_INFO, CRC, DATA};

/// Opens a component; the error of a failing source names the component.
pub fn open(
    components: &dyn Components,
    component: &'static str,
) -> Result<Option<Box<dyn ReadAt>>> {
    components
        .open(component)
        .map_err(|source| Error::read(component, source))
}

/// Reads a small component as a whole; one that is larger than `bytes_max` is unsupported.
pub fn read_whole(
    components: &dyn Components,
    component: &'static str,
    bytes_max: u64,
) -> Result<Option<Vec<u8>>> {
    let Some(source) = open(components, component)? else {
        return Ok(None);
    };
    if source.len() > bytes_max {
        return Err(Error::unsupported(
            component,
            format!(
                "it has {} bytes, {bytes_max} at most are read",
                source.len()
            ),
        ));
    }
    let mut bytes = vec![0; source.len() as usize];
    source
        .read_exact_at(0, &mut bytes)
        .map_err(|source| Error::read(component, source))?;
    Ok(Some(bytes))
}

/// The chunks of Data.db, and where their checksums are.
pub enum DataLayout {
    /// Each compressed chunk is followed by its CRC32.
    Compressed(Box<CompressionInfo>),
    /// Data is not compressed; CRC.db holds the checksums of its chunks.
    Plain {
        /// The checksums; `None` if there is no CRC.db.
        crc: Option<Box<CrcFile>>,
        /// The position of Data.db's first byte; above 0 in a zero-copy-streamed SSTable.
        base: u64,
    },
}

impl DataLayout {
    /// Opens the component with the checksums. `covered` are the positions of the original that are here, for a
    /// zero-copy-streamed SSTable.
    pub fn open(
        components: &dyn Components,
        version: Version,
        data_len: u64,
        covered: Option<Range<u64>>,
    ) -> Result<Self> {
        if let Some(source) = open(components, COMPRESSION_INFO)? {
            let info = match covered {
                None => CompressionInfo::open(source, version, data_len)?,
                Some(covered) => CompressionInfo::open_slice(source, version, data_len, covered)?,
            };
            return Ok(Self::Compressed(Box::new(info)));
        }
        let base = |crc: &CrcFile| {
            let start = covered.as_ref().map_or(0, |covered| covered.start);
            start - start % u64::from(crc.chunk_length)
        };
        let Some(source) = open(components, CRC)? else {
            return Ok(Self::Plain { crc: None, base: 0 });
        };
        let crc = match covered.clone() {
            None => CrcFile::open(source, data_len)?,
            Some(covered) => CrcFile::open_slice(source, data_len, covered)?,
        };
        Ok(Self::Plain {
            base: base(&crc),
            crc: Some(Box::new(crc)),
        })
    }

    /// The same, together with Data.db itself, for an SSTable whose Statistics.db is known.
    pub fn of(
        components: &dyn Components,
        version: Version,
        statistics: Option<&Statistics>,
    ) -> Result<(Self, Box<dyn ReadAt>)> {
        let data = open(components, DATA)?
            .ok_or_else(|| crate::Damage::whole(DATA, "the component is missing"))?;
        let covered = statistics.and_then(Statistics::covered);
        let layout = Self::open(components, version, data.len(), covered)?;
        Ok((layout, data))
    }
}
