//! Data.db's checksums, from a source that can be read at any offset.

use super::Verification;
use crate::checksums::DataChecksums;
use crate::digest::parse_digest;
use crate::error::{Error, Result};
use crate::layout::{DataLayout, open, read_whole};
use crate::statistics::Statistics;
use crate::{CRC, DATA, DIGEST, DIGEST_BYTES_MAX};

const READ_BYTES: u64 = 1 << 20;

impl Verification<'_> {
    /// Reads Data.db once, and returns whether it is undamaged.
    pub(super) fn data_checksums(&mut self, done: &mut dyn FnMut(u64)) -> Result<bool> {
        let Some(data) = open(self.components, DATA)? else {
            return Ok(false);
        };
        let before = self.report.damage.len();
        let digest = self.digest()?;
        let covered = self.statistics.as_ref().and_then(Statistics::covered);
        let layout = DataLayout::open(self.components, self.version, data.len(), covered);
        let layout = match self.note(layout)? {
            Some(layout) => layout,
            // The digest covers the whole file, whatever its chunks are.
            None => DataLayout::Plain { crc: None, base: 0 },
        };
        if let DataLayout::Plain { crc: None, .. } = layout
            && digest.is_none()
        {
            let what = format!("{DATA}: there is neither {DIGEST} nor {CRC} to check it with");
            self.report.warnings.push(what);
        }
        let mut checksums = DataChecksums::new(layout, data.len(), digest.is_some());
        let mut buffer = vec![0; READ_BYTES.min(data.len()) as usize];
        let mut at = 0;
        while at < data.len() {
            let len = (data.len() - at).min(READ_BYTES) as usize;
            let bytes = &mut buffer[..len];
            data.read_exact_at(at, bytes)
                .map_err(|source| Error::read(DATA, source))?;
            let updated = checksums.update(bytes);
            self.note(updated)?;
            at += len as u64;
            done(len as u64);
        }
        let damage = checksums.finish(digest)?;
        self.report.damage.extend(damage);
        Ok(self.report.damage.len() == before)
    }

    fn digest(&mut self) -> Result<Option<u32>> {
        let bytes = read_whole(self.components, DIGEST, DIGEST_BYTES_MAX);
        match self.note(bytes)? {
            Some(Some(bytes)) => {
                let digest = parse_digest(&bytes).map_err(Error::from);
                self.note(digest)
            }
            _ => Ok(None),
        }
    }
}
