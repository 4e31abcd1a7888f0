use super::*;
use crate::java::write::Writer;

fn read(bytes: &[u8]) -> Result<(Tree, Value), ReadError> {
    let mut reader = Reader::new(bytes)?;
    let value = reader.value()?;
    Ok((reader.into_tree(), value))
}

fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.into_bytes()
}

#[test]
fn what_is_written_is_read_again() {
    let long = "x".repeat(70_000);
    for text in ["", "Größe", &long] {
        let (tree, value) = read(&written(|it| it.text(text))).unwrap();
        assert_eq!(tree.text(value), Some(text));
    }
    let (tree, value) = read(&written(|it| it.integer(-5))).unwrap();
    assert_eq!(tree.object(value).unwrap().0, "java.lang.Integer");
    assert_eq!(tree.field(value, "value"), Some(Value::Int(-5)));
    let (tree, value) = read(&written(|it| it.texts(&["a", "b"]))).unwrap();
    let texts: Vec<_> = tree
        .array(value)
        .unwrap()
        .iter()
        .map(|it| tree.text(*it))
        .collect();
    assert_eq!(texts, [Some("a"), Some("b")]);
    let set = written(|it| it.text_set(&["a".to_owned()]));
    let (tree, value) = read(&set).unwrap();
    let (_, parts) = tree.object(value).unwrap();
    assert_eq!(tree.text(parts[0].values[0]), Some("a"));
}

#[test]
fn sizes_and_depth_are_checked_before_memory_is_taken() {
    let array = |length: i32| {
        let mut bytes = written(|it| it.objects(0));
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(&length.to_be_bytes());
        bytes
    };
    assert!(read(&array(0)).is_ok());
    assert_eq!(read(&array(1)).unwrap_err(), ReadError::Cut);
    assert_eq!(read(&array(-1)).unwrap_err(), ReadError::Cut);
    assert_eq!(read(&array(i32::MAX)).unwrap_err(), ReadError::Items);
    let mut nested = MAGIC.to_vec();
    for _ in 0..10_000 {
        nested.extend(&array(1)[MAGIC.len()..]);
    }
    assert_eq!(read(&nested).unwrap_err(), ReadError::Depth);
}

#[test]
fn a_reference_leads_only_to_what_was_read() {
    let reference = |number: u32| [&MAGIC[..], &[tag::REFERENCE], &number.to_be_bytes()].concat();
    for number in [0, FIRST_HANDLE, FIRST_HANDLE + 1, u32::MAX] {
        assert_eq!(read(&reference(number)).unwrap_err(), ReadError::Reference);
    }
    // An object whose class is a text.
    let mut bytes = written(|it| it.objects(2));
    bytes.extend([tag::STRING, 0, 1, b'a', tag::OBJECT, tag::REFERENCE]);
    bytes.extend((FIRST_HANDLE + 2).to_be_bytes());
    assert_eq!(read(&bytes).unwrap_err(), ReadError::Reference);
}

#[test]
fn a_small_stream_does_not_become_large() {
    // Many objects of one class with a long name, each of a few bytes.
    let name = "x".repeat(60_000);
    let mut bytes = written(|it| it.objects(0));
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&400_000_i32.to_be_bytes());
    bytes.extend([tag::OBJECT, tag::CLASS_DESCRIPTION]);
    bytes.extend((name.len() as u16).to_be_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend([0; 8]);
    bytes.extend([flag::SERIALIZABLE, 0, 0, tag::END_OF_BLOCKS, tag::NULL]);
    for _ in 1..400_000 {
        bytes.extend([tag::OBJECT, tag::REFERENCE]);
        bytes.extend((FIRST_HANDLE + 2).to_be_bytes());
    }
    assert_eq!(read(&bytes).unwrap_err(), ReadError::Items);
}
