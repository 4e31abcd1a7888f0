//! Encrypted tables: which keys they need, and whether the target's nodes have the same.
//!
//! A table's compression options say how it is encrypted now, each SSTable how it was encrypted when it was written: the keys
//! of both are needed.

mod needs;

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::Product;
use model::manifest::{BackupManifest, NodeSstables};
use model::plan::NodeKeys;
use model::{NodeDescription, Severity, TableRef};

use super::Restored;
use crate::findings::Findings;
use crate::restore::schema::tables;
use crate::{codes, wording};
use needs::{Key, Needs};

/// What is known of the backup's encryption, and of the target's.
struct Encrypted<'a> {
    pub backup: &'a BackupManifest,
    pub sstables: &'a [NodeSstables],
    pub targets: &'a [&'a NodeDescription],
    pub target_keys: &'a [NodeKeys],
}

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let (request, inputs) = (restored.given.request, restored.given.inputs);
    let encrypted = Encrypted {
        backup: restored.given.backup,
        sstables: &request.sstables,
        targets: &inputs.cluster.nodes,
        target_keys: &request.target_keys,
    };
    let wanted = tables::is_staged(&restored.outcome.decided);
    check_keys(&encrypted, inputs.schemas.compression(), wanted, findings);
}

/// Reports what rules out the tables that are `wanted`, by keyspace and name. `compression`: the compression options of
/// each table in the backup's schema, names and values as they stand there.
fn check_keys(
    encrypted: &Encrypted,
    compression: impl IntoIterator<Item = (TableRef, BTreeMap<String, String>)>,
    wanted: impl Fn(&str, &str) -> bool,
    findings: &mut Findings,
) {
    let needs = Needs::of(encrypted.sstables, compression, wanted);
    if needs.tables.is_empty() {
        return;
    }
    let (can, cannot): (Vec<&NodeDescription>, Vec<&NodeDescription>) = encrypted
        .targets
        .iter()
        .partition(|node| node.release.has_table_encryption());
    if !cannot.is_empty() {
        let nodes = cannot.iter().map(|node| &node.member.address);
        findings.say(
            codes::TDE_UNAVAILABLE,
            wording::list(&needs.tables),
            format!(
                "{} cannot decrypt tables, and the backup has encrypted ones: {}",
                wording::list(nodes),
                wording::list(&needs.tables)
            ),
            "restore into DSE or HCD; or on the source alter the tables to another compressor, run `nodetool upgradesstables -a`, and back up again",
        );
    }
    // Where no node can decrypt, keys would not help.
    if can.is_empty() && !cannot.is_empty() {
        return;
    }
    for (key, tables) in &needs.keys {
        let tables = wording::list(tables);
        match key {
            Key::Unnamed => findings.say(
                codes::TDE_KEY_UNKNOWN,
                &tables,
                format!("SSTables of {tables} do not tell by which key they are encrypted"),
                "make sure that every target node has every system key of the source, with the same name and content",
            ),
            Key::Kmip(host) => findings.say(
                codes::TDE_KEY_UNKNOWN,
                host,
                format!("the keys of {tables} are held by the KMIP server {host}"),
                format!("make sure that every target node reaches {host} under the same name, and is allowed to read the keys"),
            ),
            Key::File(name) | Key::SecretFile(name) => {
                check_file(name, &tables, encrypted, &can, findings);
            }
        }
    }
    if needs
        .keys
        .keys()
        .any(|key| matches!(key, Key::File(_) | Key::Unnamed))
    {
        say_rows(encrypted, &can, findings);
    }
}

/// A key that stands in a file on each node: the source's and the target's must be the same.
fn check_file(
    name: &str,
    tables: &str,
    encrypted: &Encrypted,
    targets: &[&NodeDescription],
    findings: &mut Findings,
) {
    let source: BTreeSet<&str> = encrypted
        .sstables
        .iter()
        .flat_map(|node| &node.keys)
        .filter(|key| key.name == name)
        .filter_map(|key| key.fingerprint.as_deref())
        .collect();
    if source.is_empty() {
        findings.say(
            codes::TDE_KEY_UNKNOWN,
            name,
            format!("the system key {name} of {tables} could not be read on the source when the backup was made"),
            "compare the file on a source node with that on each target node by hand, for example by its SHA-256",
        );
    }
    let (mut missing, mut differing) = (Vec::new(), Vec::new());
    for node in targets {
        let address = node.member.address.as_str();
        let own = encrypted
            .target_keys
            .iter()
            .filter(|keys| keys.node == address);
        let key = own.flat_map(|node| &node.keys).find(|key| key.name == name);
        match key.and_then(|key| key.fingerprint.as_deref()) {
            None => missing.push(address),
            Some(fingerprint) if !source.is_empty() && !source.contains(fingerprint) => {
                differing.push(address);
            }
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        let nodes = wording::list(&missing);
        findings.say(
            codes::TDE_KEY_MISSING,
            name,
            format!("the system key {name} of {tables} is not on {nodes}, or cannot be read there"),
            format!("keys are kept apart from the backup: copy the file {name} of the source's system_key_directory into that of {nodes}, under the same name"),
        );
    }
    if !differing.is_empty() {
        let nodes = wording::list(&differing);
        findings.say(
            codes::TDE_KEY_DIFFERS,
            name,
            format!("the system key {name} of {tables} is another on {nodes} than it was on the source"),
            match name {
                needs::DEFAULT_KEY => format!("both clusters have a key of their own under the usual name {name}; if no table of the target is encrypted by it, copy the file of the source's system_key_directory to {nodes}; otherwise encrypt the tables of one cluster again under a key of another name first"),
                _ => format!("if no table of the target is encrypted by it, copy the file of the source's system_key_directory to {nodes}; otherwise encrypt the tables of one cluster again under a key of another name first"),
            },
        );
    } else if source.len() > 1 {
        findings.say_as(
            Severity::Warning,
            codes::TDE_KEY_DIFFERS,
            name,
            format!("the source's nodes had {} different keys under the name {name}, and {tables} may be encrypted by any of them", source.len()),
            "find out which of them the tables are encrypted by, and whether every target node has that one",
        );
    }
}

/// The tables' own keys stand wrapped in a table of the product, which no backup holds.
fn say_rows(encrypted: &Encrypted, targets: &[&NodeDescription], findings: &mut Findings) {
    let table = |product: Product| match product {
        Product::Hcd => "hcd_system.encrypted_keys",
        Product::Dse | Product::Cassandra => "dse_system.encrypted_keys",
    };
    let from = table(encrypted.backup.release.product);
    let into = targets
        .first()
        .map_or(from, |node| table(node.release.product));
    let of_target: BTreeSet<_> = encrypted
        .targets
        .iter()
        .map(|node| node.member.host_id)
        .collect();
    let same_nodes = encrypted
        .backup
        .nodes
        .iter()
        .any(|node| of_target.contains(&node.host_id));
    let (severity, message, hint) = if same_nodes {
        (
            Severity::Advice,
            format!(
                "the tables' own keys stand in {into}, which is not part of the backup; the target has nodes of the source, and should have them still"
            ),
            format!("if rows of {into} were deleted since, add them again before the restore"),
        )
    } else {
        (
            Severity::Warning,
            format!(
                "the tables' own keys stand in {from} of the source, which is not part of the backup"
            ),
            format!(
                "before the restore add the rows of {from} of the source to {into} of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it"
            ),
        )
    };
    findings.say_as(severity, codes::TDE_KEY_ROWS, into, message, hint);
}

#[cfg(test)]
mod tests;
