//! How the bytes of a Data component are laid out, and what they are checked against.

use std::ops::Range;

use crate::compression_info::CompressionInfo;
use crate::crc::CrcFile;
use crate::error::{Error, Result};
use crate::source::{Components, ReadAt};
use crate::statistics::Statistics;
use crate::version::Version;
use crate::{COMPRESSION_INFO, CRC, DATA};

/// Opens a component; a failing source says which component it failed for.
pub fn open(
    components: &dyn Components,
    component: &'static str,
) -> Result<Option<Box<dyn ReadAt>>> {
    components
        .open(component)
        .map_err(|source| Error::read(component, source))
}

/// Reads a component that is small by nature as a whole; one that is bigger than `bytes_max` is not understood.
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

/// What Data.db's chunks are, and where their checksums are.
pub enum DataLayout {
    /// Each compressed chunk is followed by its CRC32.
    Compressed(Box<CompressionInfo>),
    /// CRC.db holds the checksums of what is not compressed.
    Plain {
        crc: Option<Box<CrcFile>>,
        /// The position of the first byte that is here; beyond 0 in a slice that DSE streamed.
        base: u64,
    },
}

impl DataLayout {
    /// `covered` is what of the original is here, for the slices that DSE streams without copying.
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

    /// Of the SSTable whose Statistics.db is known.
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
