//! Which tables are encrypted, and by which keys.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_formats::simple_name;
use model::TableRef;
use model::manifest::NodeSstables;

/// What DSE calls a system key that is given no name.
pub(super) const DEFAULT_KEY: &str = "system_key";

/// What opens a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A system key, a file of this name in the system key directory; it wraps the tables' own keys.
    File(String),
    /// A file that is the table's own key.
    SecretFile(String),
    /// Held by this KMIP server.
    Kmip(String),
    /// An encrypted SSTable does not tell, nor does the schema.
    Unnamed,
}

/// Which tables are encrypted, and what opens them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub tables: BTreeSet<TableRef>,
    pub keys: BTreeMap<Key, BTreeSet<TableRef>>,
}

impl Needs {
    pub fn of(
        sstables: &[NodeSstables],
        compression: impl IntoIterator<Item = (TableRef, BTreeMap<String, String>)>,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Self {
        let mut needs = Self::default();
        let mut declared: BTreeMap<TableRef, Key> = BTreeMap::new();
        for (table, options) in compression {
            if let Some(key) = key(&options).filter(|_| wanted(&table.keyspace, &table.table)) {
                needs.add(&table, key.clone());
                declared.insert(table, key);
            }
        }
        for table in sstables.iter().flat_map(|node| &node.tables) {
            if !wanted(&table.table.keyspace, &table.table.table) {
                continue;
            }
            let encryptions = table
                .sstables
                .iter()
                .filter_map(|it| it.encryption.as_ref());
            let names: BTreeSet<&str> = encryptions.map(|it| it.key.as_str()).collect();
            for name in names {
                match (name, declared.get(&table.table)) {
                    // What the schema says stands for what an SSTable does not tell.
                    ("", Some(_)) => {}
                    ("", None) => needs.add(&table.table, Key::Unnamed),
                    // A server's keys have names too, and no file.
                    (_, Some(Key::Kmip(_))) => {}
                    (name, Some(Key::SecretFile(file))) if file == name => {}
                    (name, _) => needs.add(&table.table, Key::File(name.to_owned())),
                }
            }
        }
        needs
    }

    fn add(&mut self, table: &TableRef, key: Key) {
        self.tables.insert(table.clone());
        self.keys.entry(key).or_default().insert(table.clone());
    }
}

/// The key of a table with these compression options; none where they do not encrypt.
fn key(options: &BTreeMap<String, String>) -> Option<Key> {
    let option = |names: &[&str]| {
        let found = names.iter().find_map(|name| options.get(*name))?;
        (!found.is_empty()).then_some(found.as_str())
    };
    let class = simple_name(option(&["class", "sstable_compression"])?);
    if !(class.starts_with("Encrypt")
        && (class.ends_with("Encryptor") || class.ends_with("Compressor")))
    {
        return None;
    }
    let provider = option(&["key_provider", "secret_key_provider_factory_class"]);
    let provider = simple_name(provider.unwrap_or_default());
    Some(match provider {
        "KmipKeyProviderFactory" => {
            Key::Kmip(option(&["kmip_host"]).unwrap_or("of the source").to_owned())
        }
        "LocalFileSystemKeyProviderFactory" => match option(&["secret_key_file"]) {
            Some(file) => Key::SecretFile(file.to_owned()),
            None => Key::Unnamed,
        },
        _ => Key::File(
            option(&["system_key_file"])
                .unwrap_or(DEFAULT_KEY)
                .to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_table_tell_its_key() {
        let file = |name: &str| Some(Key::File(name.to_owned()));
        for (options, expected) in [
            (&[][..], None),
            (&[("class", "LZ4Compressor")], None),
            (&[("class", "org.example.EncryptionFreeCodec")], None),
            (&[("enabled", "false")], None),
            (&[("class", "Encryptor")], file("system_key")),
            (
                &[
                    (
                        "class",
                        "org.apache.cassandra.io.compress.EncryptingLZ4Compressor",
                    ),
                    ("system_key_file", "shop_key"),
                ],
                file("shop_key"),
            ),
            (
                &[("sstable_compression", "EncryptingDeflateCompressor")],
                file("system_key"),
            ),
            (
                &[
                    ("class", "EncryptingSnappyCompressor"),
                    ("system_key_file", ""),
                ],
                file("system_key"),
            ),
            (
                &[
                    ("class", "Encryptor"),
                    ("key_provider", "KmipKeyProviderFactory"),
                    ("kmip_host", "vault"),
                ],
                Some(Key::Kmip("vault".into())),
            ),
            (
                &[
                    ("class", "Encryptor"),
                    (
                        "secret_key_provider_factory_class",
                        "com.datastax.bdp.cassandra.crypto.LocalFileSystemKeyProviderFactory",
                    ),
                    ("secret_key_file", "/etc/dse/key"),
                ],
                Some(Key::SecretFile("/etc/dse/key".into())),
            ),
        ] {
            let map = options
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            assert_eq!(key(&map), expected, "{options:?}");
        }
    }
}
