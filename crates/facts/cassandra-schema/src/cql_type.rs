//! The types of CQL, as columns, fields and arguments have them.

use std::collections::BTreeSet;
use std::fmt;

use model::cql::{literal, quote};

/// A type that Cassandra brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Native {
    Ascii,
    Bigint,
    Blob,
    Boolean,
    Counter,
    Date,
    Decimal,
    Double,
    Duration,
    /// What a dense table without values has for one; no statement can name it.
    Empty,
    Float,
    Inet,
    Int,
    Smallint,
    Text,
    Time,
    Timestamp,
    Timeuuid,
    Tinyint,
    Uuid,
    Varchar,
    Varint,
}

impl Native {
    pub const ALL: [(Self, &'static str); 22] = [
        (Self::Ascii, "ascii"),
        (Self::Bigint, "bigint"),
        (Self::Blob, "blob"),
        (Self::Boolean, "boolean"),
        (Self::Counter, "counter"),
        (Self::Date, "date"),
        (Self::Decimal, "decimal"),
        (Self::Double, "double"),
        (Self::Duration, "duration"),
        (Self::Empty, "empty"),
        (Self::Float, "float"),
        (Self::Inet, "inet"),
        (Self::Int, "int"),
        (Self::Smallint, "smallint"),
        (Self::Text, "text"),
        (Self::Time, "time"),
        (Self::Timestamp, "timestamp"),
        (Self::Timeuuid, "timeuuid"),
        (Self::Tinyint, "tinyint"),
        (Self::Uuid, "uuid"),
        (Self::Varchar, "varchar"),
        (Self::Varint, "varint"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(native, _)| *native == self)
            .map_or("", |(_, name)| name)
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(native, _)| *native)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CqlType {
    Native(Native),
    /// A class in quotes, for example `'PointType'` or `'org.example.Odd'`.
    Custom(String),
    Frozen(Box<CqlType>),
    List(Box<CqlType>),
    Set(Box<CqlType>),
    Map(Box<CqlType>, Box<CqlType>),
    Tuple(Vec<CqlType>),
    Vector(Box<CqlType>, u32),
    /// A user-defined type; the keyspace only where the text names it.
    User {
        keyspace: Option<String>,
        name: String,
    },
}

/// Words that begin a type of their own, so that a user type of this name must be quoted.
const CONSTRUCTORS: [&str; 6] = ["frozen", "list", "set", "map", "tuple", "vector"];

impl CqlType {
    pub fn user(name: &str) -> Self {
        Self::User {
            keyspace: None,
            name: name.to_owned(),
        }
    }

    pub fn frozen(of: Self) -> Self {
        Self::Frozen(Box::new(of))
    }

    /// The types that it is made of, itself first.
    pub fn parts(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            found.push(part);
            match part {
                Self::Native(_) | Self::Custom(_) | Self::User { .. } => {}
                Self::Frozen(of) | Self::List(of) | Self::Set(of) | Self::Vector(of, _) => {
                    open.push(of);
                }
                Self::Map(key, value) => open.extend([value.as_ref(), key.as_ref()]),
                Self::Tuple(parts) => open.extend(parts.iter().rev()),
            }
        }
        found
    }

    /// The names of the user types that it is made of.
    pub fn user_types(&self) -> BTreeSet<&str> {
        self.parts()
            .into_iter()
            .filter_map(|part| match part {
                Self::User { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}

fn user_type_name(name: &str) -> String {
    if Native::of(name).is_some() || CONSTRUCTORS.contains(&name) {
        format!("\"{name}\"")
    } else {
        quote(name).into_owned()
    }
}

impl fmt::Display for CqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native(native) => f.write_str(native.as_str()),
            Self::Custom(class) => f.write_str(&literal(class)),
            Self::Frozen(of) => write!(f, "frozen<{of}>"),
            Self::List(of) => write!(f, "list<{of}>"),
            Self::Set(of) => write!(f, "set<{of}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(f, "tuple<{}>", parts.join(", "))
            }
            Self::Vector(of, dimension) => write!(f, "vector<{of}, {dimension}>"),
            Self::User { keyspace, name } => {
                if let Some(keyspace) = keyspace {
                    write!(f, "{}.", quote(keyspace))?;
                }
                f.write_str(&user_type_name(name))
            }
        }
    }
}
