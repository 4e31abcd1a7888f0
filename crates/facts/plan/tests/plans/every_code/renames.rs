//! Of restores under other names.

use model::SchemaKind;
use model::plan::Rename;

use super::{Case, said};
use crate::renamed::{keyspace, table};
use crate::world::*;

/// The shop on both sides with an index and a view over `orders`, and the backup with a table that is not understood.
fn with(rename: Rename) -> plan::RestoreRequest {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    for side in [&mut source, &mut target] {
        side.index("shop.by_c", "orders");
        side.view("shop.v", 3, "orders");
    }
    let riddle = "CREATE TABLE shop.odd (id int PRIMARY KEY) WITH RIDDLE";
    source.table("shop.odd", 4, "id int PRIMARY KEY");
    source.redefine(SchemaKind::Table, "shop.odd", riddle);
    let mut request = request(&source, &target);
    request.options.renames = vec![rename];
    request
}

fn with_trigger() -> plan::RestoreRequest {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let orders = source.entries.iter_mut();
    let mut orders = orders.filter(|it| it.kind == SchemaKind::Table && it.name == "orders");
    let orders = orders.next().expect("a table");
    let trigger = "CREATE TRIGGER audit ON shop.orders USING 'org.example.Audit'";
    orders.cql.push(trigger.to_owned());
    let mut request = request(&source, &target);
    request.options.renames = vec![table("shop.orders", "copy.orders")];
    request
}

pub fn cases() -> Vec<Case> {
    let requests = [
        ("RENAME_REFUSED", with(keyspace("shop", "shop"))),
        ("RENAME_NOT_POSSIBLE", with(keyspace("shop", "copy"))),
        (
            "RENAME_REPLACES",
            with(table("shop.orders", "shop.Metrics_2")),
        ),
        (
            "RENAME_INDEX_NAMED",
            with(table("shop.orders", "shop.orders_copy")),
        ),
        ("RENAME_LEAVES_OUT", with_trigger()),
        (
            "RENAME_VIEWS_LEFT_OUT",
            with(table("shop.orders", "copy.orders")),
        ),
    ];
    requests
        .map(|(code, request)| (code, said(&request)))
        .into()
}
