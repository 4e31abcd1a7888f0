//! What a request carries, so that it can be sent again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

use crate::twice::{Fault, PartSum, Reread};

/// The body of one try.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The bytes of a request.
#[derive(Clone)]
pub enum Payload {
    /// In memory, one after the other, without a copy.
    Pieces(Vec<Bytes>),
    /// Read again for each try.
    Again {
        bytes: u64,
        body: Arc<dyn Fn() -> Body + Send + Sync>,
        fault: Fault,
    },
}

impl Default for Payload {
    fn default() -> Self {
        Self::Pieces(Vec::new())
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Pieces(vec![bytes])
    }
}

impl Payload {
    pub fn again<H: PartSum + Sync>(part: Reread<H>) -> Self {
        Self::Again {
            bytes: part.size(),
            fault: part.fault(),
            body: Arc::new(move || part.body().map_err(Into::into).boxed_unsync()),
        }
    }

    /// Whether the bytes cannot be had again.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Again { fault, .. } if fault.is_set())
    }

    pub fn len(&self) -> u64 {
        match self {
            Self::Pieces(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Again { bytes, .. } => *bytes,
        }
    }

    pub fn body(&self) -> Body {
        match self {
            Self::Pieces(pieces) => {
                let pieces = pieces.iter().filter(|piece| !piece.is_empty());
                let pieces = Pieces(pieces.cloned().collect());
                pieces.map_err(|never| match never {}).boxed_unsync()
            }
            Self::Again { body, .. } => body(),
        }
    }
}

struct Pieces(VecDeque<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}
