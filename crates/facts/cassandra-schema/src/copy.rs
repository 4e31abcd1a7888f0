//! A keyspace's objects under another keyspace's name.

use crate::schema::Schema;

impl Schema {
    /// The objects of the keyspace `from`, as objects of the keyspace `to`; tables and views have no ids. Nothing of
    /// other keyspaces is in it.
    ///
    /// Masks and Search statements that name the keyspace in their text keep its old name.
    pub fn copy_keyspace(&self, from: &str, to: &str) -> Schema {
        let renamed = || to.to_owned();
        let mut copy = Schema::default();
        for keyspace in self.keyspaces.iter().filter(|it| it.name == from) {
            let mut keyspace = keyspace.clone();
            keyspace.name = renamed();
            copy.keyspaces.push(keyspace);
        }
        for user_type in self.types.iter().filter(|it| it.keyspace == from) {
            let mut user_type = user_type.clone();
            user_type.keyspace = renamed();
            copy.types.push(user_type);
        }
        for function in self.functions.iter().filter(|it| it.keyspace == from) {
            let mut function = function.clone();
            function.keyspace = renamed();
            copy.functions.push(function);
        }
        for aggregate in self.aggregates.iter().filter(|it| it.keyspace == from) {
            let mut aggregate = aggregate.clone();
            aggregate.keyspace = renamed();
            copy.aggregates.push(aggregate);
        }
        for table in self.tables.iter().filter(|it| it.keyspace == from) {
            let mut table = table.clone();
            table.keyspace = renamed();
            table.id = None;
            copy.tables.push(table);
        }
        for index in self.indexes.iter().filter(|it| it.keyspace == from) {
            let mut index = index.clone();
            index.keyspace = renamed();
            copy.indexes.push(index);
        }
        for view in self.views.iter().filter(|it| it.keyspace == from) {
            let mut view = view.clone();
            view.keyspace = renamed();
            view.id = None;
            copy.views.push(view);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use crate::{Schema, replay_order};

    #[test]
    fn a_copy_has_the_objects_of_one_keyspace_under_another_name_and_no_ids() {
        let (schema, problems) = Schema::parse_text(
            "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'};
             CREATE TYPE shop.money (cents int);
             CREATE TABLE shop.t (k int PRIMARY KEY, v frozen<money>) WITH ID = 5a1c3950-0000-11ee-be56-0242ac120002;
             CREATE INDEX by_v ON shop.t (v);
             CREATE TABLE other.t (k int PRIMARY KEY)",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let copy = schema.copy_keyspace("shop", "scratch");
        let cql: Vec<String> = replay_order(&copy)
            .into_iter()
            .flat_map(|object| object.to_cql())
            .collect();
        assert_eq!(cql.len(), 4, "{cql:?}");
        for statement in &cql {
            assert!(statement.contains("scratch"), "{statement}");
            assert!(!statement.contains("shop"), "{statement}");
            assert!(!statement.contains("5a1c3950"), "{statement}");
        }
    }
}
