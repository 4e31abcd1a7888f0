//! The file of the audit log: JSON lines, appended, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// What a file that is made may be used for, and by whom; one that exists keeps its own mode.
const MODE: u32 = 0o600;

/// Writes each line to the file that has the name at that moment, so that rotation by renaming needs no signal.
#[derive(Clone)]
pub(super) struct AuditFile(Arc<Inner>);

struct Inner {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    /// Whether the last line failed: that is reported once, not for each call.
    is_failing: bool,
}

impl AuditFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            open: Mutex::new(Open {
                file: open(path)?,
                is_failing: false,
            }),
        })))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(MODE)
        .open(path)
}

impl Inner {
    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.write_to(&mut open, line);
        if let Err(error) = &written
            && !open.is_failing
        {
            // Not through tracing, which this is a part of.
            eprintln!(
                "error: could not write to the audit log {}: {error}",
                self.path.display()
            );
        }
        open.is_failing = written.is_err();
        written
    }

    fn write_to(&self, open: &mut Open, line: &[u8]) -> io::Result<()> {
        if !is_at(&open.file, &self.path)? {
            open.file = self::open(&self.path)?;
        }
        open.file.write_all(line)
    }
}

/// Whether the open file still has this name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// tracing writes each event with one call.
pub(super) struct Line(Arc<Inner>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for AuditFile {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn lines_go_to_the_file_that_has_the_name_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let rotated = folder.path().join("audit.log.1");
        let audit = AuditFile::open(&path).unwrap();
        audit.make_writer().write_all(b"one\n").unwrap();
        std::fs::rename(&path, &rotated).unwrap();
        audit.make_writer().write_all(b"two\n").unwrap();
        audit.make_writer().write_all(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\nthree\n");
        for path in [path, rotated] {
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, MODE);
        }
    }
}
