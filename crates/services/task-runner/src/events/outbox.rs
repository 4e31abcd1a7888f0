//! Events that wait for a webhook: `outbox/<webhook>/<time>-<id>`.

use std::sync::Arc;

use state_store::{Direction, Entry, Expected, Page, StateError, StateStore, Write};

use super::Event;
use crate::engine::encode;

const OUTBOX: &str = "outbox/";

/// Writes events for each webhook. Clones share the names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    webhooks: Arc<[String]>,
}

impl Outbox {
    pub fn new(webhooks: impl Iterator<Item = String>) -> Self {
        Self {
            webhooks: webhooks.collect(),
        }
    }

    /// How many writes an event is.
    pub fn size(&self) -> usize {
        self.webhooks.len()
    }

    /// What puts an event into the outbox. Doing it again changes nothing, unless it was delivered meanwhile; then it is
    /// delivered again.
    pub fn writes(&self, event: &Event) -> Result<Vec<Write>, StateError> {
        let each = self.webhooks.iter().map(|webhook| {
            let key = key(webhook, event);
            let value = encode(&key, event)?;
            Ok(Write::put(key, value, Expected::Anything))
        });
        each.collect()
    }
}

/// Sorted by time, so that the oldest is delivered first. The whole fraction: a task may fail within a second.
fn key(webhook: &str, event: &Event) -> String {
    let at = event.at.strftime("%Y%m%dT%H%M%S%.9f");
    format!("{}{at}-{}", of_webhook(webhook), event.id)
}

fn of_webhook(webhook: &str) -> String {
    format!("{OUTBOX}{webhook}/")
}

/// The oldest events of a webhook.
pub(super) async fn oldest(
    store: &dyn StateStore,
    webhook: &str,
    limit: usize,
) -> Result<Page, StateError> {
    let prefix = of_webhook(webhook);
    store.page(&prefix, None, limit, Direction::Ascending).await
}

/// Takes an event out.
pub(super) async fn remove(store: &dyn StateStore, entry: &Entry) -> Result<(), StateError> {
    store.delete(&entry.key, Expected::Anything, None).await
}
