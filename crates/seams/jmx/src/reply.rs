//! What a call returned.

use std::collections::BTreeMap;

use crate::java::tree::{Part, Tree, Value};

/// The most text that a list may have: a text that a reply holds once may be referred to many times.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// The value that a call returned. Each method is none if it is of another type.
#[derive(Debug)]
pub struct Reply {
    pub(crate) tree: Tree,
    pub(crate) value: Value,
}

impl Reply {
    pub(crate) fn new(tree: Tree, value: Value) -> Self {
        Self { tree, value }
    }

    /// Of a `String`.
    pub fn text(&self) -> Option<&str> {
        self.tree.text(self.value)
    }

    /// Of a `Boolean`.
    pub fn bool(&self) -> Option<bool> {
        match self.boxed("java.lang.Boolean")? {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Of an `Integer` or `Long`.
    pub fn int(&self) -> Option<i64> {
        let boxed = self.boxed("java.lang.Integer");
        match boxed.or_else(|| self.boxed("java.lang.Long"))? {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Of a `List<String>`.
    pub fn texts(&self) -> Option<Vec<String>> {
        let elements = self.elements(self.value)?;
        let mut left = TEXT_BYTES_MAX;
        let mut copy = |element: &Value| {
            let text = self.tree.text(*element)?;
            left = left.checked_sub(text.len())?;
            Some(text.to_owned())
        };
        elements.iter().map(&mut copy).collect()
    }

    /// Of a `List<Map<String, String>>`.
    pub fn maps(&self) -> Option<Vec<BTreeMap<String, String>>> {
        let elements = self.elements(self.value)?;
        let mut left = TEXT_BYTES_MAX;
        let maps = elements.iter().map(|map| self.map(*map, &mut left));
        maps.collect()
    }

    fn boxed(&self, expected: &str) -> Option<Value> {
        let (class, _) = self.tree.object(self.value)?;
        (class == expected).then(|| self.tree.field(self.value, "value"))?
    }

    /// The elements of a list, by the classes of Java's own lists.
    fn elements(&self, list: Value) -> Option<Vec<Value>> {
        let (class, parts) = self.tree.object(list)?;
        match class {
            "java.util.ArrayList" | "java.util.LinkedList" => {
                Some(values_of(parts, class)?.to_vec())
            }
            "java.util.Collections$EmptyList" => Some(Vec::new()),
            "java.util.Collections$SingletonList" => Some(vec![self.tree.field(list, "element")?]),
            "java.util.Arrays$ArrayList" => {
                let array = self.tree.field(list, "a")?;
                self.tree.array(array).map(<[Value]>::to_vec)
            }
            _ => None,
        }
    }

    /// The entries of a map, by the classes of Java's own maps.
    fn map(&self, map: Value, left: &mut usize) -> Option<BTreeMap<String, String>> {
        let (class, parts) = self.tree.object(map)?;
        let entries = match class {
            "java.util.HashMap" | "java.util.LinkedHashMap" => {
                values_of(parts, "java.util.HashMap")?
            }
            "java.util.TreeMap" => values_of(parts, class)?,
            _ => return None,
        };
        let mut texts = BTreeMap::new();
        for entry in entries.chunks_exact(2) {
            // A value may be null, and means nothing then.
            if let (Some(key), Some(value)) = (self.tree.text(entry[0]), self.tree.text(entry[1])) {
                *left = left.checked_sub(key.len() + value.len() + 1)?;
                texts.insert(key.to_owned(), value.to_owned());
            }
        }
        Some(texts)
    }
}

/// The objects that a class has written itself.
fn values_of<'a>(parts: &'a [Part], class: &str) -> Option<&'a [Value]> {
    let part = parts.iter().find(|part| &*part.class == class)?;
    Some(&part.values)
}
