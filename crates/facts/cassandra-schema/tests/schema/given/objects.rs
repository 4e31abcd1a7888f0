//! All that is no table, and whole schemas.

use std::collections::BTreeMap;

use cassandra_schema::{
    Aggregate, CqlType, Field, Function, Index, IndexTarget, Keyspace, Monotonic, Native, Options,
    Schema, Selection, TargetKind, UserType, View,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{literal, name, native, options, order, table, type_of, words};

fn function(keyspace: String) -> impl Strategy<Value = Function> {
    let arguments = vec((name(), native()), 0..3);
    let monotonic = prop_oneof![
        3 => Just(Monotonic::No),
        1 => Just(Monotonic::All),
        1 => name().prop_map(Monotonic::On),
    ];
    (
        name(),
        arguments,
        any::<(bool, bool)>(),
        type_of(),
        monotonic,
        words(),
    )
        .prop_map(
            move |(name, arguments, (called, deterministic), returns, monotonic, body)| Function {
                keyspace: keyspace.clone(),
                name,
                arguments,
                called_on_null: called,
                returns,
                is_deterministic: deterministic,
                monotonic,
                language: "java".to_owned(),
                body,
            },
        )
}

fn aggregate(keyspace: String) -> impl Strategy<Value = Aggregate> {
    let condition = option::of(select(vec!["0", "(0, ['x'])", "'it''s'", "null"]));
    (
        name(),
        vec(native(), 0..2),
        name(),
        type_of(),
        option::of(name()),
        condition,
        any::<bool>(),
    )
        .prop_map(
            move |(name, arguments, state, of, last, condition, deterministic)| Aggregate {
                keyspace: keyspace.clone(),
                name,
                arguments,
                state_function: state,
                state_type: of,
                final_function: last,
                initial_condition: condition.map(str::to_owned),
                is_deterministic: deterministic,
            },
        )
}

fn view(keyspace: String) -> impl Strategy<Value = View> {
    let selection = prop_oneof![
        Just(Selection::All),
        vec(name(), 1..3).prop_map(Selection::Columns)
    ];
    let clustering = btree_map(name(), order(), 0..3);
    (
        name(),
        name(),
        selection,
        vec(name(), 1..3),
        clustering,
        options(),
    )
        .prop_map(
            move |(name, base_table, selection, partition_key, clustering, options)| View {
                keyspace: keyspace.clone(),
                name,
                id: None,
                base_table,
                selection,
                filter: "a IS NOT NULL AND \"B\" = 'PRIMARY'".to_owned(),
                partition_key,
                clustering: clustering.into_iter().collect(),
                options,
            },
        )
}

fn index(keyspace: String) -> impl Strategy<Value = Index> {
    let kinds = select(vec![
        TargetKind::Simple,
        TargetKind::Values,
        TargetKind::Keys,
        TargetKind::Entries,
        TargetKind::Full,
    ]);
    let target = (kinds, name()).prop_map(|(kind, column)| IndexTarget { kind, column });
    let map = btree_map(words(), literal(), 0..3);
    (
        name(),
        name(),
        vec(target, 0..3),
        any::<bool>(),
        option::of(words()),
        map,
    )
        .prop_map(
            move |(name, table, targets, is_custom, class, options)| Index {
                keyspace: keyspace.clone(),
                name,
                table,
                targets,
                is_custom,
                class,
                options,
                properties: Options::new(),
                search_statements: Vec::new(),
            },
        )
}

/// User types that are made of earlier ones, in any order.
fn user_types(keyspace: String) -> impl Strategy<Value = Vec<UserType>> {
    let picks = vec(vec(any::<prop::sample::Index>(), 0..3), 0..6);
    (btree_set(name(), 6), picks)
        .prop_map(move |(names, picks)| {
            let names: Vec<String> = names.into_iter().collect();
            let each = picks.iter().enumerate();
            each.map(|(at, picks)| {
                let mut fields: BTreeMap<String, CqlType> = BTreeMap::new();
                fields.insert("own".to_owned(), CqlType::Native(Native::Int));
                for pick in picks.iter().filter(|_| at > 0) {
                    let of = names[pick.index(at)].clone();
                    let list = CqlType::List(Box::new(CqlType::user(&of)));
                    fields.insert(format!("of {of}"), CqlType::frozen(list));
                }
                let fields = fields.into_iter().map(|(name, of)| Field { name, of });
                UserType {
                    keyspace: keyspace.clone(),
                    name: names[at].clone(),
                    fields: fields.collect(),
                }
            })
            .collect::<Vec<_>>()
        })
        .prop_shuffle()
}

pub fn schema() -> impl Strategy<Value = Schema> {
    name().prop_flat_map(|keyspace| {
        let k = keyspace.clone();
        let made = (
            user_types(k.clone()),
            vec(function(k.clone()), 0..2),
            vec(aggregate(k.clone()), 0..2),
            vec(table(), 0..3),
            vec(index(k.clone()), 0..2),
            vec(view(k.clone()), 0..2),
            (btree_map(words(), words(), 0..3), any::<bool>()),
        );
        made.prop_map(
            move |(types, functions, aggregates, mut tables, indexes, views, made)| {
                for (at, table) in tables.iter_mut().enumerate() {
                    table.keyspace = keyspace.clone();
                    table.name.push_str(&at.to_string());
                }
                Schema {
                    version: String::new(),
                    keyspaces: vec![Keyspace {
                        name: keyspace.clone(),
                        replication: made.0,
                        durable_writes: made.1,
                        options: Options::new(),
                    }],
                    types,
                    functions: unique(functions, Function::signature),
                    aggregates: unique(aggregates, Aggregate::signature),
                    tables,
                    indexes: unique(indexes, |index| index.name.clone()),
                    views: unique(views, |view| view.name.clone()),
                }
            },
        )
    })
}

fn unique<T>(things: Vec<T>, key: impl Fn(&T) -> String) -> Vec<T> {
    let mut seen = std::collections::BTreeSet::new();
    things
        .into_iter()
        .filter(|thing| seen.insert(key(thing)))
        .collect()
}
