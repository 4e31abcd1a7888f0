//! The call: what is sent, and what the reply says.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::exception::chain;
use super::reference::Reference;
use crate::error::JmxError;
use crate::java::read::{ReadError, Reader};
use crate::java::tree::Value;
use crate::java::write::Writer;
use crate::reply::Reply;

/// `JRMI`, version 2, and one call for this connection.
const HEADER: [u8; 7] = *b"JRMI\x00\x02\x4c";
const CALL: u8 = 0x50;
const RETURN: u8 = 0x51;
const RETURNED: u8 = 1;
const THROWN: u8 = 2;
/// The most that a reply may have: what gossip says of some thousands of nodes.
const REPLY_BYTES_MAX: u64 = 32 << 20;

/// A method of a remote object: its number and the hash of its interface, or no number and the hash of the method itself.
/// The hash of a method is the first eight bytes, the lowest first, of the SHA-1 of its name and types as Java writes them.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    pub number: i32,
    pub hash: i64,
}

impl Method {
    /// A method by its hash.
    pub const fn hashed(hash: i64) -> Self {
        Self { number: -1, hash }
    }
}

/// Calls a method and waits for its end, however long that takes.
pub async fn call(
    object: &Reference,
    method: Method,
    arguments: impl FnOnce(&mut Writer),
) -> Result<Reply, JmxError> {
    let request = request(object, method, arguments);
    let reply = exchange(object, &request).await;
    let reply = reply.map_err(|source| JmxError::Connection {
        address: object.to_string(),
        source,
    })?;
    let unexpected = |why: String| JmxError::Reply {
        address: object.to_string(),
        why,
    };
    let (kind, reply) = parse(&reply).map_err(|error| unexpected(error.to_string()))?;
    if kind == RETURNED {
        return Ok(reply);
    }
    match chain(&reply.tree, reply.value) {
        chain if chain.is_empty() => Err(unexpected("an exception that is none".to_owned())),
        chain => Err(JmxError::Thrown(chain)),
    }
}

fn request(object: &Reference, method: Method, arguments: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::of_call();
    let mut head = object.id.to_vec();
    head.extend(method.number.to_be_bytes());
    head.extend(method.hash.to_be_bytes());
    writer.block(&head);
    arguments(&mut writer);
    let mut request = HEADER.to_vec();
    request.push(CALL);
    request.extend(writer.into_bytes());
    request
}

/// The server closes the connection after its reply, so the reply ends where the connection does.
async fn exchange(object: &Reference, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect((object.host.as_str(), object.port)).await?;
    connection.write_all(request).await?;
    let mut reply = Vec::new();
    connection
        .take(REPLY_BYTES_MAX)
        .read_to_end(&mut reply)
        .await?;
    if reply.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(reply)
}

/// Whether the call has returned or thrown, and what.
fn parse(reply: &[u8]) -> Result<(u8, Reply), ReadError> {
    let (&first, stream) = reply.split_first().ok_or(ReadError::Cut)?;
    if first != RETURN {
        return Err(ReadError::Tag(first));
    }
    let mut reader = Reader::new(stream)?;
    // After the kind comes an id, by which a client could report that it has received references.
    let kind = *reader.block()?.first().ok_or(ReadError::Cut)?;
    if kind != RETURNED && kind != THROWN {
        return Err(ReadError::Tag(kind));
    }
    // A method without a result returns nothing, not even null.
    let value = if reader.is_at_end() {
        Value::Null
    } else {
        reader.value()?
    };
    Ok((kind, Reply::new(reader.into_tree(), value)))
}

/// Reads a recorded reply.
#[cfg(test)]
pub fn read_reply(bytes: &[u8]) -> Result<Reply, ReadError> {
    parse(bytes).map(|(_, reply)| reply)
}
