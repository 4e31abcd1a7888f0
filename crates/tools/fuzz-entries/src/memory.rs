//! Components that are written into memory.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use cassandra_formats::slice::{CreateComponents, WriteSeek};

type File = Arc<Mutex<Cursor<Vec<u8>>>>;

#[derive(Default)]
pub struct Written(BTreeMap<String, File>);

impl Written {
    pub fn into_components(self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |file: File| {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(file.get_mut())
        };
        self.0
            .into_iter()
            .map(|(name, file)| (name, bytes(file)))
            .collect()
    }
}

impl CreateComponents for Written {
    fn create(&mut self, component: &str) -> io::Result<Box<dyn WriteSeek>> {
        let file = File::default();
        let before = self.0.insert(component.to_owned(), Arc::clone(&file));
        assert!(before.is_none(), "{component} is written once");
        Ok(Box::new(Shared(file)))
    }
}

struct Shared(File);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(to)
    }
}
