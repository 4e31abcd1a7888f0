//! Schemas at random: odd names, nested types, options of every shape.

mod objects;
mod pairs;
mod text;

use cassandra_schema::{
    Column, ColumnKind, CqlType, DroppedColumn, EdgeEnd, GraphLabel, Literal, Native, OptionValue,
    Options, Order, Table, Trigger,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub use objects::schema;
pub use pairs::{evolved, mutated};
pub use text::text_of_any_kind;

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
