//! Reads a settings tree into a struct, and reports the key that has a problem.

use std::vec;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use super::problem::Problem;
use super::tree::{Node, Value, parse_variable};

impl Value {
    fn word(&self) -> &'static str {
        match self {
            Self::Variable(_) | Self::Text(_) => "text",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// A variable is read in TOML's notation if it can be; anything else is taken as it is.
    fn read(self) -> Self {
        match parse_variable(&self) {
            Some(value) => Self { value, ..self },
            None => self,
        }
    }

    /// As text, if a reader that wants text can have it.
    fn text(self) -> Result<String, Self> {
        match (parse_variable(&self), self.value) {
            (Some(Value::Text(text)), _) | (_, Value::Variable(text) | Value::Text(text)) => {
                Ok(text)
            }
            (_, value) => Err(Self {
                value,
                place: self.place,
            }),
        }
    }

    fn visit_table<'de, V: Visitor<'de>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.read().value {
            Value::Table(table) => visitor.visit_map(TableAccess::new(table, fields)),
            other => Err(Problem::wrong_type(other.word(), &visitor)),
        }
    }

    fn visit_number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.read().value {
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            other => Err(Problem::wrong_type(other.word(), &visitor)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            self.visit_number(visitor)
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            match self.text() {
                Ok(text) => visitor.visit_string(text),
                Err(other) => Err(Problem::wrong_type(other.value.word(), &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.read().value {
            Value::Variable(text) | Value::Text(text) => visitor.visit_string(text),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::List(list) => visitor.visit_seq(ListAccess::new(list)),
            Value::Table(table) => visitor.visit_map(TableAccess::new(table, None)),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.read().value {
            Value::Bool(flag) => visitor.visit_bool(flag),
            other => Err(Problem::wrong_type(other.word(), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.read().value {
            Value::List(list) => visitor.visit_seq(ListAccess::new(list)),
            other => Err(Problem::wrong_type(other.word(), &visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.visit_table(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.visit_table(Some(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.text() {
            Ok(text) => visitor.visit_enum(IntoDeserializer::<Problem>::into_deserializer(text)),
            Err(node) => match node.value {
                Value::Table(table) => {
                    visitor.visit_enum(MapAccessDeserializer::new(TableAccess::new(table, None)))
                }
                other => Err(Problem::wrong_type(other.word(), &visitor)),
            },
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct }
}

struct TableAccess {
    entries: std::collections::btree_map::IntoIter<String, Node>,
    /// The keys that are allowed, if the reader is a struct.
    fields: Option<&'static [&'static str]>,
    next: Option<(String, Node)>,
}

impl TableAccess {
    fn new(
        table: std::collections::BTreeMap<String, Node>,
        fields: Option<&'static [&'static str]>,
    ) -> Self {
        Self {
            entries: table.into_iter(),
            fields,
            next: None,
        }
    }
}

impl<'de> MapAccess<'de> for TableAccess {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some((key, node)) = self.entries.next() else {
            return Ok(None);
        };
        if let Some(fields) = self.fields
            && !fields.contains(&key.as_str())
        {
            return Err(de::Error::unknown_field(&key, fields));
        }
        let name: StringDeserializer<Problem> = key.clone().into_deserializer();
        self.next = Some((key, node));
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let (key, node) = self
            .next
            .take()
            .expect("serde asks for a value only after its key");
        let place = node.place.clone();
        seed.deserialize(node)
            .map_err(|problem| problem.within(&key, &place))
    }
}

struct ListAccess {
    items: std::iter::Enumerate<vec::IntoIter<Node>>,
}

impl ListAccess {
    fn new(list: Vec<Node>) -> Self {
        Self {
            items: list.into_iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for ListAccess {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let place = node.place.clone();
        seed.deserialize(node)
            .map(Some)
            .map_err(|problem| problem.within(&index.to_string(), &place))
    }
}
