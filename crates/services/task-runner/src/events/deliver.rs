//! Sends the events of the outbox, on the runner that holds a lease; each webhook at its own pace.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chassis::webhook::{PostError, Webhook, WebhookConfig};
use futures::future::join_all;
use jiff::SignedDuration;
use state_store::{Entry, StateError};
use tokio::time::{Instant, sleep, sleep_until};

use super::Event;
use super::outbox::{oldest, remove, remove_unknown};
use crate::engine::{Engine, Leading, decode};

/// The lease of the runner that delivers. Two that believe to hold it deliver the same twice, which receivers expect.
const DELIVERER: &str = "events";
/// How often the outbox is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a runner that does not deliver asks for the lease.
const LEASE_EVERY: Duration = Duration::from_secs(5);
/// How often events of webhooks that are no longer in the settings are deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// The first pause after a failure; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Events that wait for one webhook; of more, the oldest are dropped.
const WAITING_MAX: usize = 1_000;
/// Those that are dropped at once then; and those that are sent before it is checked again how many wait.
const AT_ONCE: usize = 100;

/// A receiver, and how long the next pause is.
struct Receiver {
    config: WebhookConfig,
    webhook: Webhook,
    /// How long one try may take at most. Beyond the settings, a third of the lease.
    limit: Duration,
    pause: Duration,
    next_try: Instant,
}

/// Delivers, and deletes what can no longer be delivered, until the runner drains.
pub(crate) async fn deliver_loop(engine: Arc<Engine>) {
    let mut receivers = receivers(&engine);
    // Deletes what others delete, too, so it needs no lease.
    let sweep = engine
        .drain
        .clone()
        .run_until_cancelled_owned(sweep(&engine));
    tokio::join!(sweep, deliver_until_drained(&engine, &mut receivers));
}

/// Delivers until the runner drains; never if there are no webhooks.
async fn deliver_until_drained(engine: &Arc<Engine>, receivers: &mut [Receiver]) {
    if receivers.is_empty() {
        return;
    }
    let mut lease = None;
    while !engine.drain.is_cancelled() {
        // What is being sent when the runner drains is sent again by the next one.
        let round = tokio::select! {
            () = engine.drain.cancelled() => break,
            round = deliver_while_leading(engine, &mut lease, receivers) => round,
        };
        if let Err(error) = round {
            // A lease that is lost is taken again; after any other failure it may still be held.
            if matches!(error, StateError::Fenced { .. }) {
                lease = None;
            }
            let error = api::error::chain(&error);
            tracing::debug!(error, "events wait: the state cannot be reached");
        }
        tokio::select! {
            () = engine.drain.cancelled() => {}
            () = sleep(LEASE_EVERY) => {}
        }
    }
    if let Some(lease) = lease {
        lease.release(engine).await;
    }
}

fn receivers(engine: &Engine) -> Vec<Receiver> {
    let mut receivers = Vec::new();
    for config in &engine.context.config.events.webhooks {
        show_counters(&config.name);
        match Webhook::open(config) {
            Ok(webhook) => receivers.push(Receiver {
                config: config.clone(),
                webhook,
                limit: engine.context.tasks.lease_ttl() / 3,
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

/// Puts the counters of a webhook on the page with 0: of a counter that begins with 1, Prometheus sees no increase.
fn show_counters(webhook: &str) {
    let webhook = webhook.to_owned();
    metrics::counter!("ringkeep_events_delivered_total", "webhook" => webhook.clone()).increment(0);
    metrics::counter!("ringkeep_events_failed_total", "webhook" => webhook.clone()).increment(0);
    metrics::counter!("ringkeep_events_dropped_total", "webhook" => webhook).increment(0);
}

/// Delivers for as long as this runner has the lease; returns at once if another has it.
async fn deliver_while_leading(
    engine: &Arc<Engine>,
    lease: &mut Option<Leading>,
    receivers: &mut [Receiver],
) -> Result<(), StateError> {
    if lease.is_none() {
        *lease = Leading::take(engine, DELIVERER).await?;
    }
    let Some(leading) = lease else {
        return Ok(());
    };
    let forever = join_all(receivers.iter_mut().map(|one| one.deliver_on(engine)));
    leading.during(engine, forever).await.map(drop)
}

/// Deletes what waits for webhooks that are no longer in the settings, once it is too old to be delivered: a task-runner that
/// has other settings until its restart may still deliver it.
async fn sweep(engine: &Engine) -> Infallible {
    loop {
        let oldest = (engine.context.clock)().checked_sub(keep(engine));
        if let Ok(oldest) = oldest {
            let names: Vec<&str> = engine
                .context
                .config
                .events
                .webhooks
                .iter()
                .map(|webhook| webhook.name.as_str())
                .collect();
            let store = engine.context.store.as_ref();
            if let Err(error) = remove_unknown(store, &names, oldest).await {
                let error = api::error::chain(&error);
                tracing::debug!(error, "events of webhooks that were removed are kept");
            }
        }
        sleep(SWEEP_EVERY).await;
    }
}

/// For how long an event may wait.
fn keep(engine: &Engine) -> SignedDuration {
    let hours = i64::try_from(engine.context.config.events.keep_hours).unwrap_or(i64::MAX);
    SignedDuration::from_secs(hours.saturating_mul(3_600))
}

impl Receiver {
    /// Delivers forever.
    async fn deliver_on(&mut self, engine: &Engine) -> Infallible {
        loop {
            if let Err(error) = self.deliver(engine).await {
                let error = api::error::chain(&error);
                tracing::debug!(error, "events wait: the state cannot be reached");
            }
            sleep_until(self.next_try.max(Instant::now() + LOOK_EVERY)).await;
        }
    }

    /// Delivers what waits, one after the other, until one cannot be delivered.
    async fn deliver(&mut self, engine: &Engine) -> Result<(), StateError> {
        if Instant::now() < self.next_try {
            return Ok(());
        }
        let store = engine.context.store.as_ref();
        let page = oldest(store, &self.config.name, WAITING_MAX).await?;
        let surplus = if page.more { AT_ONCE } else { 0 };
        for (at, entry) in page.entries.iter().take(AT_ONCE).enumerate() {
            let why = match at < surplus {
                true => Some("too many events wait"),
                false => too_old(engine, entry),
            };
            if let Some(why) = why {
                self.drop(&entry.key, why);
                remove(store, entry).await?;
                continue;
            }
            match self.webhook.post(entry.value.to_string(), self.limit).await {
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

    fn count_delivered(&mut self) {
        self.pause = PAUSE_FIRST;
        let webhook = self.config.name.clone();
        metrics::counter!("ringkeep_events_delivered_total", "webhook" => webhook).increment(1);
    }

    fn back_off(&mut self, error: &PostError) {
        let webhook = self.config.name.clone();
        metrics::counter!("ringkeep_events_failed_total", "webhook" => webhook).increment(1);
        let (error, pause_seconds) = (api::error::chain(error), self.pause.as_secs());
        tracing::warn!(
            webhook = self.config.name,
            error,
            pause_seconds,
            "event not delivered; another try follows"
        );
        self.next_try = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        // The cause may be a certificate that has ended and was replaced.
        if let Ok(webhook) = Webhook::open(&self.config) {
            self.webhook = webhook;
        }
    }

    fn drop(&self, key: &str, why: &str) {
        let webhook = self.config.name.clone();
        metrics::counter!("ringkeep_events_dropped_total", "webhook" => webhook).increment(1);
        tracing::error!(webhook = self.config.name, key, why, "event dropped");
    }
}

/// Why an event is no longer delivered, if it is too old or no event.
fn too_old(engine: &Engine, entry: &Entry) -> Option<&'static str> {
    let Ok(event) = decode::<Event>(entry.clone()) else {
        return Some("it cannot be read");
    };
    let age = (engine.context.clock)().duration_since(event.at);
    (age > keep(engine)).then_some("it could not be delivered for too long")
}
