//! A client of Java Management Extensions (JMX) over RMI: reads attributes and invokes operations of MBeans.
//!
//! It speaks the wire protocols itself, so that a call costs milliseconds and no memory, where a Java program beside the
//! server costs seconds and a heap. [`Server::connect`] looks the connector up in the RMI registry and logs in;
//! [`Session`] makes calls. Every call is a TCP connection of its own: no state survives a server that was restarted.
//!
//! What a server sends is decoded into a tree of plain data, within limits of size and depth; no class of it is known but
//! those of the values that callers ask for. Servers that want TLS are refused with [`JmxError::Unsupported`].
//!
//! Sources: the RMI wire protocol (chapter 10 of the Java RMI specification), the Java object serialization protocol
//! (chapter 6 of its specification), and the interfaces `RMIServer` and `RMIConnection` of `javax.management.remote.rmi`.

#![warn(missing_docs)]

mod argument;
mod error;
mod java;
mod reply;
mod rmi;
mod session;

pub use argument::Argument;
pub use error::{JmxError, Thrown};
pub use reply::Reply;
pub use session::{Server, Session};
