//! Sends the events of the outbox, on the runner that holds a lease; each webhook at its own pace.

use std::sync::Arc;
use std::time::Duration;

use chassis::webhook::{PostError, Webhook};
use futures::future::join_all;
use jiff::SignedDuration;
use state_store::{Entry, Fence, StateError};
use tokio::time::{Instant, sleep};

use super::Event;
use super::outbox::{oldest, remove};
use crate::engine::{Engine, decode};

/// The lease of the runner that delivers. Two that believe to hold it deliver the same twice, which receivers expect.
const DELIVERER: &str = "events";
/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a runner that does not deliver asks for the lease.
const LEASE_EVERY: Duration = Duration::from_secs(5);
/// The first pause after a failure; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Events that wait for one webhook; of more, the oldest are dropped.
const WAITING_MAX: usize = 1_000;
/// Those that are dropped at once then.
const DROPPED_AT_ONCE: usize = 100;

/// A receiver, and when it is tried next.
struct Receiver {
    name: String,
    webhook: Webhook,
    pause: Duration,
    next_try: Instant,
}

struct Lease {
    fence: Fence,
    renewed_at: Instant,
}

/// Delivers until the runner drains; never if there are no webhooks.
pub(crate) async fn deliver_loop(engine: Arc<Engine>) {
    let mut receivers = receivers(&engine);
    let mut lease = None;
    while !receivers.is_empty() && !engine.drain.is_cancelled() {
        // What is being sent when the runner drains is sent again by the next one.
        let round = tokio::select! {
            () = engine.drain.cancelled() => break,
            round = deliver_round(&engine, &mut lease, &mut receivers) => round,
        };
        let pause = match round {
            Ok(true) => LOOK_EVERY,
            Ok(false) => LEASE_EVERY,
            Err(error) => {
                lease = None;
                let error = api::error::chain(&error);
                tracing::debug!(error, "events wait: the state cannot be reached");
                LEASE_EVERY
            }
        };
        tokio::select! {
            () = engine.drain.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
    if let Some(Lease { fence, .. }) = lease {
        // If this fails, the lease runs out.
        let _ = engine.context.store.release(&fence).await;
    }
}

fn receivers(engine: &Engine) -> Vec<Receiver> {
    let mut receivers = Vec::new();
    for config in &engine.context.config.events.webhooks {
        match Webhook::open(config) {
            Ok(webhook) => receivers.push(Receiver {
                name: config.name.clone(),
                webhook,
                pause: PAUSE_FIRST,
                next_try: Instant::now(),
            }),
            // It was checked at the start, and a file may have gone since.
            Err(error) => {
                let error = api::error::chain(&error);
                tracing::error!(webhook = config.name, error, "webhook gets no events");
            }
        }
    }
    receivers
}

/// Returns whether this runner is the one that delivers.
async fn deliver_round(
    engine: &Engine,
    lease: &mut Option<Lease>,
    receivers: &mut [Receiver],
) -> Result<bool, StateError> {
    let store = &engine.context.store;
    let ttl = engine.context.tasks.lease_ttl();
    let asked_at = Instant::now();
    match lease {
        Some(lease) if asked_at < lease.renewed_at + ttl / 3 => {}
        Some(lease) => {
            store.renew(&lease.fence, ttl).await?;
            lease.renewed_at = asked_at;
        }
        None => match store.acquire(DELIVERER, &engine.holder, ttl).await {
            Ok(fence) => {
                let renewed_at = asked_at;
                *lease = Some(Lease { fence, renewed_at });
            }
            Err(StateError::LeaseHeld { .. }) => return Ok(false),
            Err(error) => return Err(error),
        },
    }
    let until = Instant::now() + ttl / 3;
    let each = receivers
        .iter_mut()
        .map(|receiver| receiver.deliver(engine, until));
    for delivered in join_all(each).await {
        delivered?;
    }
    Ok(true)
}

impl Receiver {
    /// Delivers what waits, one after the other, until one cannot be delivered or the time is over.
    async fn deliver(&mut self, engine: &Engine, until: Instant) -> Result<(), StateError> {
        if Instant::now() < self.next_try {
            return Ok(());
        }
        let store = engine.context.store.as_ref();
        let page = oldest(store, &self.name, WAITING_MAX).await?;
        let surplus = if page.more { DROPPED_AT_ONCE } else { 0 };
        for (at, entry) in page.entries.iter().enumerate() {
            if engine.drain.is_cancelled() || Instant::now() >= until {
                return Ok(());
            }
            let why = match at < surplus {
                true => Some("too many events wait"),
                false => self.too_old(engine, entry),
            };
            if let Some(why) = why {
                self.drop(&entry.key, why);
                remove(store, entry).await?;
                continue;
            }
            match self.webhook.post(entry.value.to_string()).await {
                Ok(()) => self.count_delivered(),
                Err(error) if error.may_pass() => {
                    self.back_off(&error);
                    return Ok(());
                }
                Err(error) => self.drop(&entry.key, &api::error::chain(&error)),
            }
            // If this is lost, it is delivered again.
            remove(store, entry).await?;
        }
        Ok(())
    }

    /// Why an event is no longer delivered, if it is too old or no event.
    fn too_old(&self, engine: &Engine, entry: &Entry) -> Option<&'static str> {
        let Ok(event) = decode::<Event>(entry.clone()) else {
            return Some("it cannot be read");
        };
        let hours = i64::try_from(engine.context.config.events.keep_hours).unwrap_or(i64::MAX);
        let keep = SignedDuration::from_secs(hours.saturating_mul(3_600));
        let age = (engine.context.clock)().duration_since(event.at);
        (age > keep).then_some("it could not be delivered for too long")
    }

    fn count_delivered(&mut self) {
        self.pause = PAUSE_FIRST;
        let webhook = self.name.clone();
        metrics::counter!("ringkeep_events_delivered_total", "webhook" => webhook).increment(1);
    }

    fn back_off(&mut self, error: &PostError) {
        let webhook = self.name.clone();
        metrics::counter!("ringkeep_events_failed_total", "webhook" => webhook).increment(1);
        let (error, pause_seconds) = (api::error::chain(error), self.pause.as_secs());
        tracing::warn!(
            webhook = self.name,
            error,
            pause_seconds,
            "event not delivered; another try follows"
        );
        self.next_try = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn drop(&self, key: &str, why: &str) {
        let webhook = self.name.clone();
        metrics::counter!("ringkeep_events_dropped_total", "webhook" => webhook).increment(1);
        tracing::error!(webhook = self.name, key, why, "event dropped");
    }
}
