//! The types of CQL, as columns, fields and arguments have them.

use std::collections::BTreeSet;
use std::fmt;

use model::cql::{literal, quote};

/// A type that is built into Cassandra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Native {
    /// `ascii`.
    Ascii,
    /// `bigint`.
    Bigint,
    /// `blob`.
    Blob,
    /// `boolean`.
    Boolean,
    /// `counter`.
    Counter,
    /// `date`.
    Date,
    /// `decimal`.
    Decimal,
    /// `double`.
    Double,
    /// `duration`.
    Duration,
    /// The type of the value column of a dense table without values; no statement can name it.
    Empty,
    /// `float`.
    Float,
    /// `inet`.
    Inet,
    /// `int`.
    Int,
    /// `smallint`.
    Smallint,
    /// `text`.
    Text,
    /// `time`.
    Time,
    /// `timestamp`.
    Timestamp,
    /// `timeuuid`.
    Timeuuid,
    /// `tinyint`.
    Tinyint,
    /// `uuid`.
    Uuid,
    /// `varchar`, which Cassandra stores as `text`.
    Varchar,
    /// `varint`.
    Varint,
}

impl Native {
    /// Every native type with its name in CQL.
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

    /// The name in CQL.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(native, _)| *native == self)
            .map_or("", |(_, name)| name)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(native, _)| *native)
    }
}

/// A type of CQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CqlType {
    /// A native type.
    Native(Native),
    /// A class in quotes, for example `'PointType'` or `'org.example.Odd'`.
    Custom(String),
    /// `frozen<…>`.
    Frozen(Box<CqlType>),
    /// `list<…>`.
    List(Box<CqlType>),
    /// `set<…>`.
    Set(Box<CqlType>),
    /// `map<…, …>`: keys and values.
    Map(Box<CqlType>, Box<CqlType>),
    /// `tuple<…>`.
    Tuple(Vec<CqlType>),
    /// `vector<…, n>`: the type of the elements, and their number.
    Vector(Box<CqlType>, u32),
    /// A user-defined type.
    User {
        /// Its keyspace, if the text names it.
        keyspace: Option<String>,
        /// Its name, without quotes.
        name: String,
    },
}

/// Words that begin a type, so a user-defined type of this name must be quoted.
const CONSTRUCTORS: [&str; 6] = ["frozen", "list", "set", "map", "tuple", "vector"];

impl CqlType {
    /// A user-defined type without a keyspace.
    pub fn user(name: &str) -> Self {
        Self::User {
            keyspace: None,
            name: name.to_owned(),
        }
    }

    /// Wraps a type in `frozen<…>`.
    pub fn frozen(of: Self) -> Self {
        Self::Frozen(Box::new(of))
    }

    /// The types that it consists of, itself first.
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

    /// The names of the user-defined types in it.
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
    if Native::from_name(name).is_some() || CONSTRUCTORS.contains(&name) {
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
