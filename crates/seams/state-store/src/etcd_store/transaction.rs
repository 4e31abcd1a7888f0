//! What transactions of etcd are made of, and the calls that carry them out.

use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::client::REPLY_BYTES_MAX;
use super::pb::compare::{CompareResult, CompareTarget, TargetUnion};
use super::pb::kv_client::KvClient;
use super::pb::request_op::Request as Op;
use super::pb::response_op::Response as OpResponse;
use super::pb::{
    Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RangeResponse, RequestOp,
    TxnRequest, TxnResponse,
};

pub(super) async fn range_of(
    channel: Channel,
    request: Request<RangeRequest>,
) -> Result<Response<RangeResponse>, Status> {
    let client = KvClient::new(channel);
    let mut client = client.max_decoding_message_size(REPLY_BYTES_MAX);
    client.range(request).await
}

pub(super) async fn txn(
    channel: Channel,
    request: Request<TxnRequest>,
) -> Result<Response<TxnResponse>, Status> {
    let client = KvClient::new(channel);
    let mut client = client.max_decoding_message_size(REPLY_BYTES_MAX);
    client.txn(request).await
}

pub(super) fn put(key: Vec<u8>, value: Vec<u8>, lease: i64) -> RequestOp {
    let put = PutRequest { key, value, lease };
    RequestOp {
        request: Some(Op::RequestPut(put)),
    }
}

pub(super) fn delete(key: Vec<u8>) -> RequestOp {
    delete_range(key, Vec::new())
}

/// All keys from the first to before the end; only the first if there is no end.
pub(super) fn delete_range(key: Vec<u8>, range_end: Vec<u8>) -> RequestOp {
    let delete = DeleteRangeRequest { key, range_end };
    RequestOp {
        request: Some(Op::RequestDeleteRange(delete)),
    }
}

/// What the first read of a transaction has found.
pub(super) fn first_found(reply: TxnResponse) -> Option<KeyValue> {
    match reply.responses.into_iter().next()?.response? {
        OpResponse::ResponseRange(range) => range.kvs.into_iter().next(),
        _ => None,
    }
}

/// Without the value.
pub(super) fn get_key(key: Vec<u8>) -> RequestOp {
    let range = RangeRequest {
        key,
        keys_only: true,
        ..RangeRequest::default()
    };
    RequestOp {
        request: Some(Op::RequestRange(range)),
    }
}

/// Holds if the key was created at that revision; 0: if there is none.
pub(super) fn compare_created(key: Vec<u8>, revision: i64) -> Compare {
    Compare {
        result: CompareResult::Equal as i32,
        target: CompareTarget::Create as i32,
        key,
        target_union: Some(TargetUnion::CreateRevision(revision)),
    }
}

/// The same for its last change.
pub(super) fn compare_changed(key: Vec<u8>, revision: i64) -> Compare {
    Compare {
        result: CompareResult::Equal as i32,
        target: CompareTarget::Mod as i32,
        key,
        target_union: Some(TargetUnion::ModRevision(revision)),
    }
}
