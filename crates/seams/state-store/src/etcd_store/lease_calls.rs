//! The calls of etcd's leases.

use futures::StreamExt;
use futures::stream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::pb::lease_client::LeaseClient;
use super::pb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse,
    LeaseRevokeRequest, LeaseRevokeResponse,
};

pub(super) async fn grant(
    channel: Channel,
    request: Request<LeaseGrantRequest>,
) -> Result<Response<LeaseGrantResponse>, Status> {
    LeaseClient::new(channel).lease_grant(request).await
}

pub(super) async fn revoke(
    channel: Channel,
    request: Request<LeaseRevokeRequest>,
) -> Result<Response<LeaseRevokeResponse>, Status> {
    LeaseClient::new(channel).lease_revoke(request).await
}

/// One renewal. etcd has only a stream for it, which stays open until the reply is there.
pub(super) async fn keep_alive(
    channel: Channel,
    request: Request<LeaseKeepAliveRequest>,
) -> Result<Response<LeaseKeepAliveResponse>, Status> {
    let (metadata, extensions, renewal) = request.into_parts();
    let renewals = stream::iter([renewal]).chain(stream::pending());
    let request = Request::from_parts(metadata, extensions, renewals);
    let mut client = LeaseClient::new(channel);
    let mut replies = client.lease_keep_alive(request).await?.into_inner();
    match replies.message().await? {
        Some(reply) => Ok(Response::new(reply)),
        None => Err(Status::unavailable(
            "etcd has closed the stream of renewals",
        )),
    }
}
