//! Reads an exported file line by line, and checks each.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{End, FORM, Header, Line, TransferError};
use crate::write::check_key;
use crate::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// The longest line: escapes may make a key six times as long.
const LINE_BYTES_MAX: u64 = (VALUE_BYTES_MAX + 6 * KEY_BYTES_MAX + 64) as u64;

/// The lines of a file, from the first entry on.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    header: Header,
    line: u64,
    last_key: Option<String>,
    entries: u64,
}

impl Lines {
    pub fn open(path: &Path) -> Result<Self, TransferError> {
        let failed = |source| TransferError::Path {
            path: path.to_owned(),
            source,
        };
        let mut lines = Self {
            path: path.to_owned(),
            reader: BufReader::new(File::open(path).map_err(failed)?),
            header: Header {
                ringkeep_state: 0,
                floor: 0,
            },
            line: 0,
            last_key: None,
            entries: 0,
        };
        let first = lines.text()?;
        lines.header = lines.parse(&first)?;
        match lines.header.ringkeep_state {
            FORM => Ok(lines),
            other => Err(lines.bad(format!(
                "it has form {other}, and this version knows {FORM}"
            ))),
        }
    }

    pub fn floor(&self) -> u64 {
        self.header.floor
    }

    /// The next entry; none after the last, if the file is whole.
    pub fn next(&mut self) -> Result<Option<Line>, TransferError> {
        let text = self.text()?;
        if let Ok(end) = serde_json::from_str::<End>(&text) {
            return self.end(end).map(|()| None);
        }
        let line: Line = self.parse(&text)?;
        if check_key(&line.key).is_err() {
            return Err(self.bad(format!("its key has not from 1 to {KEY_BYTES_MAX} bytes")));
        }
        let bytes = line.value.to_string().len();
        if bytes > VALUE_BYTES_MAX {
            return Err(self.bad(format!(
                "its value has {bytes} bytes; at most {VALUE_BYTES_MAX} are allowed"
            )));
        }
        if self.last_key.as_ref().is_some_and(|last| *last >= line.key) {
            return Err(self.bad("its key is not above the one before".to_owned()));
        }
        self.last_key = Some(line.key.clone());
        self.entries += 1;
        Ok(Some(line))
    }

    fn end(&mut self, end: End) -> Result<(), TransferError> {
        let entries = self.entries;
        if end.entries != entries {
            let wanted = end.entries;
            return Err(self.bad(format!(
                "it counts {wanted} entries, and there are {entries}"
            )));
        }
        let mut more = [0];
        match self.reader.read(&mut more)? {
            0 => Ok(()),
            _ => Err(self.bad("there is more behind it".to_owned())),
        }
    }

    fn text(&mut self) -> Result<String, TransferError> {
        self.line += 1;
        let mut text = String::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        let read = limited.read_line(&mut text);
        match read {
            Ok(_) if text.ends_with('\n') => Ok(text),
            Ok(0) => {
                Err(self.bad("the file ends before the line that counts its entries".to_owned()))
            }
            Ok(_) => Err(self.bad("it is cut off or too long".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Err(self.bad("it is not text".to_owned()))
            }
            Err(source) => Err(TransferError::Path {
                path: self.path.clone(),
                source,
            }),
        }
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, TransferError> {
        serde_json::from_str(text).map_err(|error| self.bad(error.to_string()))
    }

    fn bad(&self, what: String) -> TransferError {
        TransferError::Format {
            path: self.path.clone(),
            line: self.line,
            what,
        }
    }
}
