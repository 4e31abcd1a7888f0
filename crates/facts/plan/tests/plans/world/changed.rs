//! Changes to a side: another ring, another replication, another definition.

use model::cql::quote;
use model::{HostId, RingMember, SchemaKind};
use uuid::Uuid;

use super::Side;

impl Side {
    /// The ring has these members instead: datacenter, rack and tokens of each, the tokens in units of 10^17.
    pub fn members(&mut self, members: &[(&str, &str, &[i64])]) -> &mut Self {
        let (prefix, first) = match self.ring.first() {
            Some(member) => (
                member.address.trim_end_matches('1').to_owned(),
                member.host_id.0.as_u128(),
            ),
            None => unreachable!("a side begins with three members"),
        };
        let member =
            |(at, (datacenter, rack, tokens)): (usize, &(&str, &str, &[i64]))| RingMember {
                host_id: HostId(Uuid::from_u128(first + at as u128)),
                address: format!("{prefix}{}", at + 1),
                datacenter: (*datacenter).into(),
                rack: (*rack).into(),
                tokens: tokens
                    .iter()
                    .map(|t| (t * 100_000_000_000_000_000).to_string())
                    .collect(),
            };
        self.ring = members.iter().enumerate().map(member).collect();
        self
    }

    pub fn replicate(&mut self, keyspace: &str, replication: &str) -> &mut Self {
        let name = quote(keyspace);
        let cql = format!(
            "CREATE KEYSPACE {name} WITH replication = {replication} AND durable_writes = true"
        );
        self.redefine(SchemaKind::Keyspace, keyspace, &cql)
    }

    /// What was made last comes with this statement.
    pub fn also(&mut self, cql: &str) -> &mut Self {
        let last = self.entries.last_mut().expect("an entry");
        last.cql.push(cql.to_owned());
        self
    }

    /// Another statement makes the thing of this name.
    pub fn redefine(&mut self, kind: SchemaKind, name: &str, cql: &str) -> &mut Self {
        let (keyspace, name) = name.split_once('.').unwrap_or((name, name));
        let entries = self.entries.iter_mut();
        let mut of_name =
            entries.filter(|e| e.kind == kind && e.keyspace == keyspace && e.name == name);
        of_name.next().expect("an entry").cql = vec![cql.to_owned()];
        self
    }

    /// The thing and its files are gone.
    pub fn without(&mut self, name: &str) -> &mut Self {
        let (keyspace, name) = name.split_once('.').expect("keyspace.name");
        self.entries
            .retain(|e| e.keyspace != keyspace || e.name != name);
        self.tables
            .retain(|t| t.table.keyspace != keyspace || t.table.table != name);
        self
    }
}
