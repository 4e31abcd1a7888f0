use std::collections::BTreeMap;

use cassandra_formats::parse_file_name;
use cassandra_formats::source::ReadAt;

use super::*;

const DATA: &[u8] = b"rows";

/// Components in memory; those without bytes cannot be read.
struct InMemory(BTreeMap<&'static str, Option<Vec<u8>>>);

impl Components for InMemory {
    fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }

    fn open(&self, component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        match self.0.get(component) {
            Some(Some(bytes)) => Ok(Some(Box::new(bytes.clone()))),
            Some(None) => Err(io::ErrorKind::PermissionDenied.into()),
            None => Ok(None),
        }
    }
}

fn begin(digest: Option<&str>) -> Result<StreamingCheck, UnreadableComponent> {
    let (descriptor, _) = parse_file_name("nb-1-big-Data.db").unwrap();
    let digest = digest.map(|text| text.as_bytes().to_vec());
    let sstable = InMemory([("Digest.crc32", digest)].into());
    StreamingCheck::begin(&sstable, &descriptor, "Data.db")
}

fn damage_with(digest: &str) -> Vec<Damage> {
    let mut check = begin(Some(digest)).unwrap();
    for byte in DATA.chunks(1) {
        check.update(byte).unwrap();
    }
    check.finish().unwrap();
    check.into_damage()
}

#[test]
fn bytes_that_pass_are_compared_with_the_digest() {
    let sound = crc32fast::hash(DATA).to_string();
    assert_eq!(damage_with(&sound), []);
    let damage = damage_with("1");
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert_eq!(damage[0].component, "Data.db");
}

#[test]
fn a_component_that_cannot_be_read_is_named() {
    let error = begin(None).err().expect("an error");
    assert_eq!(error.component, "Digest.crc32");
    assert_eq!(error.source.kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn a_check_of_nothing_takes_everything() {
    let mut check = StreamingCheck::default();
    assert!(!check.is_checking());
    check.update(DATA).unwrap();
    check.finish().unwrap();
    assert_eq!(check.into_damage(), []);
}
