//! Memtable configurations that tables name, and that only cassandra.yaml defines.

use std::collections::BTreeMap;

use model::NodeSetup;

use super::Asked;
use crate::findings::Findings;
use crate::{codes, wording};

const DEFINED: &str = "memtable.configurations";
const DEFAULT: &str = "default";

pub(super) fn check(asked: &Asked, findings: &mut Findings) {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, name) in named(asked) {
        users.entry(name).or_default().push(table);
    }
    for (name, tables) in users {
        let lacks = asked.nodes().iter().filter(|node| {
            let defined = node.setup.settings.get(DEFINED);
            defined.is_some_and(|defined| !NodeSetup::items(defined).contains(&name.as_str()))
        });
        let nodes: Vec<&str> = lacks.map(|node| node.member.address.as_str()).collect();
        if nodes.is_empty() {
            continue;
        }
        let nodes = wording::list(nodes);
        findings.say(
            codes::MEMTABLE_MISSING,
            &name,
            format!(
                "the memtable configuration {name} is not in cassandra.yaml of {nodes}, and {} {} made with it",
                wording::list(&tables),
                if tables.len() == 1 { "is" } else { "are" }
            ),
            format!("define it below `memtable: configurations:` on {nodes} as on the source, restart nodes and agents one by one, and plan again"),
        );
    }
}

/// The tables and views that are made with a memtable configuration of a name.
fn named(asked: &Asked) -> Vec<(String, String)> {
    let made = asked.decided.iter().filter(|table| table.is_made());
    let named = made.filter_map(|table| {
        let (keyspace, name) = (&table.plan.table.keyspace, &table.plan.table.table);
        let options = match table.view_of {
            None => &asked.schema().table(keyspace, name)?.options,
            Some(_) => &asked.schema().view(keyspace, name)?.options,
        };
        let value = options.get("memtable")?.as_literal()?.content().to_owned();
        (value != DEFAULT).then(|| (table.plan.table.to_string(), value))
    });
    named.collect()
}
