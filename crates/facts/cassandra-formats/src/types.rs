//! Cassandra's class strings of types, as far as the layout of values in Data depends on them (`AbstractType` and its
//! subclasses).

mod order;
mod parse;

pub(crate) use order::ValueOrder;
pub use parse::TypeError;

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";

/// How a value is written: as its bytes alone, or with its length before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueLength {
    /// Always so many bytes.
    Fixed(usize),
    /// Any length, written before the value.
    Variable,
}

/// A type as its class string names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeClass {
    /// The class name, without the package if it is Cassandra's own: `Int32Type`.
    pub name: String,
    /// What is in the brackets.
    pub parameters: Vec<Parameter>,
}

/// A parameter in a type's brackets: a type, or a keyspace, a number or a hexadecimal name, which are parsed like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// What is written before a colon: a field's name in hexadecimal, or an alias.
    pub label: Option<String>,
    /// The parameter itself.
    pub class: TypeClass,
}

/// The shape of the cells of a column that has many in a row: a collection, a tuple or a user type that is not frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiCell {
    /// Lengths that a cell's path may have; empty paths are written as such.
    pub path: Lengths,
    /// Lengths that a cell's value may have.
    pub value: Lengths,
}

/// Lengths in bytes that a value may have, apart from none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// Any length.
    Any,
    /// This length only.
    One(u64),
    /// 4 or 16 bytes: internet addresses.
    FourOr16,
}

impl Lengths {
    /// Whether a value may have this length. Every type allows empty values.
    #[inline]
    pub fn allow(self, len: u64) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => len == one || len == 0,
            Self::FourOr16 => matches!(len, 0 | 4 | 16),
        }
    }
}

impl TypeClass {
    /// Parses a class string such as `org.apache.cassandra.db.marshal.ListType(…)`.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        parse::parse(text)
    }

    fn parameter(&self, index: usize) -> Option<&TypeClass> {
        self.parameters.get(index).map(|p| &p.class)
    }

    /// The type without a wrapper that only reverses its order.
    fn unreversed(&self) -> &Self {
        let mut class = self;
        while class.name == "ReversedType"
            && let Some(inner) = class.parameter(0)
        {
            class = inner;
        }
        class
    }

    /// The type without wrappers that only reverse its order or freeze it.
    fn bare(&self) -> &Self {
        let mut class = self.unreversed();
        while class.name == "FrozenType"
            && let Some(inner) = class.parameter(0)
        {
            class = inner.unreversed();
        }
        class
    }

    /// The length of a value, as `AbstractType.valueLengthIfFixed` returns it. Types that are not Cassandra's own
    /// count as variable.
    pub fn value_length(&self) -> ValueLength {
        let class = self.bare();
        let fixed = match class.name.as_str() {
            "EmptyType" => 0,
            "BooleanType" => 1,
            "Int32Type" | "FloatType" => 4,
            "LongType" | "DoubleType" | "DateType" | "TimestampType" => 8,
            "UUIDType" | "TimeUUIDType" | "LexicalUUIDType" | "LegacyTimeUUIDType" => 16,
            "VectorType" => return class.vector_length(),
            _ => return ValueLength::Variable,
        };
        ValueLength::Fixed(fixed)
    }

    fn vector_length(&self) -> ValueLength {
        let dimension = self.parameter(1).and_then(|p| p.name.parse().ok());
        match (self.parameter(0).map(Self::value_length), dimension) {
            (Some(ValueLength::Fixed(element)), Some(dimension)) => element
                .checked_mul(dimension)
                .map_or(ValueLength::Variable, ValueLength::Fixed),
            _ => ValueLength::Variable,
        }
    }

    /// The lengths that values of this type may have if they are written with their length.
    pub fn lengths(&self) -> Lengths {
        if let ValueLength::Fixed(len) = self.value_length() {
            return Lengths::One(len as u64);
        }
        match self.bare().name.as_str() {
            "ByteType" => Lengths::One(1),
            "ShortType" => Lengths::One(2),
            "SimpleDateType" => Lengths::One(4),
            "TimeType" => Lengths::One(8),
            "InetAddressType" => Lengths::FourOr16,
            _ => Lengths::Any,
        }
    }

    /// Whether it is a user-defined type that is not frozen.
    pub fn is_user_type(&self) -> bool {
        self.unreversed().name == "UserType"
    }

    /// The shape of the cells of a column of this type, if it has many. Only HCD's `cc` records whether a tuple is
    /// frozen (`tuples_too`), because a user type becomes a tuple when its column is dropped; in other versions all
    /// tuples are.
    pub fn multi_cell(&self, tuples_too: bool) -> Option<MultiCell> {
        let class = self.unreversed();
        let lengths = |index| class.parameter(index).map_or(Lengths::Any, Self::lengths);
        let (path, value) = match class.name.as_str() {
            // The path is a version 1 UUID, which orders the elements.
            "ListType" => (Lengths::One(16), lengths(0)),
            "SetType" => (lengths(0), Lengths::Any),
            "MapType" => (lengths(0), lengths(1)),
            // The path is the field's number.
            "UserType" => (Lengths::One(2), Lengths::Any),
            "TupleType" if tuples_too => (Lengths::One(2), Lengths::Any),
            _ => return None,
        };
        Some(MultiCell { path, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> TypeClass {
        // The package's name is optional for Cassandra, too.
        TypeClass::parse(text).expect("a type")
    }

    #[test]
    fn fixed_lengths_are_those_of_the_types_that_have_them() {
        let fixed = |len| ValueLength::Fixed(len);
        for (text, expected) in [
            ("org.apache.cassandra.db.marshal.Int32Type", fixed(4)),
            ("Int32Type", fixed(4)),
            ("ReversedType(TimestampType)", fixed(8)),
            ("TimeUUIDType", fixed(16)),
            ("BooleanType", fixed(1)),
            ("EmptyType", fixed(0)),
            ("VectorType(FloatType , 1536)", fixed(6144)),
            ("VectorType(UTF8Type , 3)", ValueLength::Variable),
            ("FrozenType(VectorType(LongType,2))", fixed(16)),
            ("UTF8Type", ValueLength::Variable),
            // Short as they are, their lengths are written.
            ("ShortType", ValueLength::Variable),
            ("TimeType", ValueLength::Variable),
            ("SimpleDateType", ValueLength::Variable),
            ("CounterColumnType", ValueLength::Variable),
            ("FrozenType(ListType(Int32Type))", ValueLength::Variable),
            ("com.example.Int32Type", ValueLength::Variable),
        ] {
            assert_eq!(class(text).value_length(), expected, "{text}");
        }
    }

    #[test]
    fn columns_have_many_cells_unless_they_are_frozen() {
        let many = |text: &str, tuples| class(text).multi_cell(tuples).map(|m| (m.path, m.value));
        let two = Lengths::One(2);
        for (text, expected) in [
            (
                "ListType(Int32Type)",
                Some((Lengths::One(16), Lengths::One(4))),
            ),
            ("SetType(UTF8Type)", Some((Lengths::Any, Lengths::Any))),
            (
                "MapType(InetAddressType,FrozenType(SetType(LongType)))",
                Some((Lengths::FourOr16, Lengths::Any)),
            ),
            ("UserType(ks,75,61:Int32Type)", Some((two, Lengths::Any))),
            ("FrozenType(UserType(ks,75,61:Int32Type))", None),
            ("FrozenType(MapType(Int32Type,Int32Type))", None),
            ("Int32Type", None),
        ] {
            assert_eq!(many(text, false), expected, "{text}");
        }
        assert_eq!(many("TupleType(Int32Type)", false), None);
        assert_eq!(
            many("TupleType(Int32Type)", true),
            Some((two, Lengths::Any))
        );
        assert_eq!(many("FrozenType(TupleType(Int32Type))", true), None);
    }

    #[test]
    fn lengths_allow_the_empty_value_and_their_own() {
        assert!(Lengths::One(4).allow(4) && Lengths::One(4).allow(0) && !Lengths::One(4).allow(5));
        assert!(Lengths::FourOr16.allow(16) && !Lengths::FourOr16.allow(8));
        assert_eq!(class("ShortType").lengths(), Lengths::One(2));
        assert_eq!(class("Int32Type").lengths(), Lengths::One(4));
    }
}
