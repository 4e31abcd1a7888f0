//! Remote Method Invocation: one call to one remote object over one connection.

mod call;
mod exception;
mod reference;

#[cfg(test)]
pub use call::read_reply;
pub use call::{Method, call};
#[cfg(test)]
pub use exception::chain;
pub use reference::{Reference, ReferenceError};
