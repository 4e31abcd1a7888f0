//! A file of whole lines: an append that fails leaves nothing behind.

use std::fs::File;
use std::io::{self, Write};

/// What a disk writes as a whole, at the least.
const BLOCK_BYTES: u64 = 4096;

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

    /// Appends whole lines. If that fails, the first of them may be there.
    pub fn append(&mut self, mut lines: &[u8]) -> io::Result<()> {
        while !lines.is_empty() {
            let (now, later) = lines.split_at(self.written_at_once(lines));
            self.write(now)?;
            lines = later;
        }
        Ok(())
    }

    /// How much of these lines is one write: up to the first line that reaches the end of a block. Blocks may come to the
    /// disk in any order; so whichever of them a power cut leaves out, only the last line that it leaves is torn.
    fn written_at_once(&self, lines: &[u8]) -> usize {
        let in_block = self.good_bytes % BLOCK_BYTES;
        let last_of_block = (BLOCK_BYTES - in_block) as usize - 1;
        let rest = lines.get(last_of_block..).unwrap_or_default();
        let line_end = rest.iter().position(|&byte| byte == b'\n');
        line_end.map_or(lines.len(), |at| last_of_block + at + 1)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other(
                "an earlier append failed and could not be taken back",
            ));
        }
        let written = self.disk.write_all(lines).and_then(|()| self.disk.sync());
        match written {
            Ok(()) => {
                self.good_bytes += lines.len() as u64;
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

    /// Keeps each write, and syncs nothing.
    #[derive(Clone, Default)]
    struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk for Writes {
        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn cut(&self, _bytes: u64) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whichever_block_a_power_cut_leaves_out_only_the_last_line_is_torn() {
        for line_bytes in [1, 2, 100, 600, 2047, 4095, 4096, 4097, 9000] {
            let writes = Writes::default();
            let mut file = LineFile::new(writes.clone(), 0);
            let line = [vec![b'7'; line_bytes - 1], b"\n".to_vec()].concat();
            file.append(&line.repeat(3)).unwrap();
            file.append(&line.repeat(40)).unwrap();
            let writes = writes.0.lock().unwrap().clone();
            assert_eq!(writes.concat(), line.repeat(43));
            let mut before = Vec::new();
            for write in writes {
                let whole = [before.clone(), write].concat();
                let block = BLOCK_BYTES as usize;
                for lost in before.len() / block..whole.len().div_ceil(block) {
                    let mut found = whole.clone();
                    let end = found.len().min((lost + 1) * block);
                    found[before.len().max(lost * block)..end].fill(0);
                    let mut lines: Vec<_> = found.split_inclusive(|&byte| byte == b'\n').collect();
                    lines.pop();
                    assert!(
                        lines.iter().all(|found| *found == line),
                        "lines of {line_bytes}, block {lost}"
                    );
                }
                before = whole;
            }
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
