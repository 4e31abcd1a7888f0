//! The classes that a stream describes: their fields, and what is above them.

use std::sync::Arc;

use super::{Content, DEPTH_MAX, ReadError, Reader};
use crate::java::tree::{Handle, Item};
use crate::java::{flag, tag};

/// How many superclasses a class may have.
const SUPERCLASSES_MAX: usize = 32;

/// A class as a stream describes it. Objects share it: a name may be long, and there may be many objects of it.
#[derive(Debug)]
pub struct Class {
    pub name: Arc<str>,
    pub flags: u8,
    pub fields: Vec<(u8, Arc<str>)>,
    pub superclass: Option<Handle>,
}

impl Reader<'_> {
    /// A class description, none for null.
    pub(super) fn class(&mut self) -> Result<Option<Handle>, ReadError> {
        match self.cursor.byte()? {
            tag::NULL => Ok(None),
            tag::REFERENCE => {
                let handle = self.reference()?;
                self.described(handle)?;
                Ok(Some(handle))
            }
            tag => self.description(tag).map(Some),
        }
    }

    pub(super) fn description(&mut self, tag: u8) -> Result<Handle, ReadError> {
        // What is still being described is no class yet, so no class can be above itself.
        let (handle, mut class) = match tag {
            tag::CLASS_DESCRIPTION => self.plain_description()?,
            tag::PROXY_DESCRIPTION => self.proxy_description()?,
            other => return Err(ReadError::Tag(other)),
        };
        while !matches!(self.content()?, Content::End) {}
        if self.depth == DEPTH_MAX {
            return Err(ReadError::Depth);
        }
        self.depth += 1;
        class.superclass = self.class()?;
        self.depth -= 1;
        self.classes[handle] = Some(Arc::new(class));
        Ok(handle)
    }

    fn plain_description(&mut self) -> Result<(Handle, Class), ReadError> {
        let name = self.cursor.text()?;
        let _serial_version: [u8; 8] = self.cursor.fixed()?;
        let handle = self.add(Item::Opaque)?;
        let flags = self.cursor.byte()?;
        let count = u16::from_be_bytes(self.cursor.fixed()?);
        let mut fields = Vec::new();
        for _ in 0..count {
            let kind = self.cursor.byte()?;
            let name = self.cursor.text()?;
            if matches!(kind, b'[' | b'L') {
                self.value()?;
            }
            fields.push((kind, name.into()));
        }
        let class = Class {
            name: name.into(),
            flags,
            fields,
            superclass: None,
        };
        Ok((handle, class))
    }

    /// A class that was made at run time for some interfaces; it has no state of its own.
    fn proxy_description(&mut self) -> Result<(Handle, Class), ReadError> {
        let handle = self.add(Item::Opaque)?;
        let count = self.cursor.length()?;
        for _ in 0..count {
            self.cursor.text()?;
        }
        let class = Class {
            name: "proxy".into(),
            flags: flag::SERIALIZABLE,
            fields: Vec::new(),
            superclass: None,
        };
        Ok((handle, class))
    }

    /// A class and those above it, the outermost first.
    pub(super) fn lineage(&self, class: Handle) -> Result<Vec<Handle>, ReadError> {
        let mut lineage = vec![class];
        while let Some(above) = self.described(lineage[lineage.len() - 1])?.superclass {
            if lineage.len() == SUPERCLASSES_MAX {
                return Err(ReadError::Depth);
            }
            lineage.push(above);
        }
        lineage.reverse();
        Ok(lineage)
    }

    pub(super) fn described(&self, class: Handle) -> Result<&Arc<Class>, ReadError> {
        let class = self.classes.get(class).and_then(Option::as_ref);
        class.ok_or(ReadError::Reference)
    }
}
