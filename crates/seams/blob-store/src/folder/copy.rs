//! Copies an object by giving its file a second name.

use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::durable::Durable;
use super::link::link;
use crate::Put;

/// Why an object was not copied.
#[derive(Debug)]
pub enum CopyError {
    /// The source has this size, and may have those.
    Size(u64, RangeInclusive<u64>),
    /// The file system gives this file no second name there.
    NotLinked(io::Error),
    Source(io::Error),
    Target(io::Error),
}

/// Links the file of an object to a second name unless that exists. Everything is on the disk when this returns. As objects
/// are never written again, each name stands for the same bytes for as long as it is there, whatever becomes of the other.
pub fn copy_durably(
    root: &Path,
    durable: &Durable,
    source: &Path,
    path: &Path,
    sizes: &RangeInclusive<u64>,
) -> Result<Put, CopyError> {
    let found = std::fs::metadata(source).map_err(CopyError::Source)?;
    if !found.is_file() {
        return Err(CopyError::Source(ErrorKind::NotFound.into()));
    }
    if !sizes.contains(&found.len()) {
        return Err(CopyError::Size(found.len(), sizes.clone()));
    }
    // Its writer may have died before it flushed it.
    durable.flush(source).map_err(CopyError::Source)?;
    let put = link(root, durable, source, path).map_err(|error| match error.kind() {
        // Of the target nothing can be missing: its folders are made.
        ErrorKind::NotFound => CopyError::Source(error),
        _ if is_no_link(error.kind()) => CopyError::NotLinked(error),
        _ => CopyError::Target(error),
    })?;
    if put == Put::Created {
        let linked = std::fs::metadata(path).map_err(CopyError::Target)?;
        if (linked.dev(), linked.ino()) != (found.dev(), found.ino()) {
            let other = io::Error::other("another file took the place of the source");
            return Err(CopyError::NotLinked(other));
        }
    }
    Ok(put)
}

/// Whether a file system refuses hard links, or this one. A kernel refuses those to the files of another user, too.
fn is_no_link(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::CrossesDevices
            | ErrorKind::TooManyLinks
            | ErrorKind::Unsupported
            | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_same_file_and_outlives_its_source() {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("a/from"), dir.path().join("b/c/to"));
        std::fs::create_dir(dir.path().join("a")).expect("made");
        std::fs::write(&from, "bytes").expect("written");
        let durable = Durable::default();
        let copy = || copy_durably(dir.path(), &durable, &from, &to, &(5..=5));
        assert!(matches!(copy(), Ok(Put::Created)));
        let flushed = durable.flushed.lock().expect("not poisoned").clone();
        for path in [&from, to.parent().expect("a folder")] {
            assert!(flushed.iter().any(|at| at == path), "{path:?}: {flushed:?}");
        }
        assert!(matches!(copy(), Ok(Put::Exists)));
        std::fs::remove_file(&from).expect("removed");
        assert_eq!(std::fs::read_to_string(&to).expect("read"), "bytes");
        assert!(matches!(copy(), Err(CopyError::Source(_))));
    }

    #[test]
    fn a_file_that_can_have_no_second_name_is_not_copied() {
        // EXDEV, EMLINK, EPERM, EOPNOTSUPP
        for code in [18, 31, 1, 95] {
            let error = io::Error::from_raw_os_error(code);
            assert!(is_no_link(error.kind()), "{error}");
        }
        assert!(!is_no_link(ErrorKind::StorageFull));
    }
}
