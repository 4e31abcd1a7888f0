//! Events of tasks and schedules: written to the log, and sent to webhooks.
//!
//! - [`event`]: what an event is, as its receivers get it.
//! - [`outbox`]: events that wait for a webhook, in the state store.
//! - [`deliver`]: sends them, on one runner of several.
//!
//! An event is put into the outbox by the transaction that changes what it is about, so that none is lost, whatever dies. It
//! is taken out once its receiver has replied: so it may arrive more than once, each time with the same id. Nothing waits for
//! a receiver: one that is down costs entries in the outbox, of which the oldest are dropped after a while.

mod config;
mod deliver;
mod event;
mod outbox;

pub use config::{EventsConfig, EventsError};
pub(crate) use deliver::deliver_loop;
pub(crate) use event::Event;
pub(crate) use outbox::Outbox;
