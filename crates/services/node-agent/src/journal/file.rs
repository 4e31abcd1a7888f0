//! A file of whole lines: an append that fails leaves nothing behind.

use std::fs::File;
use std::io::{self, Write};

/// What a journal needs of its file.
pub(super) trait Disk: Write + Send {
    fn sync(&self) -> io::Result<()>;
    fn cut(&self, bytes: u64) -> io::Result<()>;
}

impl Disk for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

pub(super) struct LineFile {
    disk: Box<dyn Disk>,
    /// Whole lines that are on disk.
    good_bytes: u64,
    /// What a failed append left could not be cut off: another line behind it would read as damage in the middle.
    is_broken: bool,
}

impl LineFile {
    /// Of a file that is open for appending and has this many bytes.
    pub fn new(disk: impl Disk + 'static, good_bytes: u64) -> Self {
        Self {
            disk: Box::new(disk),
            good_bytes,
            is_broken: false,
        }
    }

    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other(
                "an earlier append failed and could not be taken back",
            ));
        }
        let appended = self.disk.write_all(line).and_then(|()| self.disk.sync());
        match appended {
            Ok(()) => {
                self.good_bytes += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                let cut = self.disk.cut(self.good_bytes);
                self.is_broken = cut.and_then(|()| self.disk.sync()).is_err();
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A disk that is full after so many bytes.
    #[derive(Clone, Default)]
    struct FullDisk(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        bytes: Vec<u8>,
        room: usize,
        cuts: bool,
    }

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock().unwrap();
            let taken = bytes.len().min(state.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.room -= taken;
            state.bytes.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk for FullDisk {
        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn cut(&self, bytes: u64) -> io::Result<()> {
            let mut state = self.0.lock().unwrap();
            if !state.cuts {
                return Err(io::ErrorKind::Other.into());
            }
            state.bytes.truncate(bytes as usize);
            Ok(())
        }
    }

    #[test]
    fn an_append_that_fails_in_the_middle_never_hides_the_next() {
        for cuts in [true, false] {
            let disk = FullDisk::default();
            let mut file = LineFile::new(disk.clone(), 0);
            let set = |room| {
                let mut state = disk.0.lock().unwrap();
                (state.room, state.cuts) = (room, cuts);
            };
            set(6);
            file.append(b"1\n").unwrap();
            file.append(b"333333\n").unwrap_err();
            set(100);
            let next = file.append(b"22\n");
            let found = disk.0.lock().unwrap().bytes.clone();
            match cuts {
                true => assert_eq!(
                    (next.is_ok(), found.as_slice()),
                    (true, b"1\n22\n".as_slice())
                ),
                // Opening it again cuts off the torn last line.
                false => assert_eq!(
                    (next.is_ok(), found.as_slice()),
                    (false, b"1\n3333".as_slice())
                ),
            }
        }
    }
}
