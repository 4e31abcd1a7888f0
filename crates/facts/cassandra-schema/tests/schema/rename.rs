//! Schemas under other names: nothing of the old ones is left where it would mean the live objects.

use cassandra_schema::{Renaming, Schema};

const SHOP: &str = r#"
CREATE KEYSPACE "Shop" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
CREATE TYPE "Shop".money (cents int);
CREATE TYPE "Shop".item (name text, price frozen<"Shop".money>, tags map<text, frozen<list<frozen<money>>>>);
CREATE FUNCTION "Shop".twice (x "Shop".money) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ /* "Shop".orders; */ return 2; $$;
CREATE FUNCTION "Shop".add (s int, x int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ return s + x; $$;
CREATE AGGREGATE "Shop".total (int) SFUNC add STYPE int INITCOND 0;
CREATE TABLE "Shop".orders (id int PRIMARY KEY, c text, i frozen<map<text, frozen<tuple<int, frozen<"Shop".item>>>>>, m text MASKED WITH "Shop".hide('Shop.x')) WITH ID = 5a1c3950-0000-11ee-be56-0242ac120002 AND comment = 'of "Shop".orders';
CREATE TRIGGER audit ON "Shop".orders USING 'com.example.Audit';
CREATE TABLE "Shop"."Order Lines" (id int PRIMARY KEY, c text);
CREATE INDEX orders_c_idx ON "Shop".orders (c);
CREATE INDEX by_c ON "Shop".orders (c);
CREATE MATERIALIZED VIEW "Shop".by_text AS SELECT * FROM "Shop".orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id);
"#;

fn renaming(to: &str, tables: &[(&str, &str)], views: &[&str]) -> Renaming {
    let tables = tables.iter();
    Renaming {
        from: "Shop".into(),
        to: to.into(),
        tables: tables.map(|(a, b)| ((*a).into(), (*b).into())).collect(),
        views: views.iter().map(|view| (*view).to_owned()).collect(),
    }
}

fn schema(text: &str) -> Schema {
    let (schema, problems) = Schema::parse_text(text);
    assert!(problems.is_empty(), "{problems:?}");
    schema
}

/// The statements of all that is taken, one a line.
fn cql(of: &Schema) -> Vec<String> {
    let entries = of.to_stored().entries.into_iter();
    let all = entries.flat_map(|entry| entry.cql);
    all.map(|cql| cql.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn a_whole_keyspace_gets_another_name_and_refers_to_itself() {
    let tables = [("orders", "orders"), ("Order Lines", "Order Lines")];
    let (renamed, indexes, problems) =
        schema(SHOP).renamed(&renaming("Copy", &tables, &["by_text"]));
    assert!(
        problems.is_empty() && indexes.is_empty(),
        "{problems:?} {indexes:?}"
    );
    assert_eq!(
        cql(&renamed),
        [
            r#"CREATE KEYSPACE "Copy" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true"#,
            r#"CREATE TYPE "Copy".money ( cents int )"#,
            r#"CREATE TYPE "Copy".item ( name text, price frozen<"Copy".money>, tags map<text, frozen<list<frozen<money>>>> )"#,
            r#"CREATE FUNCTION "Copy".twice(x "Copy".money) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ /* "Shop".orders; */ return 2; $$"#,
            r#"CREATE FUNCTION "Copy"."add"(s int, x int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ return s + x; $$"#,
            r#"CREATE AGGREGATE "Copy".total(int) SFUNC "add" STYPE int INITCOND 0"#,
            r#"CREATE TABLE "Copy".orders ( id int, c text, i frozen<map<text, frozen<tuple<int, frozen<"Copy".item>>>>>, m text MASKED WITH "Copy".hide('Shop.x'), PRIMARY KEY (id) ) WITH comment = 'of "Shop".orders'"#,
            r#"CREATE TRIGGER audit ON "Copy".orders USING 'com.example.Audit'"#,
            r#"CREATE TABLE "Copy"."Order Lines" ( id int, c text, PRIMARY KEY (id) )"#,
            r#"CREATE INDEX orders_c_idx ON "Copy".orders (c)"#,
            r#"CREATE INDEX by_c ON "Copy".orders (c)"#,
            r#"CREATE MATERIALIZED VIEW "Copy".by_text AS SELECT * FROM "Copy".orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH CLUSTERING ORDER BY (id ASC)"#,
        ]
    );
    // What is written is understood again, and is the same.
    let (again, problems) = Schema::parse(&renamed.to_stored());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(cql(&again), cql(&renamed));
}

#[test]
fn a_table_beside_itself_gets_indexes_of_its_own_and_no_view() {
    let (renamed, indexes, problems) =
        schema(SHOP).renamed(&renaming("Shop", &[("orders", "Old")], &[]));
    assert!(problems.is_empty(), "{problems:?}");
    let names: Vec<_> = indexes
        .iter()
        .map(|it| (it.from.as_str(), it.to.as_str()))
        .collect();
    assert_eq!(names, [("orders_c_idx", "Old_c_idx"), ("by_c", "Old_by_c")]);
    let made = cql(&renamed);
    let of_table: Vec<&String> = made.iter().filter(|cql| cql.contains(" ON \"")).collect();
    assert_eq!(
        of_table,
        [
            r#"CREATE TRIGGER audit ON "Shop"."Old" USING 'com.example.Audit'"#,
            r#"CREATE INDEX "Old_c_idx" ON "Shop"."Old" (c)"#,
            r#"CREATE INDEX "Old_by_c" ON "Shop"."Old" (c)"#,
        ]
    );
    assert!(
        !made
            .iter()
            .any(|cql| cql.contains("Lines") || cql.contains("VIEW"))
    );
}

#[test]
fn what_is_named_in_a_text_of_its_own_cannot_be_renamed() {
    for (table, why) in [
        (
            "CREATE TABLE \"Shop\".t (id int PRIMARY KEY, c 'org.apache.cassandra.db.marshal.UserType(Shop,61)')",
            "a class that names its keyspace",
        ),
        (
            "CREATE TABLE \"Shop\".t (id int PRIMARY KEY) WITH VERTEX LABEL person",
            "a DSE graph",
        ),
        (
            "CREATE TABLE \"Shop\".t (id int PRIMARY KEY, c text); CREATE CUSTOM INDEX s ON \"Shop\".t (c) USING 'com.datastax.bdp.search.solr.Cql3SolrSecondaryIndex'",
            "DSE Search",
        ),
    ] {
        let (_, _, problems) = schema(table).renamed(&renaming("Copy", &[("t", "t")], &[]));
        assert_eq!(problems.len(), 1, "{table}");
        assert!(problems[0].why.contains(why), "{:?}", problems[0]);
    }
}
