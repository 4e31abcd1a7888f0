//! What stands in front of every fake agent: it keeps account of its callers' fences, and refuses lower ones as a real one does.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use api::ErrorKind;
use api::access::find;
use api::fence::{FENCED, Fences};
use futures::future::Either;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;

use crate::fleet::{Fleet, Work, refuse};

#[derive(Clone)]
pub struct FencedAgent<S> {
    pub inner: S,
    pub fleet: Fleet,
    pub node: String,
}

impl<S: NamedService> NamedService for FencedAgent<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for FencedAgent<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<http::Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if self.admits(&request) {
            return Either::Left(self.inner.call(request));
        }
        let refused = refuse("fenced", ErrorKind::FailedPrecondition, FENCED);
        Either::Right(ready(Ok(refused.into_http())))
    }
}

/// Calls that undo or clear what is left, and that change only how fast is worked: they are made also without a claim.
const WITHOUT_CLAIM: [&str; 6] = [
    "ClearSnapshot",
    "ClearTrial",
    "FinishRestore",
    "LetClientsIn",
    "ClearLeftovers",
    "SetLimits",
];

impl<S> FencedAgent<S> {
    /// In the simulation the agents know what tasks have claimed, and not only the runners.
    fn check_has_claim(&self, method: &str, fences: &Fences) {
        if !WITHOUT_CLAIM.contains(&method) {
            self.fleet.require_claim(method, fences, &Work::Any);
        }
    }

    fn admits(&self, request: &http::Request<Body>) -> bool {
        let rpc = find(request.uri().path()).expect("a known rpc");
        if !rpc.changes {
            return true;
        }
        let metadata = MetadataMap::from_headers(request.headers().clone());
        let fences = Fences::of_call(&metadata).expect("fences");
        let rule = "a call that changes something is made under fences";
        self.fleet.require(!fences.is_empty(), rule);
        self.check_has_claim(rpc.method, &fences);
        let mut facts = self.fleet.facts();
        let seen = facts.fences.entry(self.node.clone()).or_default();
        let is_lower = |(scope, number)| seen.get(&scope).is_some_and(|seen| number < *seen);
        if fences.iter().any(is_lower) {
            facts.fenced.push(format!("{} {}", rpc.method, self.node));
            return false;
        }
        seen.extend(fences.iter());
        let call = (rpc.method.to_owned(), fences);
        facts.fenced_calls.push(call);
        true
    }
}
