//! Changes what `fill` has made, in a way that every digest sees.

use anyhow::{Context, Result};
use tracing::info;

use super::edits::{customer_key, event_key, hit, sensor_key};
use super::rows::counts;
use super::values::{EPOCH_MS, id_of, order_place, sensor, sku, time_uuid};
use super::{Scale, settle};
use crate::cluster::Cluster;
use crate::random::Random;
use crate::session;

/// Inserts, updates and deletes in every table; another seed changes other rows to other values.
pub async fn change(cluster: &Cluster, seed: u64) -> Result<()> {
    let session = cluster.session().await?;
    info!("changing rows with seed {seed}");
    // One after the other, so that of two changes to one row the later one wins everywhere.
    for statement in statements(seed) {
        session::run(&session, &statement)
            .await
            .context("run `lab fill` first")?;
    }
    settle(cluster).await
}

/// Only rows that are there at every scale are touched.
fn statements(seed: u64) -> Vec<String> {
    let counts = counts(Scale::Small);
    let mut random = Random::named("change", seed);
    let mut statements = Vec::new();
    for _ in 0..8 {
        let (placed_at, line) = order_place(random.below(counts.orders_each));
        let row = format!("placed_at = {placed_at} AND line = {line}");
        let key = customer_key(random.below(counts.customers));
        statements.push(format!(
            "UPDATE shop.orders SET note = 'changed by {seed}', tags = tags + {{'seed {seed}'}} WHERE {key} AND {row}"
        ));
    }
    // A customer that no other seed and no fill has.
    statements.push(format!(
        "UPDATE shop.orders SET product = 'new with {seed}' WHERE {} AND placed_at = {EPOCH_MS} AND line = 0",
        customer_key(1_000_000 + seed)
    ));
    let gone = 1 + random.below(counts.customers - 1);
    statements.push(format!(
        "DELETE FROM shop.orders WHERE {}",
        customer_key(gone)
    ));
    let product = random.below(counts.products);
    statements.push(format!(
        "UPDATE shop.products SET name = 'renamed by {seed}', category = 'changed' WHERE sku = '{}'",
        sku(product)
    ));
    statements.push(format!(
        "INSERT INTO shop.products (sku, category, maker) VALUES ('new-{seed}', 'changed', 'amber')"
    ));
    statements.push(format!(
        "INSERT INTO shop.events (source, day, id, level) VALUES ('changed', 0, {}, 'seed {seed}')",
        time_uuid("change", seed, 0)
    ));
    statements.push(format!(
        "DELETE FROM shop.events WHERE {}",
        event_key(random.below(counts.sources))
    ));
    statements.push(hit(random.below(counts.pages), 1 + seed));
    let types = random.below(counts.all_types);
    statements.push(format!(
        "UPDATE shop.all_types SET v_text = 'seed {seed}' WHERE id = {types}"
    ));
    statements.push(format!(
        "INSERT INTO shop.baskets (owner, items, opened_at) VALUES ({}, {{'seed {seed}'}}, {EPOCH_MS})",
        id_of("owner", 1_000_000 + seed)
    ));
    statements.push(format!(
        "UPDATE \"Metrics_2\".\"Samples\" SET \"Value\" = {seed}.5 WHERE {} AND \"At\" = {EPOCH_MS}",
        sensor_key(random.below(counts.sensors))
    ));
    statements.push(format!(
        "UPDATE \"Metrics_2\".latest SET reading = {seed}.25 WHERE sensor = '{}' AND kind = 'kind-1'",
        sensor(random.below(counts.readings / 4))
    ));
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_changes_and_another_makes_others() {
        assert_eq!(statements(1), statements(1));
        assert_ne!(statements(1), statements(2));
    }
}
