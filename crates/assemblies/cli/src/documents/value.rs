//! Builds the value of a document: repeated keys are refused, and aliases cannot make it large.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Of all documents of a file together, as they are once aliases are written out.
const ITEMS_MAX: usize = 100_000;
const BYTES_MAX: usize = super::BYTES_MAX as usize;

/// What the documents of a file may still become.
pub struct Budget {
    items: Cell<usize>,
    bytes: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            items: Cell::new(ITEMS_MAX),
            bytes: Cell::new(BYTES_MAX),
        }
    }
}

impl Budget {
    /// Reads a value within it.
    pub fn reader(&self) -> Reader<'_> {
        Reader(self)
    }

    fn take<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let items = self.items.get().checked_sub(1);
        let bytes = self.bytes.get().checked_sub(bytes);
        let (Some(items), Some(bytes)) = (items, bytes) else {
            return Err(E::custom(format!(
                "it has more than {ITEMS_MAX} values or {BYTES_MAX} bytes of text with its aliases"
            )));
        };
        self.items.set(items);
        self.bytes.set(bytes);
        Ok(())
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
pub struct Reader<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, null, a list or a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.0.take(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.0.take(0)?;
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.0.take(0)?;
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.0.take(0)?;
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.0.take(0)?;
        let number = Number::from_f64(value);
        let number = number.ok_or_else(|| E::custom(format!("{value} is no number")))?;
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.0.take(value.len())?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.take(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        self.0.take(0)?;
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            self.0.take(name.len())?;
            let value = fields.next_value_seed(self)?;
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the key `{name}` is there twice")));
            }
            map.insert(name, value);
        }
        Ok(map.into())
    }
}
