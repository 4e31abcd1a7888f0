//! A server in the same process, reached through pipes in memory instead of TCP.

use std::convert::Infallible;
use std::io;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::{Access, Limits, layered};

/// Buffer of a pipe in each direction.
const PIPE_BYTES: usize = 256 << 10;
/// Connections that wait to be served. A channel makes one and keeps it.
const CONNECTIONS_WAITING_MAX: usize = 4;

/// Serves routes in this process and returns a channel to them. A call passes the same layers as over TCP.
///
/// The server ends with the last clone of the channel.
pub fn in_memory(routes: Routes) -> Channel {
    let (connect, connections) = mpsc::channel::<DuplexStream>(CONNECTIONS_WAITING_MAX);
    let incoming = ReceiverStream::new(connections).map(Ok::<_, Infallible>);
    let serving = layered(Access::Open, Limits::IN_PROCESS)
        .add_routes(routes)
        .serve_with_incoming(incoming);
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "a server in memory failed");
        }
    });
    // The name is never looked up.
    Endpoint::from_static("http://in-memory").connect_with_connector_lazy(service_fn(move |_| {
        let connect = connect.clone();
        async move {
            let (near, far) = tokio::io::duplex(PIPE_BYTES);
            connect.send(far).await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(TokioIo::new(near))
        }
    }))
}
