//! What a stream holds, as plain data. Objects may refer to each other in circles, so they lie in one list.

use std::sync::Arc;

/// The place of an item in its [`Tree`].
pub type Handle = usize;

/// A value of a field, of an array or of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `byte`, `char`, `short`, `int` or `long`.
    Int(i64),
    /// `float` or `double`.
    Float(f64),
    /// An item.
    Item(Handle),
}

/// What a class adds to an object.
#[derive(Debug)]
pub struct Part {
    /// The class with its package.
    pub class: Arc<str>,
    /// The fields by name.
    pub fields: Vec<(Arc<str>, Value)>,
    /// What the class has written itself, after its fields.
    pub blocks: Vec<u8>,
    /// As `blocks`, the objects among it.
    pub values: Vec<Value>,
}

/// An item that others can refer to.
#[derive(Debug)]
pub enum Item {
    /// What holds nothing of interest: a class, a `byte[]`, or an item that is still being read.
    Opaque,
    /// A `String`.
    Text(String),
    /// Any other array.
    Array(Vec<Value>),
    /// A constant of an `enum`, by its name.
    Constant(Handle),
    /// An object: its parts from the outermost superclass to its own class. Without parts only for a class without state.
    Object {
        /// The object's own class.
        class: Arc<str>,
        /// See [`Item::Object`].
        parts: Vec<Part>,
    },
}

/// All items of a stream.
#[derive(Debug, Default)]
pub struct Tree {
    /// By handle.
    pub items: Vec<Item>,
}

impl Tree {
    fn item(&self, value: Value) -> Option<&Item> {
        match value {
            Value::Item(handle) => self.items.get(handle),
            _ => None,
        }
    }

    /// The text of a `String`, or the name of an `enum` constant.
    pub fn text(&self, value: Value) -> Option<&str> {
        match self.item(value)? {
            Item::Text(text) => Some(text),
            Item::Constant(name) => self.text(Value::Item(*name)),
            _ => None,
        }
    }

    /// The elements of an array of anything but bytes.
    pub fn array(&self, value: Value) -> Option<&[Value]> {
        match self.item(value)? {
            Item::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The class of an object, and its parts.
    pub fn object(&self, value: Value) -> Option<(&str, &[Part])> {
        match self.item(value)? {
            Item::Object { class, parts } => Some((class, parts)),
            _ => None,
        }
    }

    /// The field of an object, whichever of its classes has it.
    pub fn field(&self, object: Value, name: &str) -> Option<Value> {
        let (_, parts) = self.object(object)?;
        let mut fields = parts.iter().flat_map(|part| &part.fields);
        fields
            .find(|(field, _)| &**field == name)
            .map(|(_, value)| *value)
    }
}
