//! Events that wait for a webhook: `outbox/<webhook>/<time>-<id>`.

use std::sync::Arc;

use jiff::Timestamp;
use state_store::{Direction, Entry, Expected, Page, StateError, StateStore, Write};

use super::Event;
use crate::engine::encode;

const OUTBOX: &str = "outbox/";
/// Events that are read at once.
const PAGE_ENTRIES: usize = 200;

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
    format!("{}{}-{}", of_webhook(webhook), time(event.at), event.id)
}

/// Sorts by time.
fn time(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%S%.9f").to_string()
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

/// Deletes what waits since before `oldest` for webhooks that have none of these names.
pub(super) async fn remove_unknown(
    store: &dyn StateStore,
    names: &[&str],
    oldest: Timestamp,
) -> Result<(), StateError> {
    let oldest = time(oldest);
    let mut after: Option<String> = None;
    loop {
        let page = store.page(OUTBOX, after.as_deref(), PAGE_ENTRIES, Direction::Ascending);
        let page = page.await?;
        for entry in &page.entries {
            let Some((webhook, rest)) = entry.key[OUTBOX.len()..].split_once('/') else {
                continue;
            };
            if !names.contains(&webhook) && *rest < *oldest {
                tracing::warn!(key = entry.key, "event deleted: its webhook was removed");
                remove(store, entry).await?;
            }
        }
        after = page.entries.last().map(|entry| entry.key.clone());
        if !page.more {
            return Ok(());
        }
    }
}
