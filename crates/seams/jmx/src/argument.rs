//! The arguments of an operation.

use crate::java::write::Writer;

/// An argument, with the type by which the operation is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// `String`.
    Text(String),
    /// `boolean`.
    Bool(bool),
    /// `int`.
    Int(i32),
    /// `String[]`, also where Java writes `String...`.
    Texts(Vec<String>),
    /// `Set<String>`.
    TextSet(Vec<String>),
    /// `Map` without entries.
    EmptyMap,
}

impl Argument {
    /// The type as Java names it.
    pub(crate) fn java_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "java.lang.String",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "int",
            Self::Texts(_) => "[Ljava.lang.String;",
            Self::TextSet(_) => "java.util.Set",
            Self::EmptyMap => "java.util.Map",
        }
    }

    /// All arguments, as the `Object[]` of a stream of its own.
    pub(crate) fn marshalled(arguments: &[Self]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.objects(arguments.len());
        for argument in arguments {
            argument.write(&mut writer);
        }
        writer.into_bytes()
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Text(text) => writer.text(text),
            Self::Bool(value) => writer.boolean(*value),
            Self::Int(value) => writer.integer(*value),
            Self::Texts(texts) => writer.texts(texts),
            Self::TextSet(texts) => writer.text_set(texts),
            Self::EmptyMap => writer.empty_map(),
        }
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Argument {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
