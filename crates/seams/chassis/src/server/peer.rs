//! Who is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::certificate::Holder;

/// The other end of a connection, as each of its calls knows it. A call over a pipe in memory has none.
#[derive(Debug, Clone)]
pub struct Peer {
    pub remote: Option<SocketAddr>,
    pub local: Option<SocketAddr>,
    /// From the client's certificate, verified; none without one.
    pub holder: Option<Arc<Holder>>,
}
