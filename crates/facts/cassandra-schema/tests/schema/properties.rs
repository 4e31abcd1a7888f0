//! Laws that hold for every schema: what is written is read back, what differs is seen, nothing panics.

use crate::given::{mutated, schema, table, text_of_any_kind, type_of};
use cassandra_schema::{
    CqlType, Normal, Object, SameMeaning, Schema, fits_as_is, parse_statement, parse_type,
    replay_order, same_storage,
};
use proptest::prelude::*;
use proptest::sample::Index;

fn script(schema: &Schema) -> String {
    let statements: Vec<String> = replay_order(schema)
        .into_iter()
        .flat_map(|object| object.to_cql())
        .collect();
    statements.join(";\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_type_is_read_back(of in type_of()) {
        prop_assert_eq!(parse_type(&of.to_string()), Ok(of));
    }

    #[test]
    fn a_schema_is_read_back(schema in schema()) {
        let (again, problems) = Schema::parse_text(&script(&schema));
        prop_assert_eq!(problems, []);
        prop_assert_eq!(&again.keyspaces, &schema.keyspaces);
        prop_assert_eq!(&again.functions, &schema.functions);
        prop_assert_eq!(&again.aggregates, &schema.aggregates);
        prop_assert_eq!(&again.tables, &schema.tables);
        prop_assert_eq!(&again.indexes, &schema.indexes);
        prop_assert_eq!(&again.views, &schema.views);
        // Types may be written in another order than they were given in.
        for of in &schema.types {
            prop_assert_eq!(again.user_type(&of.keyspace, &of.name), Some(of));
        }
    }

    #[test]
    fn a_schema_is_read_back_as_it_is_stored(schema in schema()) {
        let stored = schema.to_stored();
        let (again, problems) = Schema::parse(&stored);
        prop_assert_eq!(problems, []);
        prop_assert_eq!(again.to_stored(), stored);
        prop_assert_eq!(again.tables, schema.tables);
    }

    #[test]
    fn a_table_is_read_back_in_the_dialect_of_each_product(table in table()) {
        for release in ["cassandra 5.0.5", "dse 6.9.2", "hcd 1.2.1"] {
            let cql = table.to_cql_for(&release.parse().expect("a release"));
            let (again, problems) = Schema::parse_text(&cql.join(";\n"));
            prop_assert_eq!(problems, []);
            prop_assert!(again.tables[0].same_definition(&table));
            prop_assert_eq!(again.tables[0].id, table.id);
        }
    }

    #[test]
    fn the_normal_form_is_one(table in table()) {
        let normal = table.normal();
        prop_assert_eq!(normal.normal(), normal.clone());
        prop_assert!(table.same_definition(&normal) && same_storage(&table, &normal));
    }

    #[test]
    fn every_change_of_a_table_is_seen((table, changed, touches_storage) in mutated()) {
        prop_assert!(!table.same_definition(&changed), "{:?}\n{:?}", table, changed);
        prop_assert!(!changed.same_definition(&table));
        prop_assert_eq!(same_storage(&table, &changed), !touches_storage);
        let only_history = table.columns == changed.columns;
        prop_assert!(!fits_as_is(&table, &changed) || !touches_storage || only_history);
    }

    #[test]
    fn nothing_comes_before_what_it_needs(schema in schema()) {
        let order = replay_order(&schema);
        for (at, object) in order.iter().enumerate() {
            for later in &order[at + 1..] {
                prop_assert!(!object.needs(*later), "{:?} before {:?}", object.key(), later.key());
            }
        }
        prop_assert_eq!(order.len(), all(&schema).len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in text_of_any_kind()) {
        let _ = parse_statement(&text, Some("ks"));
        let _ = parse_type(&text);
        let (schema, problems) = Schema::parse_text(&text);
        for problem in problems {
            prop_assert!(problem.error.at_bytes <= text.len());
            prop_assert!(!problem.to_string().is_empty());
        }
        let _ = script(&schema);
    }

    #[test]
    fn a_statement_that_is_cut_short_is_not_another_one(table in table(), cut in any::<Index>()) {
        let whole = table.to_cql().remove(0);
        let mut end = cut.index(whole.len());
        while !whole.is_char_boundary(end) {
            end -= 1;
        }
        // Options may be missing at the end without a trace; a column may not.
        if let Ok(cassandra_schema::Statement::Create(cassandra_schema::Made::Table(read), _)) =
            parse_statement(&whole[..end], None)
        {
            let names = |columns: &[cassandra_schema::Column]| columns.len();
            prop_assert!(names(&read.columns) >= names(&table.columns));
        }
    }
}

fn all(schema: &Schema) -> Vec<Object<'_>> {
    let keyspaces = schema.keyspaces.iter().map(Object::Keyspace);
    let types = schema.types.iter().map(Object::Type);
    let functions = schema.functions.iter().map(Object::Function);
    let aggregates = schema.aggregates.iter().map(Object::Aggregate);
    let tables = schema.tables.iter().map(Object::Table);
    let indexes = schema.indexes.iter().map(Object::Index);
    let views = schema.views.iter().map(Object::View);
    keyspaces
        .chain(types)
        .chain(functions)
        .chain(aggregates)
        .chain(tables)
        .chain(indexes)
        .chain(views)
        .collect()
}

#[test]
fn a_cycle_of_types_does_not_hang() {
    let (schema, problems) = Schema::parse_text(
        "CREATE TYPE k.c (x int); CREATE TYPE k.a (x frozen<b>); CREATE TYPE k.b (x frozen<a>, y frozen<c>); \
         CREATE TYPE k.self (x frozen<self>)",
    );
    assert_eq!(problems, []);
    let order = replay_order(&schema);
    let names: Vec<String> = order.iter().map(|object| object.key().name).collect();
    assert_eq!(names, ["c", "self", "a", "b"]);
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let deep = format!("{}int{}", "list<".repeat(100_000), ">".repeat(100_000));
    assert!(parse_type(&deep).is_err());
    let fine = format!("{}int{}", "list<".repeat(50), ">".repeat(50));
    assert!(matches!(parse_type(&fine), Ok(CqlType::List(_))));
    let brackets = format!(
        "CREATE TABLE k.t (a int PRIMARY KEY) WITH x = {}",
        "{".repeat(100_000)
    );
    assert!(parse_statement(&brackets, None).is_err());
}

#[test]
fn a_large_schema_is_read_whole() {
    let tables = (0..3000).map(|at| {
        format!("CREATE TABLE k.t{at} (a int PRIMARY KEY, b text) WITH comment = 'x'; CREATE INDEX i{at} ON k.t{at} (b);")
    });
    let (schema, problems) = Schema::parse_text(&tables.collect::<String>());
    assert_eq!(problems, []);
    assert_eq!((schema.tables.len(), schema.indexes.len()), (3000, 3000));
    assert!(
        cassandra_schema::diff_schema(&schema, &schema)
            .tables
            .is_empty()
    );
    assert_eq!(cassandra_schema::requirements(&schema), []);
}
