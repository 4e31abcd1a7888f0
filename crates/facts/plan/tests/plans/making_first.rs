//! A CREATE that the target refuses must cost nothing: all that is missing is made before anything is replaced.

use model::SchemaKind;
use plan::{RequestedMode, RestoreOptions, RestoreRequest, StepKind, plan_restore};

use crate::world::*;

/// The statements of the two steps, each up to its columns or options.
#[track_caller]
fn check_steps(request: &RestoreRequest, made: &[&str], replaced: &[&str]) {
    let plan = plan_restore(request);
    assert!(plan.supported, "{:?}", plan.findings);
    for (kind, expected) in [(StepKind::Schema, made), (StepKind::Replace, replaced)] {
        let found = statements(&plan, kind).iter().map(|cql| head(cql));
        let found: Vec<&str> = found.collect();
        assert_eq!(found, expected, "{kind}");
    }
}

fn head(cql: &str) -> &str {
    let end = [" (", " WITH ", " AS ", " RETURNS "]
        .iter()
        .filter_map(|mark| cql.find(mark))
        .min();
    &cql[..end.unwrap_or(cql.len())]
}

#[test]
fn what_is_missing_is_made_before_anything_is_dropped_or_emptied() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .entry(
            SchemaKind::Type,
            "shop.money",
            "",
            &["CREATE TYPE shop.money (amount int)"],
        )
        .table("shop.zebras", 3, "id int PRIMARY KEY, c text")
        .index("shop.by_c", "orders")
        .index("shop.by_stripe", "zebras")
        .keyspace("blog")
        .table("blog.posts", 4, "id int PRIMARY KEY, c text")
        .table("shop.apples", 5, "id int PRIMARY KEY, c text")
        .index("shop.by_colour", "apples");
    target.table("shop.apples", 6, "id int PRIMARY KEY");
    check_steps(
        &request(&source, &target),
        &[
            "CREATE KEYSPACE IF NOT EXISTS blog",
            "CREATE TYPE IF NOT EXISTS shop.money",
            "CREATE TABLE IF NOT EXISTS blog.posts",
            "CREATE INDEX IF NOT EXISTS by_c ON shop.orders",
            "CREATE TABLE IF NOT EXISTS shop.zebras",
            "CREATE INDEX IF NOT EXISTS by_stripe ON shop.zebras",
        ],
        &[
            "DROP TABLE IF EXISTS shop.apples",
            "CREATE TABLE IF NOT EXISTS shop.apples",
            // It is empty, but lost its truncation record with the DROP.
            "TRUNCATE TABLE shop.apples",
            "CREATE INDEX IF NOT EXISTS by_colour ON shop.apples",
            "TRUNCATE TABLE shop.\"Metrics_2\"",
            "TRUNCATE TABLE shop.orders",
            // It was made over the old rows.
            "DROP INDEX IF EXISTS shop.by_c",
            "CREATE INDEX IF NOT EXISTS by_c ON shop.orders",
        ],
    );
}

#[test]
fn into_an_empty_cluster_nothing_is_replaced() {
    let (source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    check_steps(
        &request(&source, &empty("cassandra 4.1.9")),
        &[
            "CREATE KEYSPACE IF NOT EXISTS shop",
            "CREATE TABLE IF NOT EXISTS shop.\"Metrics_2\"",
            "CREATE TABLE IF NOT EXISTS shop.orders",
        ],
        &[],
    );
}

#[test]
fn in_place_a_view_is_dropped_only_with_a_table_that_has_to_be_made_from_the_start() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .view("shop.v", 3, "orders")
        .view("shop.w", 4, "Metrics_2");
    let of_orders = source.entries.iter_mut().find(|it| it.name == "orders");
    let dropped_column = "ALTER TABLE shop.orders DROP old USING TIMESTAMP 1700000000000000";
    of_orders.expect("orders").cql.push(dropped_column.into());
    target.without("shop.orders").without("shop.Metrics_2");
    let request = RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    };
    check_steps(
        &request,
        &[
            "DROP MATERIALIZED VIEW IF EXISTS shop.v",
            "CREATE TABLE IF NOT EXISTS shop.\"Metrics_2\"",
            "DROP TABLE IF EXISTS shop.orders",
            "CREATE TABLE IF NOT EXISTS shop.orders",
            dropped_column,
            "CREATE MATERIALIZED VIEW IF NOT EXISTS shop.w",
            "CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v",
        ],
        &[],
    );
}
