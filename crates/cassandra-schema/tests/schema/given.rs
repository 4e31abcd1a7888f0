//! Schemas at random: odd names, nested types, options of every shape.

use std::collections::BTreeMap;

use cassandra_schema::{
    Aggregate, Column, ColumnKind, CqlType, DroppedColumn, EdgeEnd, Field, Function, GraphLabel,
    Index, IndexTarget, Keyspace, Literal, Monotonic, Native, Normal, OptionValue, Options, Order,
    Schema, Selection, Table, TargetKind, Trigger, UserType, View,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z0-9_]{0,6}",
        1 => "[A-Za-z\"; ä'$.-]{1,6}",
        1 => select(vec!["select", "primary", "int", "static", "with", "frozen", "on", "key", "values", "label"])
            .prop_map(str::to_owned),
    ]
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ;'\"$/*-]{0,12}",
        select(vec!["", "$$", "';--", "/* x */", "AND x = 1", "a$"]).prop_map(str::to_owned),
    ]
}

pub fn native() -> impl Strategy<Value = CqlType> {
    select(Native::ALL.map(|(native, _)| native).to_vec()).prop_map(CqlType::Native)
}

pub fn type_of() -> impl Strategy<Value = CqlType> {
    let leaf = prop_oneof![
        4 => native(),
        1 => words().prop_map(CqlType::Custom),
        1 => select(vec!["PointType", "org.apache.cassandra.db.marshal.PolygonType"])
            .prop_map(|class| CqlType::Custom(class.to_owned())),
        2 => (option::of(name()), name())
            .prop_map(|(keyspace, name)| CqlType::User { keyspace, name }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(CqlType::frozen),
            inner.clone().prop_map(|of| CqlType::List(Box::new(of))),
            inner.clone().prop_map(|of| CqlType::Set(Box::new(of))),
            (inner.clone(), inner.clone())
                .prop_map(|(key, value)| CqlType::Map(Box::new(key), Box::new(value))),
            vec(inner.clone(), 1..3).prop_map(CqlType::Tuple),
            (inner, 1..2000_u32).prop_map(|(of, size)| CqlType::Vector(Box::new(of), size)),
        ]
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        words().prop_map(Literal::Text),
        "(-?[0-9]{1,4}(\\.[0-9]{1,3})?|true|FALSE|0x[0-9a-f]{2,6})".prop_map(Literal::Bare),
    ]
}

fn option_value() -> impl Strategy<Value = OptionValue> {
    prop_oneof![
        literal().prop_map(OptionValue::Literal),
        btree_map(words(), literal(), 0..3).prop_map(OptionValue::Map),
        Just(OptionValue::Raw("['a', 'b; c']".to_owned())),
        Just(OptionValue::Raw("{'a', {'b'}}".to_owned())),
    ]
}

pub fn options() -> impl Strategy<Value = Options> {
    let names = select(vec![
        "comment",
        "gc_grace_seconds",
        "compaction",
        "compression",
        "caching",
        "speculative_retry",
        "cdc",
        "nodesync",
        "extensions",
        "bloom_filter_fp_chance",
        "Odd Option",
    ]);
    btree_map(names.prop_map(str::to_owned), option_value(), 0..5)
}

fn order() -> impl Strategy<Value = Order> {
    select(vec![Order::Ascending, Order::Descending])
}

fn mask() -> impl Strategy<Value = Option<String>> {
    option::weighted(
        0.2,
        select(vec![
            "DEFAULT",
            "mask_inner(1, null, ', PRIMARY')",
            "k.\"F\"()",
        ])
        .prop_map(str::to_owned),
    )
}

pub fn table() -> impl Strategy<Value = Table> {
    let names = btree_set(name(), 2..9).prop_map(|names| names.into_iter().collect::<Vec<_>>());
    let shape = (names.prop_shuffle(), 1..3_usize, 0..3_usize, 0..3_usize);
    let columns = vec((type_of(), any::<bool>(), order(), mask(), any::<u32>()), 9);
    let rest = (
        options(),
        option::of(any::<u128>()),
        option::weighted(0.2, graph()),
        vec((name(), words()), 0..2),
        option::of((type_of(), any::<i64>())),
    );
    ((name(), name()), shape, columns, rest).prop_map(|(names, shape, columns, rest)| {
        let ((keyspace, name), (mut columns_named, keys, clusterings, gone)) = (names, shape);
        let (options, id, graph, triggers, again) = rest;
        let mut table = Table::new(&keyspace, &name);
        let keys = keys.min(columns_named.len() - 1).max(1);
        let mut described = columns.into_iter();
        let dropped_names =
            columns_named.split_off(columns_named.len().saturating_sub(gone).max(keys));
        for (at, name) in columns_named.iter().enumerate() {
            let (of, is_static, order, mask, _) = described.next().expect("a column");
            let kind = match (at, is_static) {
                (at, _) if at < keys => ColumnKind::PartitionKey,
                (at, _) if at < keys + clusterings => ColumnKind::Clustering(order),
                (_, true) => ColumnKind::Static,
                (_, false) => ColumnKind::Regular,
            };
            let name = name.clone();
            table.columns.push(Column {
                name,
                of,
                kind,
                mask,
            });
        }
        for name in dropped_names {
            let (of, is_static, _, _, at) = described.next().expect("a column");
            let dropped_us = Some(i64::from(at));
            table.dropped.push(DroppedColumn {
                name,
                of,
                is_static,
                dropped_us,
            });
        }
        sort_others(&mut table);
        let first = table.others().next().map(|column| column.name.clone());
        if let (Some((of, at)), Some(name)) = (again, first) {
            let dropped = DroppedColumn {
                name,
                of,
                is_static: false,
                dropped_us: Some(at),
            };
            table.dropped.push(dropped);
        }
        table.options = options;
        table.id = id.map(|id| format!("{id:032x}").parse().expect("an id"));
        table.graph = graph;
        table.triggers = triggers
            .into_iter()
            .map(|(name, class)| Trigger { name, class })
            .collect();
        table
    })
}

fn sort_others(table: &mut Table) {
    let (keys, mut others): (Vec<Column>, Vec<Column>) = table
        .columns
        .drain(..)
        .partition(|column| column.kind.is_key());
    others.sort_by(|a, b| a.name.cmp(&b.name));
    table.columns = keys;
    table.columns.extend(others);
}

fn graph() -> impl Strategy<Value = GraphLabel> {
    let end = || {
        (name(), vec(name(), 1..3), vec(name(), 0..2)).prop_map(|(label, key, clustering)| {
            EdgeEnd {
                label,
                partition_key: key,
                clustering,
            }
        })
    };
    prop_oneof![
        option::of(name()).prop_map(|label| GraphLabel::Vertex(label.filter(|l| l != "from"))),
        (option::of(name()), end(), end()).prop_map(|(label, from, to)| GraphLabel::Edge {
            label,
            from,
            to
        }),
    ]
}

/// A table, the same with one thing changed, and whether that is one by which data is stored.
pub fn mutated() -> impl Strategy<Value = (Table, Table, bool)> {
    (
        table(),
        0..10_u8,
        any::<prop::sample::Index>(),
        type_of(),
        order(),
    )
        .prop_filter_map(
            "the change must be one",
            |(table, what, which, of, order)| {
                let mut changed = table.clone();
                let at = which.index(changed.columns.len());
                let mut storage = true;
                match what {
                    0 => {
                        let column = &mut changed.columns[at];
                        column.of = of;
                        if column.normal_type() == table.columns[at].normal_type() {
                            return None;
                        }
                    }
                    1 => changed.columns[at].name.push('x'),
                    2 => {
                        let column = &mut changed.columns[at];
                        column.kind = match column.kind {
                            ColumnKind::Static => ColumnKind::Regular,
                            ColumnKind::Regular => ColumnKind::Static,
                            ColumnKind::Clustering(was) if was != order => {
                                ColumnKind::Clustering(order)
                            }
                            _ => return None,
                        };
                    }
                    3 => {
                        changed.columns.remove(at);
                    }
                    4 => changed.dropped.push(DroppedColumn {
                        name: "another one".to_owned(),
                        of,
                        is_static: false,
                        dropped_us: Some(1),
                    }),
                    5 => {
                        let dropped = changed.dropped.first_mut()?;
                        dropped.dropped_us = dropped.dropped_us.map(|us| us ^ 1);
                    }
                    6 => changed.compact_storage = !changed.compact_storage,
                    7 => {
                        storage = false;
                        let value = OptionValue::text("something else");
                        changed.options.insert("comment".to_owned(), value);
                        if table.options.get("comment") == changed.options.get("comment") {
                            return None;
                        }
                    }
                    8 => {
                        storage = false;
                        let option = changed.options.keys().next().cloned()?;
                        changed.options.remove(&option);
                        if table.normal().options == changed.normal().options {
                            return None;
                        }
                    }
                    _ => {
                        let keys = table.partition_key().count();
                        if keys < 2 {
                            return None;
                        }
                        changed.columns.swap(0, 1);
                    }
                }
                Some((table, changed, storage))
            },
        )
}

/// What may happen to a table that statements can do again.
pub fn evolved() -> impl Strategy<Value = (Table, Table)> {
    let plain = table().prop_map(|mut table| {
        table.triggers.clear();
        table.graph = None;
        table
    });
    let added = (type_of(), any::<bool>(), mask(), any::<bool>());
    (
        plain,
        vec(any::<(bool, bool)>(), 9),
        options(),
        added,
        any::<bool>(),
    )
        .prop_map(
            |(table, fates, options, (of, is_static, mask, adds), renames)| {
                let mut live = table.clone();
                let now = i64::MAX;
                for (column, (drops, again)) in table.others().zip(fates) {
                    if !drops {
                        continue;
                    }
                    live.dropped.retain(|dropped| dropped.name != column.name);
                    live.dropped.push(DroppedColumn {
                        name: column.name.clone(),
                        of: column.of.clone(),
                        is_static: column.kind == ColumnKind::Static,
                        dropped_us: Some(now),
                    });
                    if !again {
                        live.columns.retain(|kept| kept.name != column.name);
                    }
                }
                if adds {
                    live.columns.push(Column {
                        name: "added since".to_owned(),
                        of,
                        kind: if is_static {
                            ColumnKind::Static
                        } else {
                            ColumnKind::Regular
                        },
                        mask,
                    });
                }
                if renames {
                    live.columns[0].name = "renamed since".to_owned();
                }
                sort_others(&mut live);
                live.options = options;
                (table, live)
            },
        )
}

trait NormalType {
    fn normal_type(&self) -> String;
}

impl NormalType for Column {
    /// By the normal form of a table that has nothing else.
    fn normal_type(&self) -> String {
        let mut alone = Table::new("k", "t");
        alone.columns.push(self.clone());
        alone.normal().columns[0].of.to_string()
    }
}

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

/// Any text at all, and words of the language in any order.
pub fn text_of_any_kind() -> impl Strategy<Value = String> {
    let word = select(vec![
        "CREATE",
        "ALTER",
        "TABLE",
        "TYPE",
        "k.t",
        "(",
        ")",
        "a",
        "int",
        ",",
        "PRIMARY KEY",
        "WITH",
        "=",
        "{",
        "}",
        "'x'",
        "'",
        "\"",
        "$$",
        "AND",
        "ADD",
        "DROP",
        "USING",
        "TIMESTAMP",
        "1",
        ";",
        "frozen<",
        "list<",
        ">",
        "INDEX",
        "ON",
        "MATERIALIZED VIEW",
        "AS SELECT",
        "*",
        "FROM",
        "WHERE",
        "FUNCTION",
        "AGGREGATE",
        "RETURNS",
        "KEYSPACE",
        "DROPPED COLUMN RECORD",
        "EDGE LABEL",
        "VERTEX LABEL",
        "MASKED WITH",
        "SEARCH",
        "CUSTOM",
        ".",
        "[",
        "]",
        "RENAME",
        "TO",
        "CLUSTERING ORDER BY",
        "--",
        "/*",
        "*/",
        "ä",
        "IF NOT EXISTS",
        "OR REPLACE",
        "TRIGGER",
        "OPTIONS",
        ":",
    ]);
    prop_oneof![
        any::<String>(),
        vec(word.clone(), 0..30).prop_map(|words| words.join(" ")),
        vec(word, 0..20)
            .prop_map(|words| format!("CREATE TABLE k.t (a int PRIMARY KEY, {}", words.join(" "))),
    ]
}
