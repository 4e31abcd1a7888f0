//! The layer that refuses what a caller's role may not do.
//!
//! On a server with mutual TLS every call needs a row in [`api::access`] that names a role of the caller's certificate.
//! Without mutual TLS nobody is known, and every call is allowed.

use std::task::{Context, Poll};

use api::access::{self, Role};
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tower::{Layer, Service};

use super::peer::Peer;

#[derive(Debug, Clone, Copy)]
pub(super) struct AccessLayer {
    /// Whether calls need a role.
    pub by_role: bool,
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access {
            inner,
            by_role: self.by_role,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Access<S> {
    inner: S,
    by_role: bool,
}

impl<S> Service<Request<Body>> for Access<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let peer = request.extensions().get::<Peer>().cloned();
        if self.by_role
            && let Err(refused) = check(request.uri().path(), peer.as_ref())
        {
            return Box::pin(async move { Ok(refused.into_http()) });
        }
        if self.by_role {
            request.extensions_mut().insert(caller(peer.as_ref()));
        }
        if let Some(peer) = peer {
            // Handlers read the addresses of a call where tonic puts them.
            request.extensions_mut().insert(TcpConnectInfo {
                local_addr: peer.local,
                remote_addr: peer.remote,
            });
        }
        Box::pin(self.inner.call(request))
    }
}

/// The roles of a caller, among the extensions of its requests on a server with mutual TLS; on others callers are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRoles(pub Vec<Role>);

fn caller(peer: Option<&Peer>) -> CallerRoles {
    let holder = peer.and_then(|peer| peer.holder.as_deref());
    CallerRoles(
        holder
            .map(|holder| holder.roles.clone())
            .unwrap_or_default(),
    )
}

/// Whether the peer may make the call. A path without a row is one that no service has.
fn check(path: &str, peer: Option<&Peer>) -> Result<(), Status> {
    let Some(rpc) = access::find(path) else {
        return Err(Status::unimplemented("there is no such rpc"));
    };
    let holder = peer.and_then(|peer| peer.holder.as_deref());
    let (roles, unknown) = match holder {
        Some(holder) => (holder.roles.as_slice(), holder.unknown_roles.as_slice()),
        None => Default::default(),
    };
    access::check(rpc, roles, unknown).map_err(|refusal| {
        api::error::denied(refusal.reason(), &refusal.to_string(), refusal.hint())
    })
}
