//! Whether stored data fits a table as it is.

use cassandra_schema::{Schema, fits_as_is, same_storage, same_user_types};

#[track_caller]
fn schema(text: &str) -> Schema {
    let (schema, problems) = Schema::parse_text(text);
    assert_eq!(problems, []);
    schema
}

#[track_caller]
fn check(backup: &str, live: &str, fits: bool) {
    let table = |statements: &str| {
        let text =
            format!("CREATE TABLE k.t (a int PRIMARY KEY, v text, x int, y int); {statements}");
        schema(&text).tables.remove(0)
    };
    let (backup, live) = (table(backup), table(live));
    assert_eq!(fits_as_is(&backup, &live), fits, "{backup:?}\n{live:?}");
    assert!(!same_storage(&backup, &live) || fits);
}

const DROP_X: &str = "ALTER TABLE k.t DROP x USING TIMESTAMP 5;";

#[test]
fn history_may_go_on_if_it_hides_nothing() {
    check("", "", true);
    check(DROP_X, DROP_X, true);
    let came_and_went = "ALTER TABLE k.t ADD z int; ALTER TABLE k.t DROP z USING TIMESTAMP 9;";
    check("", came_and_went, true);
    check(DROP_X, &format!("{DROP_X} {came_and_went}"), true);
    let again = "ALTER TABLE k.t ADD x int; ALTER TABLE k.t DROP x USING TIMESTAMP 9;";
    check(DROP_X, &format!("{DROP_X} {again}"), true);
}

#[test]
fn what_would_be_hidden_or_unknown_does_not_fit() {
    // Gone, and its data still in the backup.
    check("", DROP_X, false);
    // Dropped and added again: the live table would hide what the backup has of it.
    check("", &format!("{DROP_X} ALTER TABLE k.t ADD x int"), false);
    // Dropped in the backup, and never heard of by the live table.
    check(DROP_X, "", false);
    check("", "ALTER TABLE k.t ADD z int", false);
    let earlier = "ALTER TABLE k.t DROP x USING TIMESTAMP 4";
    check(DROP_X, earlier, false);
    let as_text = "ALTER TABLE k.t DROP x USING TIMESTAMP 5; ALTER TABLE k.t ADD x text; ALTER TABLE k.t DROP x USING TIMESTAMP 9";
    check(DROP_X, as_text, false);
}

#[test]
fn types_are_followed_down_to_their_fields() {
    let with = |inner: &str| {
        schema(&format!(
            "CREATE TYPE k.inner (a {inner}); CREATE TYPE k.outer (b frozen<list<frozen<inner>>>); CREATE TYPE k.other (c {inner}); \
             CREATE TABLE k.t (a int PRIMARY KEY, v map<int, frozen<outer>>); CREATE TABLE k.u (a int PRIMARY KEY)"
        ))
    };
    let (a, b) = (with("int"), with("int, z text"));
    let table = a.table("k", "t").expect("a table");
    let names: Vec<&str> = a
        .types_of(table)
        .iter()
        .map(|of| of.name.as_str())
        .collect();
    assert_eq!(names, ["inner", "outer"]);
    assert!(same_user_types(table, &a, &a) && !same_user_types(table, &a, &b));
    let lacking = schema("CREATE TABLE k.t (a int PRIMARY KEY, v frozen<none>)");
    assert!(!same_user_types(&lacking.tables[0], &lacking, &lacking));
    assert!(same_user_types(a.table("k", "u").expect("a table"), &a, &b));
}
