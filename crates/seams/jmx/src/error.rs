//! Why a call over JMX failed.

use std::fmt;
use std::io;

/// An exception that the server has thrown, or one that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thrown {
    /// The class with its package, for example `java.io.IOException`.
    pub class: String,
    /// Empty if it has none.
    pub message: String,
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.class.rsplit(['.', '$']).next().unwrap_or(&self.class);
        if self.message.is_empty() {
            write!(f, "{name}")
        } else {
            write!(f, "{name}: {}", self.message)
        }
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum JmxError {
    /// Nothing listens where the registry would, which is the case for a program that does not run.
    #[error("nothing listens for JMX at {address}")]
    Down {
        /// host:port.
        address: String,
    },
    /// The server cannot be connected to, although something may run there, or the connection broke off.
    #[error("cannot reach JMX at {address}: {source}")]
    Connection {
        /// host:port.
        address: String,
        /// What the system reports.
        source: io::Error,
    },
    /// The server refused user and password, or wants them.
    #[error("JMX refused the login: {}", told(.0))]
    Login(Vec<Thrown>),
    /// The server carried the call out, and it threw. The outermost exception comes first, its causes after it.
    #[error("{}", told(.0))]
    Thrown(Vec<Thrown>),
    /// The server is of a kind that this client does not speak with, for example one that wants TLS.
    #[error("JMX at {address} is not supported: {why}")]
    Unsupported {
        /// host:port.
        address: String,
        /// What is not supported.
        why: String,
    },
    /// The server sent what is no reply of the protocol, or a value of another type than was asked for.
    #[error("JMX at {address} sent an unexpected reply: {why}")]
    Reply {
        /// host:port.
        address: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The innermost exceptions explain most: the outer ones only say that a call failed.
fn told(chain: &[Thrown]) -> String {
    let told: Vec<String> = chain.iter().map(ToString::to_string).collect();
    told.join(", caused by ")
}
