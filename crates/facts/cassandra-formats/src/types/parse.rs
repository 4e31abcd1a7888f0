//! The grammar of class strings: a name, and in brackets more of them, some with a label.

use super::{PACKAGE, Parameter, TypeClass};

/// The deepest nesting that is accepted. CQL's limit on the length of a statement keeps real types far below.
const MAX_DEPTH: usize = 100;

/// Why a text is not a class string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a type: {why} at character {at}")]
pub struct TypeError {
    /// The whole class string.
    pub text: String,
    /// The offset of the fault, in characters.
    pub at: usize,
    /// The fault.
    pub why: &'static str,
}

pub(super) fn parse(text: &str) -> Result<TypeClass, TypeError> {
    let mut parser = Parser {
        bytes: text.as_bytes(),
        at: 0,
    };
    let parsed = parser.class(0).and_then(|class| {
        parser.blanks();
        match parser.peek() {
            None => Ok(class),
            Some(_) => Err("there is more behind the type"),
        }
    });
    parsed.map_err(|why| TypeError {
        text: text.to_owned(),
        at: parser.at,
        why,
    })
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n')) {
            self.at += 1;
        }
    }

    fn identifier(&mut self) -> String {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b"-+._&".contains(&b))
        {
            self.at += 1;
        }
        let name = self.bytes.get(start..self.at).unwrap_or_default();
        name.iter().copied().map(char::from).collect()
    }

    fn class(&mut self, depth: usize) -> Result<TypeClass, &'static str> {
        self.blanks();
        let name = self.identifier();
        self.class_named(name, depth)
    }

    fn class_named(&mut self, name: String, depth: usize) -> Result<TypeClass, &'static str> {
        if name.is_empty() {
            return Err("a name is missing");
        }
        if depth > MAX_DEPTH {
            return Err("types are nested too deeply");
        }
        self.blanks();
        let parameters = if self.take(b'(') {
            self.parameters(depth + 1)?
        } else {
            Vec::new()
        };
        let name = name.strip_prefix(PACKAGE).map_or(name.clone(), Into::into);
        Ok(TypeClass { name, parameters })
    }

    fn parameters(&mut self, depth: usize) -> Result<Vec<Parameter>, &'static str> {
        let mut parameters = Vec::new();
        loop {
            self.blanks();
            if self.take(b')') {
                return Ok(parameters);
            }
            if !parameters.is_empty() && !self.take(b',') {
                return Err("a comma or a closing bracket is missing");
            }
            parameters.push(self.parameter(depth)?);
        }
    }

    fn parameter(&mut self, depth: usize) -> Result<Parameter, &'static str> {
        self.blanks();
        let name = self.identifier();
        self.blanks();
        let labelled = self.take(b':') || (self.take(b'=') && self.take(b'>'));
        if labelled {
            return Ok(Parameter {
                label: Some(name),
                class: self.class(depth)?,
            });
        }
        Ok(Parameter {
            label: None,
            class: self.class_named(name, depth)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_type_has_its_keyspace_its_name_and_its_fields() {
        let class = parse(
            "org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.UserType(ks,75647431,\
             666f6f:org.apache.cassandra.db.marshal.Int32Type,626172:org.apache.cassandra.db.marshal.UTF8Type))",
        )
        .expect("a type");
        let user = &class.parameters[0].class;
        assert_eq!(user.name, "UserType");
        let parts: Vec<_> = user
            .parameters
            .iter()
            .map(|p| (p.label.as_deref(), p.class.name.as_str()))
            .collect();
        assert_eq!(
            parts,
            [
                (None, "ks"),
                (None, "75647431"),
                (Some("666f6f"), "Int32Type"),
                (Some("626172"), "UTF8Type")
            ]
        );
    }

    #[test]
    fn aliases_numbers_and_blanks_are_read() {
        let class = parse("DynamicCompositeType(b=>BytesType, i=>IntegerType)").expect("a type");
        assert_eq!(class.parameters[1].label.as_deref(), Some("i"));
        let class = parse("VectorType(FloatType , 3)").expect("a type");
        assert_eq!(class.parameters[1].class.name, "3");
        assert!(parse("CompositeType()").is_ok());
    }

    #[test]
    fn what_is_not_a_type_is_refused() {
        for text in ["", "(", "A(", "A(B", "A(B C)", "A)", "A(,)", "A(b=C)", "é"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("{}A{}", "F(".repeat(50_000), ")".repeat(50_000));
        assert!(parse(&deep).is_err());
    }
}
