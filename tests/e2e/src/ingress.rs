//! Routes gRPC calls by service name to the processes behind, as an ingress does in production.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

/// A service's full gRPC name and the address behind it.
pub type Route = (&'static str, String);

/// Starts routing on a free port; it ends with the runtime.
pub async fn start(routes: &[Route]) -> Result<SocketAddr> {
    let mut router = Router::new();
    for (service, address) in routes {
        let channel = api::client::channel(address, None)?;
        router = router.route(
            &format!("/{service}/{{method}}"),
            axum::routing::any(move |request| forward(channel.clone(), request)),
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tonic::transport::Server::builder().add_routes(router.into());
    tokio::spawn(server.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
    Ok(address)
}

async fn forward(mut channel: Channel, request: Request) -> Response {
    let answer = async {
        let channel = channel.ready().await?;
        channel.call(request.map(Body::new)).await
    };
    match answer.await {
        Ok(answer) => answer.map(axum::body::Body::new),
        Err(error) => tonic::Status::unavailable(error.to_string())
            .into_http::<Body>()
            .map(axum::body::Body::new)
            .into_response(),
    }
}
