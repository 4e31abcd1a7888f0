//! Where a remote object is.

use std::fmt;

use crate::java::tree::{Tree, Value};

/// The id of an object within its server: number, and where and when it was made.
pub const ID_BYTES: usize = 22;
/// The number of the registry, which has no other part of an id.
const REGISTRY_NUMBER: u64 = 0;
/// The class that every stub extends or refers to, and that writes where the object is.
const REMOTE_OBJECT: &str = "java.rmi.server.RemoteObject";

/// A remote object: the server's host and port, and its id there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub host: String,
    pub port: u16,
    pub id: [u8; ID_BYTES],
}

/// Why a value is no remote object that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceError {
    /// It is none.
    None,
    /// Its server is reached through a class of its own, such as one for TLS.
    SocketFactory,
}

impl Reference {
    /// The registry of a server.
    pub fn registry(host: &str, port: u16) -> Self {
        let mut id = [0; ID_BYTES];
        id[..8].copy_from_slice(&REGISTRY_NUMBER.to_be_bytes());
        Self {
            host: host.to_owned(),
            port,
            id,
        }
    }

    /// The object that a stub stands for.
    pub fn of_stub(tree: &Tree, stub: Value) -> Result<Self, ReferenceError> {
        // A stub that was made at run time has the reference in its handler.
        let handler = tree.field(stub, "h").unwrap_or(stub);
        let (_, parts) = tree.object(handler).ok_or(ReferenceError::None)?;
        let part = parts.iter().find(|part| &*part.class == REMOTE_OBJECT);
        let blocks = &part.ok_or(ReferenceError::None)?.blocks;
        Self::parsed(blocks)
    }

    fn parsed(blocks: &[u8]) -> Result<Self, ReferenceError> {
        let (kind, rest) = text(blocks).ok_or(ReferenceError::None)?;
        let rest = match (kind, rest) {
            ("UnicastRef", rest) | ("UnicastRef2", [0, rest @ ..]) => rest,
            ("UnicastRef2", [_, ..]) => return Err(ReferenceError::SocketFactory),
            _ => return Err(ReferenceError::None),
        };
        let address = || {
            let (host, rest) = text(rest)?;
            let (port, rest) = rest.split_first_chunk()?;
            let (id, _) = rest.split_first_chunk()?;
            Some(Self {
                host: host.to_owned(),
                port: u16::try_from(i32::from_be_bytes(*port)).ok()?,
                id: *id,
            })
        };
        address().ok_or(ReferenceError::None)
    }
}

/// host:port, an IPv6 address in brackets.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}
