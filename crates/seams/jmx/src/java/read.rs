//! Reads a stream of objects. Everything in it is hostile: sizes are checked before memory is taken, and depth is limited.

mod class;
mod cursor;

use std::sync::Arc;

use class::Class;
use cursor::Cursor;

use super::tree::{Handle, Item, Part, Tree, Value};
use super::{FIRST_HANDLE, MAGIC, flag, tag};

/// How deep objects may lie in each other. Causes of exceptions lie in each other; ten are many.
const DEPTH_MAX: usize = 64;
/// How many objects, texts and elements a stream may hold: many times what gossip says of a thousand nodes.
const ITEMS_MAX: usize = 1 << 20;

/// Why a stream cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("it ends in the middle")]
    Cut,
    #[error("it does not begin as a Java stream does")]
    Magic,
    #[error("it has an unexpected tag {0:#04x}")]
    Tag(u8),
    #[error("it refers to what it does not hold")]
    Reference,
    #[error("it has a text that is none")]
    Text,
    #[error("its objects are nested too deeply")]
    Depth,
    #[error("it holds too many objects")]
    Items,
}

/// What comes next in what a class has written itself.
enum Content {
    Block(Vec<u8>),
    Value(Value),
    End,
}

/// Reads a stream from its first byte on.
pub struct Reader<'a> {
    cursor: Cursor<'a>,
    tree: Tree,
    /// By handle; none for what is no class.
    classes: Vec<Option<Arc<Class>>>,
    depth: usize,
    /// How many more items it may hold.
    left: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(ReadError::Magic)?;
        Ok(Self {
            cursor: Cursor::new(rest),
            tree: Tree::default(),
            classes: Vec::new(),
            depth: 0,
            left: ITEMS_MAX,
        })
    }

    /// All items that were read.
    pub fn into_tree(self) -> Tree {
        self.tree
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.cursor.is_at_end()
    }

    /// Plain bytes between objects.
    pub fn block(&mut self) -> Result<Vec<u8>, ReadError> {
        match self.content()? {
            Content::Block(bytes) => Ok(bytes),
            Content::Value(_) => Err(ReadError::Tag(tag::OBJECT)),
            Content::End => Err(ReadError::Tag(tag::END_OF_BLOCKS)),
        }
    }

    /// An object, text, array or null.
    pub fn value(&mut self) -> Result<Value, ReadError> {
        let tag = self.cursor.byte()?;
        self.value_of(tag)
    }

    fn value_of(&mut self, tag: u8) -> Result<Value, ReadError> {
        if self.depth == DEPTH_MAX {
            return Err(ReadError::Depth);
        }
        self.depth += 1;
        let value = self.tagged(tag);
        self.depth -= 1;
        value
    }

    fn tagged(&mut self, tag: u8) -> Result<Value, ReadError> {
        match tag {
            tag::NULL => Ok(Value::Null),
            tag::REFERENCE => self.reference().map(Value::Item),
            tag::STRING | tag::LONG_STRING => self.string(tag),
            tag::OBJECT => self.object(),
            tag::ARRAY => self.array(),
            tag::ENUM => self.constant(),
            tag::CLASS => {
                self.class()?;
                self.add(Item::Opaque).map(Value::Item)
            }
            tag::CLASS_DESCRIPTION | tag::PROXY_DESCRIPTION => {
                self.description(tag).map(Value::Item)
            }
            other => Err(ReadError::Tag(other)),
        }
    }

    fn content(&mut self) -> Result<Content, ReadError> {
        let length = match self.cursor.byte()? {
            tag::BLOCK => usize::from(self.cursor.byte()?),
            tag::LONG_BLOCK => self.cursor.length()?,
            tag::END_OF_BLOCKS => return Ok(Content::End),
            tag => return self.value_of(tag).map(Content::Value),
        };
        self.cursor
            .take(length)
            .map(|bytes| Content::Block(bytes.to_vec()))
    }

    fn object(&mut self) -> Result<Value, ReadError> {
        let class = self.class()?.ok_or(ReadError::Tag(tag::NULL))?;
        let handle = self.add(Item::Opaque)?;
        let mut parts = Vec::new();
        let lineage = self.lineage(class)?;
        self.spend(lineage.len())?;
        for class in lineage {
            parts.push(self.part(class)?);
        }
        let class = self.described(class)?.name.clone();
        self.tree.items[handle] = Item::Object { class, parts };
        Ok(Value::Item(handle))
    }

    fn part(&mut self, class: Handle) -> Result<Part, ReadError> {
        let class = self.described(class)?.clone();
        let mut part = Part {
            class: class.name.clone(),
            fields: Vec::new(),
            blocks: Vec::new(),
            values: Vec::new(),
        };
        if class.flags & flag::SERIALIZABLE != 0 {
            self.spend(class.fields.len())?;
            for (kind, name) in &class.fields {
                let value = self.primitive_or_value(*kind)?;
                part.fields.push((name.clone(), value));
            }
        }
        let in_blocks = flag::EXTERNALIZABLE | flag::IN_BLOCKS;
        if class.flags & flag::WRITES_MORE != 0 || class.flags & in_blocks == in_blocks {
            loop {
                match self.content()? {
                    Content::Block(bytes) => part.blocks.extend(bytes),
                    Content::Value(value) => {
                        self.spend(1)?;
                        part.values.push(value);
                    }
                    Content::End => break,
                }
            }
        }
        Ok(part)
    }

    fn array(&mut self) -> Result<Value, ReadError> {
        let class = self.class()?.ok_or(ReadError::Tag(tag::NULL))?;
        let kind = self.described(class)?.name.as_bytes().get(1).copied();
        let kind = kind.ok_or(ReadError::Text)?;
        let handle = self.add(Item::Opaque)?;
        let length = self.cursor.length()?;
        let item = if kind == b'B' {
            self.cursor.take(length)?;
            Item::Opaque
        } else {
            self.spend(length)?;
            let values = (0..length).map(|_| self.primitive_or_value(kind));
            Item::Array(values.collect::<Result<_, _>>()?)
        };
        self.tree.items[handle] = item;
        Ok(Value::Item(handle))
    }

    fn constant(&mut self) -> Result<Value, ReadError> {
        self.class()?;
        let handle = self.add(Item::Opaque)?;
        let Value::Item(name) = self.value()? else {
            return Err(ReadError::Text);
        };
        // A name that led to itself would be followed for ever.
        if name == handle || !matches!(self.tree.items.get(name), Some(Item::Text(_))) {
            return Err(ReadError::Text);
        }
        self.tree.items[handle] = Item::Constant(name);
        Ok(Value::Item(handle))
    }

    fn string(&mut self, tag: u8) -> Result<Value, ReadError> {
        let text = if tag == tag::STRING {
            self.cursor.text()?
        } else {
            self.cursor.long_text()?
        };
        self.add(Item::Text(text)).map(Value::Item)
    }

    fn primitive_or_value(&mut self, kind: u8) -> Result<Value, ReadError> {
        Ok(match kind {
            b'B' => Value::Int(i64::from(self.cursor.byte()? as i8)),
            b'C' => Value::Int(i64::from(u16::from_be_bytes(self.cursor.fixed()?))),
            b'D' => Value::Float(f64::from_be_bytes(self.cursor.fixed()?)),
            b'F' => Value::Float(f64::from(f32::from_be_bytes(self.cursor.fixed()?))),
            b'I' => Value::Int(i64::from(self.cursor.int()?)),
            b'J' => Value::Int(i64::from_be_bytes(self.cursor.fixed()?)),
            b'S' => Value::Int(i64::from(i16::from_be_bytes(self.cursor.fixed()?))),
            b'Z' => Value::Bool(self.cursor.byte()? != 0),
            b'[' | b'L' => self.value()?,
            other => return Err(ReadError::Tag(other)),
        })
    }

    fn add(&mut self, item: Item) -> Result<Handle, ReadError> {
        self.spend(1)?;
        self.tree.items.push(item);
        self.classes.push(None);
        Ok(self.tree.items.len() - 1)
    }

    fn spend(&mut self, items: usize) -> Result<(), ReadError> {
        self.left = self.left.checked_sub(items).ok_or(ReadError::Items)?;
        Ok(())
    }

    fn reference(&mut self) -> Result<Handle, ReadError> {
        let number = u32::from_be_bytes(self.cursor.fixed()?);
        let handle = number
            .checked_sub(FIRST_HANDLE)
            .map(|handle| handle as usize);
        let known = handle.filter(|handle| *handle < self.tree.items.len());
        known.ok_or(ReadError::Reference)
    }
}

#[cfg(test)]
mod tests;
