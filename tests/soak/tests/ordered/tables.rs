//! One table for each type that a clustering column may have, and random changes of its rows.

use lab::Release;

use crate::values::{Random, literal};

pub const KEYSPACE: &str = "ordered";
const PARTITIONS: u64 = 3;

const TYPES: &[&str] = &[
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "date",
    "decimal",
    "double",
    "float",
    "inet",
    "int",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timeuuid",
    "tinyint",
    "uuid",
    "varint",
    "frozen<list<decimal>>",
    "frozen<set<text>>",
    "frozen<map<text, int>>",
    "frozen<tuple<int, text>>",
    "frozen<pair>",
];

/// A table whose two clustering columns have one type.
pub struct Table {
    name: String,
    cql_type: &'static str,
}

pub fn all(release: Release) -> Vec<Table> {
    let vector = (release >= Release::C50).then_some("vector<float, 3>");
    let types = TYPES.iter().copied().chain(vector);
    types
        .enumerate()
        .map(|(number, cql_type)| Table {
            name: format!("{KEYSPACE}.t{number}"),
            cql_type,
        })
        .collect()
}

/// The statements that create everything.
pub fn schema(tables: &[Table]) -> Vec<String> {
    let mut statements = vec![
        format!(
            "CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'NetworkTopologyStrategy', 'dc1': 1}}"
        ),
        format!("CREATE TYPE {KEYSPACE}.pair (number int, name text)"),
    ];
    for (number, table) in tables.iter().enumerate() {
        let (name, of) = (&table.name, table.cql_type);
        let order = match number % 2 {
            // 3.11 takes no literals for a descending column of a user type.
            _ if of == "frozen<pair>" => "a ASC, b ASC",
            0 => "a ASC, b DESC",
            _ => "a DESC, b ASC",
        };
        statements.push(format!(
            "CREATE TABLE {name} (id int, a {of}, b {of}, v text, s set<text> static, l list<int>, e set<{of}>, \
             m map<{of}, text>, u pair, PRIMARY KEY (id, a, b)) WITH CLUSTERING ORDER BY ({order}) \
             AND compaction = {{'class': 'SizeTieredCompactionStrategy', 'enabled': 'false'}}"
        ));
    }
    statements
}

impl Table {
    /// Rows, updates and deletions of every kind.
    pub fn changes(&self, random: &mut Random) -> Vec<String> {
        let mut statements = Vec::new();
        for id in 0..PARTITIONS {
            for _ in 0..40 {
                statements.push(self.insert(id, random));
            }
            for _ in 0..25 {
                let change = match random.below(6) {
                    0 => self.update(id, random),
                    1 => self.delete(id, &[("a", "="), ("b", "=")], random),
                    2 => self.delete(id, &[("a", "=")], random),
                    3 => self.delete(id, &[("a", ">="), ("a", "<")], random),
                    4 => self.delete(id, &[("a", "="), ("b", ">"), ("b", "<=")], random),
                    _ => self.delete(id, &[("a", "<")], random),
                };
                statements.push(change);
                statements.push(self.insert(id, random));
            }
        }
        statements
    }

    fn value(&self, random: &mut Random) -> String {
        literal(self.cql_type, random)
    }

    fn insert(&self, id: u64, random: &mut Random) -> String {
        let [a, b, e, f, m, n] = std::array::from_fn(|_| self.value(random));
        format!(
            "INSERT INTO {} (id, a, b, v, s, l, e, m, u) VALUES ({id}, {a}, {b}, 'v', {{'s{}', 't'}}, [1, 2], {{{e}, {f}}}, \
             {{{m}: 'x', {n}: 'y'}}, {{number: 1, name: 'n'}})",
            self.name,
            random.below(5)
        )
    }

    fn update(&self, id: u64, random: &mut Random) -> String {
        let [a, b, e, m] = std::array::from_fn(|_| self.value(random));
        format!(
            "UPDATE {} SET l = [0] + l, e = e + {{{e}}}, m[{m}] = 'z', u.name = 'o' WHERE id = {id} AND a = {a} AND b = {b}",
            self.name
        )
    }

    fn delete(&self, id: u64, conditions: &[(&str, &str)], random: &mut Random) -> String {
        let mut statement = format!("DELETE FROM {} WHERE id = {id}", self.name);
        for (column, operator) in conditions {
            statement += &format!(" AND {column} {operator} {}", self.value(random));
        }
        statement
    }
}
