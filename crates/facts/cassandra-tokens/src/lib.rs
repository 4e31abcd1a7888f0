//! Partitioners: which token a partition key has, and so its place in an SSTable and on the ring.

#![warn(missing_docs)]

mod cut;
mod key;
mod murmur3;
mod range;

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use md5::{Digest as _, Md5};

pub use cut::Cut;
pub use key::DecoratedKey;
pub use murmur3::murmur3;
pub use range::{TokenRange, TokenRanges};

/// How keys become tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partitioner {
    /// `Murmur3Partitioner`, the default since Cassandra 1.2: tokens are signed 64-bit numbers.
    Murmur3,
    /// `RandomPartitioner`: tokens are the absolute value of the key's MD5 as a signed number, 0 to 2^127.
    Random,
    /// `ByteOrderedPartitioner`: a key is its own token, ordered by its unsigned bytes.
    ByteOrdered,
    /// `OrderPreservingPartitioner`: a key is its own token, as UTF-8 text (as hex if it is no valid UTF-8).
    OrderPreserving,
    /// `LocalPartitioner`, of tables that are local to a node (those of legacy secondary indexes, and some of
    /// `system`), with the class name as it was given. Cassandra orders these keys by their type; the tokens here
    /// order them by their bytes, which is not always the same.
    Local(String),
}

/// A place on the ring. Tokens of one partitioner are ordered as Cassandra orders them; comparing tokens of different
/// partitioners means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Token {
    /// Of [`Partitioner::Murmur3`]. `i64::MIN` is the minimum, which no key has.
    Murmur3(i64),
    /// Of [`Partitioner::Random`]: 0 to 2^127; `None` is the minimum, -1.
    Random(Option<u128>),
    /// Of [`Partitioner::ByteOrdered`] and [`Partitioner::Local`]; empty is the minimum.
    Bytes(Vec<u8>),
    /// Of [`Partitioner::OrderPreserving`]; empty is the minimum.
    Text(String),
}

/// Text that is not a token of the partitioner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a token of {partitioner}")]
pub struct TokenError {
    /// The text as it was given.
    pub text: String,
    /// The simple class name of the partitioner whose token it should be.
    pub partitioner: String,
}

const PACKAGE: &str = "org.apache.cassandra.dht.";
const RANDOM_MAX: u128 = 1 << 127;

impl Partitioner {
    /// From the class name as Statistics.db and cassandra.yaml have it, with or without its package. `None` for a
    /// class that Cassandra does not ship.
    pub fn of(class: &str) -> Option<Self> {
        let name = class.strip_prefix(PACKAGE).unwrap_or(class);
        match name {
            "Murmur3Partitioner" => Some(Self::Murmur3),
            "RandomPartitioner" => Some(Self::Random),
            "ByteOrderedPartitioner" => Some(Self::ByteOrdered),
            "OrderPreservingPartitioner" => Some(Self::OrderPreserving),
            local if local.starts_with("LocalPartitioner") => Some(Self::Local(local.to_owned())),
            _ => None,
        }
    }

    /// The class name without its package.
    pub fn name(&self) -> &str {
        match self {
            Self::Murmur3 => "Murmur3Partitioner",
            Self::Random => "RandomPartitioner",
            Self::ByteOrdered => "ByteOrderedPartitioner",
            Self::OrderPreserving => "OrderPreservingPartitioner",
            Self::Local(name) => name,
        }
    }

    /// Whether SSTables are in the order that tokens have here; for [`Self::Local`] that is not known.
    pub fn order_is_known(&self) -> bool {
        !matches!(self, Self::Local(_))
    }

    /// The token of a partition key as Data.db and Index.db have it.
    pub fn token(&self, key: &[u8]) -> Token {
        match self {
            _ if key.is_empty() => self.minimum(),
            Self::Murmur3 => Token::Murmur3(match murmur3(key)[0] {
                // The minimum means both ends of the ring, so no key may have it.
                i64::MIN => i64::MAX,
                token => token,
            }),
            Self::Random => {
                let hash: [u8; 16] = Md5::digest(key).into();
                Token::Random(Some(i128::from_be_bytes(hash).unsigned_abs()))
            }
            Self::ByteOrdered | Self::Local(_) => Token::Bytes(key.to_vec()),
            Self::OrderPreserving => Token::Text(match std::str::from_utf8(key) {
                Ok(text) => text.to_owned(),
                Err(_) => hex(key),
            }),
        }
    }

    /// The token before all others. As the right end of a range it means the end of the ring.
    pub fn minimum(&self) -> Token {
        match self {
            Self::Murmur3 => Token::Murmur3(i64::MIN),
            Self::Random => Token::Random(None),
            Self::ByteOrdered | Self::Local(_) => Token::Bytes(Vec::new()),
            Self::OrderPreserving => Token::Text(String::new()),
        }
    }

    /// Parses a token as `system.local`, `nodetool ring` and [`Token`]'s `Display` write it.
    pub fn parse_token(&self, text: &str) -> Result<Token, TokenError> {
        let token = match self {
            Self::Murmur3 => text.parse().ok().map(Token::Murmur3),
            Self::Random if text == "-1" => Some(Token::Random(None)),
            Self::Random => text
                .parse()
                .ok()
                .filter(|value| *value <= RANDOM_MAX)
                .map(|value| Token::Random(Some(value))),
            Self::ByteOrdered | Self::Local(_) => unhex(text).map(Token::Bytes),
            Self::OrderPreserving => Some(Token::Text(text.to_owned())),
        };
        token.ok_or_else(|| TokenError {
            text: text.to_owned(),
            partitioner: self.name().to_owned(),
        })
    }
}

impl Token {
    /// Whether this is the minimum token, which no key has and which ends the ring.
    pub fn is_minimum(&self) -> bool {
        match self {
            Self::Murmur3(value) => *value == i64::MIN,
            Self::Random(value) => value.is_none(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Text(text) => text.is_empty(),
        }
    }

    /// The minimum of the partitioner whose token it is.
    fn minimum(&self) -> Self {
        match self {
            Self::Murmur3(_) => Self::Murmur3(i64::MIN),
            Self::Random(_) => Self::Random(None),
            Self::Bytes(_) => Self::Bytes(Vec::new()),
            Self::Text(_) => Self::Text(String::new()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Murmur3(_) => 0,
            Self::Random(_) => 1,
            Self::Bytes(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

impl Ord for Token {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Murmur3(a), Self::Murmur3(b)) => a.cmp(b),
            (Self::Random(a), Self::Random(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            // Java orders strings by their UTF-16 units.
            (Self::Text(a), Self::Text(b)) => a.encode_utf16().cmp(b.encode_utf16()),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for Token {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Murmur3(value) => write!(f, "{value}"),
            Self::Random(Some(value)) => write!(f, "{value}"),
            Self::Random(None) => f.write_str("-1"),
            Self::Bytes(bytes) => f.write_str(&hex(bytes)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// As Cassandra reads it: the leading zero of an odd number of digits may be left out.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let mut digits = digits?;
    if !digits.len().is_multiple_of(2) {
        digits.insert(0, 0);
    }
    let (pairs, _) = digits.as_chunks::<2>();
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests;
