//! Writes a stream of objects: those few that calls need, each with its class, without references between them.

use super::{MAGIC, flag, tag, text};

/// A class as a stream describes it; `fields` are kind and name, and for a field that is an object its type.
struct Class {
    name: &'static str,
    serial_version: i64,
    flags: u8,
    fields: &'static [(u8, &'static str, &'static str)],
}

const PLAIN: u8 = flag::SERIALIZABLE;
const WITH_BLOCKS: u8 = flag::SERIALIZABLE | flag::WRITES_MORE;

const OBJECT_NAME: Class = Class {
    name: "javax.management.ObjectName",
    serial_version: 1_081_892_073_854_801_359,
    flags: WITH_BLOCKS,
    fields: &[],
};
const MARSHALLED: Class = Class {
    name: "java.rmi.MarshalledObject",
    serial_version: 8_988_374_069_173_025_854,
    flags: PLAIN,
    fields: &[
        (b'I', "hash", ""),
        (b'[', "locBytes", "[B"),
        (b'[', "objBytes", "[B"),
    ],
};
const BOOLEAN: Class = Class {
    name: "java.lang.Boolean",
    serial_version: -3_665_804_199_014_368_530,
    flags: PLAIN,
    fields: &[(b'Z', "value", "")],
};
const NUMBER: Class = Class {
    name: "java.lang.Number",
    serial_version: -8_742_448_824_652_078_965,
    flags: PLAIN,
    fields: &[],
};
const INTEGER: Class = Class {
    name: "java.lang.Integer",
    serial_version: 1_360_826_667_806_852_920,
    flags: PLAIN,
    fields: &[(b'I', "value", "")],
};
const HASH_SET: Class = Class {
    name: "java.util.HashSet",
    serial_version: -5_024_744_406_713_321_676,
    flags: WITH_BLOCKS,
    fields: &[],
};
const HASH_MAP: Class = Class {
    name: "java.util.HashMap",
    serial_version: 362_498_820_763_181_265,
    flags: WITH_BLOCKS,
    fields: &[(b'F', "loadFactor", ""), (b'I', "threshold", "")],
};
const BYTES: Class = Class {
    name: "[B",
    serial_version: -5_984_413_125_824_719_648,
    flags: PLAIN,
    fields: &[],
};
const TEXTS: Class = Class {
    name: "[Ljava.lang.String;",
    serial_version: -5_921_575_005_990_323_385,
    flags: PLAIN,
    fields: &[],
};
const OBJECTS: Class = Class {
    name: "[Ljava.lang.Object;",
    serial_version: -8_012_369_246_846_506_644,
    flags: PLAIN,
    fields: &[],
};

/// The share of a hash table that is filled before it grows; Java's default.
const LOAD_FACTOR: f32 = 0.75;

/// A stream that grows.
pub struct Writer {
    bytes: Vec<u8>,
    /// A call over RMI has, with each class, the place to load it from, which is none; an object by itself has not.
    has_places: bool,
}

impl Writer {
    /// A stream of an object that stands by itself.
    pub fn new() -> Self {
        Self {
            bytes: MAGIC.to_vec(),
            has_places: false,
        }
    }

    /// A stream of a call over RMI.
    pub fn of_call() -> Self {
        Self {
            has_places: true,
            ..Self::new()
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// At most 255 plain bytes.
    pub fn block(&mut self, block: &[u8]) {
        let length = u8::try_from(block.len()).expect("blocks here have a fixed, small size");
        self.bytes.extend([tag::BLOCK, length]);
        self.bytes.extend(block);
    }

    pub fn null(&mut self) {
        self.bytes.push(tag::NULL);
    }

    pub fn text(&mut self, text: &str) {
        let text = text::encode(text);
        if let Ok(length) = u16::try_from(text.len()) {
            self.bytes.push(tag::STRING);
            self.bytes.extend(length.to_be_bytes());
        } else {
            self.bytes.push(tag::LONG_STRING);
            self.bytes.extend((text.len() as u64).to_be_bytes());
        }
        self.bytes.extend(text);
    }

    /// The name of an MBean.
    pub fn object_name(&mut self, name: &str) {
        self.object(&[&OBJECT_NAME]);
        self.text(name);
        self.end();
    }

    /// An object as bytes of its own.
    pub fn marshalled(&mut self, object: &[u8]) {
        self.object(&[&MARSHALLED]);
        // The hash serves comparisons of such objects, and arguments are not compared.
        self.int(0);
        self.null();
        self.array(&BYTES, object.len());
        self.bytes.extend(object);
    }

    pub fn boolean(&mut self, value: bool) {
        self.object(&[&BOOLEAN]);
        self.bytes.push(u8::from(value));
    }

    pub fn integer(&mut self, value: i32) {
        self.object(&[&INTEGER, &NUMBER]);
        self.int(value);
    }

    /// A `String[]`.
    pub fn texts<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.array(&TEXTS, texts.len());
        for text in texts {
            self.text(text.as_ref());
        }
    }

    /// The head of an `Object[]`, whose elements follow.
    pub fn objects(&mut self, length: usize) {
        self.array(&OBJECTS, length);
    }

    /// A `Set<String>`.
    pub fn text_set(&mut self, texts: &[String]) {
        self.object(&[&HASH_SET]);
        let capacity = (count(texts.len()) * 2).max(16);
        let mut head = capacity.to_be_bytes().to_vec();
        head.extend(LOAD_FACTOR.to_be_bytes());
        head.extend(count(texts.len()).to_be_bytes());
        self.block(&head);
        for text in texts {
            self.text(text);
        }
        self.end();
    }

    /// A `Map<String, String>` without entries.
    pub fn empty_map(&mut self) {
        self.object(&[&HASH_MAP]);
        self.bytes.extend(LOAD_FACTOR.to_be_bytes());
        self.int(12);
        let (buckets, entries) = (16_i32, 0_i32);
        self.block(&[buckets.to_be_bytes(), entries.to_be_bytes()].concat());
        self.end();
    }

    /// The head of an object: its class and those above it.
    fn object(&mut self, lineage: &[&Class]) {
        self.bytes.push(tag::OBJECT);
        for class in lineage {
            self.class(class);
        }
        self.null();
    }

    fn array(&mut self, class: &Class, length: usize) {
        self.bytes.push(tag::ARRAY);
        self.class(class);
        self.null();
        self.int(count(length));
    }

    /// All of a class but what is above it.
    fn class(&mut self, class: &Class) {
        self.bytes.push(tag::CLASS_DESCRIPTION);
        self.short_text(class.name);
        self.bytes.extend(class.serial_version.to_be_bytes());
        self.bytes.push(class.flags);
        let fields = u16::try_from(class.fields.len()).expect("the classes here have few fields");
        self.bytes.extend(fields.to_be_bytes());
        for (kind, name, class) in class.fields {
            self.bytes.push(*kind);
            self.short_text(name);
            if !class.is_empty() {
                self.text(class);
            }
        }
        if self.has_places {
            self.null();
        }
        self.end();
    }

    fn short_text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("the names here are short");
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn int(&mut self, value: i32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn end(&mut self) {
        self.bytes.push(tag::END_OF_BLOCKS);
    }
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("arguments are far smaller than 2 GiB")
}
