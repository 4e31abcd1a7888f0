//! Other names that cannot be given: nothing is planned then.

use model::plan::Rename;
use model::{SchemaKind, TableId};
use plan::{RequestedMode, plan_restore};

use crate::renamed::{keyspace, renamed, sides, table};
use crate::world::*;

/// The refusals of a restore with these renames, of these tables.
#[track_caller]
fn refused(renames: &[Rename], tables: &[&str], expected: &[&str]) {
    let mut request = renamed(renames);
    request.options.selection = selection(&[], tables);
    let found = codes(&request);
    let refusals: Vec<&str> = found
        .iter()
        .filter_map(|line| line.strip_prefix("Refusal "))
        .collect();
    assert_eq!(refusals, expected, "{renames:?}");
    let plan = plan_restore(&request);
    assert!(plan.steps.is_empty() && !plan.supported);
}

#[test]
fn names_that_lead_nowhere_or_into_something_live_are_refused() {
    let long = "x".repeat(49);
    for (rename, expected) in [
        (keyspace("shop", "shop"), "RENAME_REFUSED shop=shop"),
        (
            table("shop.orders", "shop.orders"),
            "RENAME_REFUSED shop.orders=shop.orders",
        ),
        (keyspace("shop", "sho-p"), "RENAME_REFUSED shop=sho-p"),
        (keyspace("shop", ""), "RENAME_REFUSED shop="),
        (
            keyspace("shop", &long),
            &*format!("RENAME_REFUSED shop={long}"),
        ),
        (keyspace("shop", "system"), "RENAME_REFUSED shop=system"),
        (
            table("shop.orders", "ringkeep_trial_1.orders"),
            "RENAME_REFUSED shop.orders=ringkeep_trial_1.orders",
        ),
        (
            table("shop.prices_by_c", "shop.v"),
            "RENAME_REFUSED shop.prices_by_c=shop.v",
        ),
        (keyspace("crm", "copy"), "KEYSPACE_NOT_FOUND crm"),
        (table("shop.x", "copy.x"), "TABLE_NOT_FOUND shop.x"),
    ] {
        refused(&[rename], &[], &[expected]);
    }
}

#[test]
fn two_things_with_one_name_and_one_thing_with_two_are_refused() {
    refused(
        &[table("shop.orders", "a.t"), table("shop.prices", "a.t")],
        &[],
        &["RENAME_REFUSED a.t"],
    );
    refused(
        &[keyspace("shop", "a"), table("shop.orders", "a.prices")],
        &[],
        &["RENAME_REFUSED a.prices"],
    );
    refused(
        &[table("shop.orders", "a.t"), table("shop.orders", "b.t")],
        &[],
        &["RENAME_REFUSED shop.orders=b.t"],
    );
    let (mut source, target) = sides();
    source.keyspace("crm");
    source.table("crm.people", 9, "id int PRIMARY KEY, c text");
    let mut request = request(&source, &target);
    request.options.renames = vec![keyspace("shop", "copy"), keyspace("crm", "copy")];
    assert!(codes(&request).contains(&"Refusal RENAME_REFUSED copy".to_owned()));
}

#[test]
fn what_is_selected_and_not_renamed_is_refused_and_so_is_the_reverse() {
    refused(
        &[table("shop.orders", "copy.orders")],
        &["shop.orders", "shop.prices"],
        &["RENAME_REFUSED shop.prices"],
    );
    refused(
        &[
            table("shop.orders", "copy.orders"),
            table("shop.prices", "copy.prices"),
        ],
        &["shop.orders"],
        &["RENAME_REFUSED shop.prices=copy.prices"],
    );
    let mut request = renamed(&[table("shop.orders", "copy.orders")]);
    request.options.selection = selection(&["shop"], &[]);
    assert!(codes(&request).contains(&"Refusal RENAME_REFUSED shop".to_owned()));
}

#[test]
fn a_selection_that_is_not_in_the_backup_is_refused_whatever_else_is_selected() {
    refused(
        &[keyspace("shop", "copy")],
        &["shop.orders", "shop.nothing"],
        &["TABLE_NOT_FOUND shop.nothing"],
    );
    refused(
        &[keyspace("shop", "copy")],
        &["shop.orders", "shop.prices_by_c"],
        &["VIEW_NEEDS_BASE shop.prices_by_c"],
    );
}

#[test]
fn a_keyspace_that_was_not_backed_up_gives_no_copy() {
    let (mut source, target) = sides();
    source.keyspace("crm");
    source.entry(
        SchemaKind::Table,
        "crm.people",
        "",
        &["CREATE TABLE crm.people (id int PRIMARY KEY)"],
    );
    let mut request = request(&source, &target);
    // The schema has every keyspace of the cluster.
    request.backup.selection = selection(&["shop"], &[]);
    request.options.renames = vec![keyspace("crm", "crm_copy")];
    assert!(codes(&request).contains(&"Refusal KEYSPACE_NOT_FOUND crm".to_owned()));
    let plan = plan_restore(&request);
    assert!(plan.steps.is_empty() && !plan.supported);
}

#[test]
fn a_live_table_that_is_no_copy_of_this_form_is_not_replaced() {
    let live = 77;
    let copy = TableId::made_of(&["an earlier copy"]).0.as_u128();
    for (id, columns) in [
        (live, "id int PRIMARY KEY, c text"),
        (live, "id int PRIMARY KEY, c int"),
        (copy, "id int PRIMARY KEY, c int"),
    ] {
        let (source, mut target) = sides();
        target.keyspace("copy");
        target.table("copy.orders", id, columns);
        let mut request = request(&source, &target);
        request.options.renames = vec![table("shop.orders", "copy.orders")];
        let found = codes(&request);
        assert!(
            found.contains(&"Refusal NAME_TAKEN copy.orders".to_owned()),
            "{found:?}"
        );
        assert!(plan_restore(&request).steps.is_empty());
    }
}

#[test]
fn a_table_that_is_restored_is_not_the_name_of_another() {
    refused(
        &[
            table("shop.orders", "shop.prices"),
            table("shop.prices", "copy.prices"),
        ],
        &[],
        &["RENAME_REFUSED shop.prices", "NAME_TAKEN shop.prices"],
    );
}

#[test]
fn a_live_view_of_a_table_that_is_not_restored_stays() {
    let (source, mut target) = sides();
    target.keyspace("copy");
    target.table("copy.other", 70, "id int PRIMARY KEY, c text");
    target.view("copy.prices_by_c", 71, "other");
    let mut request = request(&source, &target);
    request.options.renames = vec![keyspace("shop", "copy")];
    let found = codes(&request);
    for line in [
        "Refusal NAME_TAKEN copy.prices_by_c",
        "Warning RENAME_REPLACES copy.prices_by_c",
    ] {
        assert!(found.contains(&line.to_owned()), "{found:?}");
    }
}

#[test]
fn in_place_nothing_gets_another_name() {
    let mut request = renamed(&[keyspace("shop", "copy")]);
    request.options.mode = RequestedMode::InPlace;
    let plan = plan_restore(&request);
    assert!(!plan.supported);
    let refusals = plan.findings.iter().filter(|it| it.is_refusal());
    let mut refusals = refusals.filter(|it| it.code == "MODE_UNAVAILABLE");
    assert!(refusals.any(|it| it.hint.contains("--rename")));
}

#[test]
fn a_definition_that_is_not_understood_cannot_be_renamed() {
    let (mut source, target) = sides();
    source.redefine(
        SchemaKind::Table,
        "shop.orders",
        "CREATE TABLE shop.orders (id int PRIMARY KEY, c text) WITH RIDDLE",
    );
    let mut request = request(&source, &target);
    request.options.renames = vec![keyspace("shop", "copy")];
    assert!(codes(&request).contains(&"Refusal RENAME_NOT_POSSIBLE shop.orders".to_owned()));
    // Another table of the keyspace can.
    request.options.renames = vec![table("shop.prices", "copy.prices")];
    let refusals = codes(&request);
    let mut refusals = refusals.iter().filter(|line| line.starts_with("Refusal"));
    assert_eq!(refusals.next(), None);
}
