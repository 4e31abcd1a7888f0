//! What the running node is set to: which formats it reads and writes, and what its schema may use.

use std::collections::BTreeMap;

use cassandra_versions::{FormatSettings, Product, Release};
use model::NodeFeatures;

use crate::cql::{CqlError, Row};
use crate::node::CassandraNode;
use crate::role::allowed;
use crate::switches;
use crate::yaml::CassandraYaml;

/// The settings that decide what the node can read, write and hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What chooses the format of new SSTables.
    pub formats: FormatSettings,
    /// Empty if the release has none.
    pub storage_compatibility_mode: String,
    /// What its schema may use; none for what is not known.
    pub features: NodeFeatures,
    /// What switches something off or limits it, by name.
    pub switches: BTreeMap<String, String>,
}

// Each name as 4.1 and later have it, and as 4.0 and cassandra.yaml of before have it.
const MATERIALIZED_VIEWS: [&str; 2] = ["materialized_views_enabled", "enable_materialized_views"];
const USER_DEFINED_FUNCTIONS: [&str; 2] = [
    "user_defined_functions_enabled",
    "enable_user_defined_functions",
];
const SASI_INDEXES: [&str; 2] = ["sasi_indexes_enabled", "enable_sasi_indexes"];
const TIME_IDS: [&str; 2] = [
    "uuid_sstable_identifiers_enabled",
    "enable_uuid_sstable_identifiers",
];

/// The compatibility mode of a Cassandra node that does not set it. HCD reports none then.
const SHIPS_IN_ITS_MODE: &str = "CASSANDRA_4";

/// Every setting of the running node.
pub(crate) const SETTINGS: &str = "SELECT name, value FROM system_views.settings";

/// Reads them from the running node, or from cassandra.yaml if its release has no table of settings, or this role may not
/// read it.
pub async fn read(node: &CassandraNode, release: &Release) -> Result<Settings, CqlError> {
    if !release.has_settings_table() {
        return Ok(Settings::of_yaml(release, &node.yaml));
    }
    Ok(match allowed(node.cql.query(SETTINGS).await)? {
        Some(rows) => Settings::of_rows(release, &rows, &node.yaml),
        None => Settings::of_yaml(release, &node.yaml),
    })
}

impl Settings {
    /// From the rows of `system_views.settings`; cassandra.yaml may have been changed since the node started.
    pub fn of_rows(release: &Release, rows: &[Row], yaml: &CassandraYaml) -> Self {
        let value = |name: &str| {
            rows.iter()
                .find(|row| row.optional_text("name") == Some(name))
                .and_then(|row| row.optional_text("value"))
        };
        let flag = |names: [&str; 2]| {
            let set = names.iter().find_map(|name| value(name))?;
            crate::yaml::flag(set)
        };
        let mode = value("storage_compatibility_mode");
        Self {
            formats: FormatSettings::parse(
                mode,
                value("sstable.selected_format").or(yaml.selected_format.as_deref()),
            ),
            storage_compatibility_mode: mode.unwrap_or_default().to_owned(),
            features: NodeFeatures {
                materialized_views: flag(MATERIALIZED_VIEWS),
                user_defined_functions: flag(USER_DEFINED_FUNCTIONS),
                sasi_indexes: flag(SASI_INDEXES),
                time_sstable_ids: time_ids(release, flag(TIME_IDS)),
            },
            switches: switches::of_rows(rows, &yaml.switches),
        }
    }

    /// For a node that has no such table, or is down.
    pub fn of_yaml(release: &Release, yaml: &CassandraYaml) -> Self {
        // The default of Cassandra releases before the table; it is not known for others.
        let default = |value: bool| {
            let known = release.product == Product::Cassandra && !release.has_settings_table();
            known.then_some(value)
        };
        let shipped = match release.product {
            Product::Cassandra => SHIPS_IN_ITS_MODE,
            Product::Dse | Product::Hcd => "",
        };
        let mode = match release.has_storage_compatibility_mode() {
            true => yaml
                .storage_compatibility_mode
                .as_deref()
                .unwrap_or(shipped),
            false => "",
        };
        let set = &yaml.features;
        Self {
            formats: yaml.format_settings(),
            storage_compatibility_mode: mode.to_owned(),
            features: NodeFeatures {
                materialized_views: set.materialized_views.or(default(true)),
                user_defined_functions: set.user_defined_functions.or(default(false)),
                sasi_indexes: set.sasi_indexes.or(default(true)),
                time_sstable_ids: time_ids(release, set.time_sstable_ids),
            },
            switches: yaml.switches.clone(),
        }
    }
}

/// The features that cassandra.yaml names, under the names of all releases.
pub fn features_of<E>(
    mut flag: impl FnMut(&'static str) -> Result<Option<bool>, E>,
) -> Result<NodeFeatures, E> {
    let mut either = |[later, earlier]: [&'static str; 2]| match flag(later)? {
        Some(set) => Ok(Some(set)),
        None => flag(earlier),
    };
    Ok(NodeFeatures {
        materialized_views: either(MATERIALIZED_VIEWS)?,
        user_defined_functions: either(USER_DEFINED_FUNCTIONS)?,
        sasi_indexes: either(SASI_INDEXES)?,
        time_sstable_ids: either(TIME_IDS)?,
    })
}

fn time_ids(release: &Release, set: Option<bool>) -> Option<bool> {
    match release.parses_time_ids() {
        true => set,
        false => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn yaml(text: &str) -> CassandraYaml {
        CassandraYaml::parse(text, Path::new("c.yaml"), Path::new("/")).unwrap()
    }

    fn rows(settings: &[(&str, &str)]) -> Vec<Row> {
        let row = |(name, value): &(&str, &str)| {
            let row = json!({ "name": name, "value": value });
            Row(row.as_object().unwrap().clone())
        };
        settings.iter().map(row).collect()
    }

    fn features(settings: &Settings) -> [Option<bool>; 4] {
        let set = settings.features;
        [
            set.materialized_views,
            set.user_defined_functions,
            set.sasi_indexes,
            set.time_sstable_ids,
        ]
    }

    const NO: Option<bool> = Some(false);
    const YES: Option<bool> = Some(true);

    #[test]
    fn each_release_reports_its_features_under_its_own_names() {
        let names_of_4_0 = [
            ("enable_materialized_views", "true"),
            ("enable_user_defined_functions", "false"),
            ("enable_sasi_indexes", "true"),
        ];
        let names_of_4_1 = [
            ("materialized_views_enabled", "false"),
            ("user_defined_functions_enabled", "true"),
            ("sasi_indexes_enabled", "false"),
            ("uuid_sstable_identifiers_enabled", "true"),
        ];
        for (release, settings, expected) in [
            ("cassandra 4.0.17", &names_of_4_0[..], [YES, NO, YES, NO]),
            ("cassandra 4.1.9", &names_of_4_1[..], [NO, YES, NO, YES]),
            ("cassandra 5.0.5", &names_of_4_1[..], [NO, YES, NO, YES]),
            ("hcd 1.2.1", &[], [None; 4]),
        ] {
            let release: Release = release.parse().unwrap();
            let settings = Settings::of_rows(&release, &rows(settings), &yaml("a: b"));
            assert_eq!(features(&settings), expected, "{release}");
        }
    }

    #[test]
    fn without_a_table_of_settings_the_file_counts_and_then_what_3_11_ships_with() {
        for (release, text, expected) in [
            ("cassandra 3.11.19", "a: b", [YES, NO, YES, NO]),
            (
                "cassandra 3.11.19",
                "enable_materialized_views: false\nenable_user_defined_functions: true",
                [NO, YES, YES, NO],
            ),
            ("dse 6.8.50", "a: b", [None, None, None, NO]),
            (
                "dse 6.8.50",
                "enable_user_defined_functions: true",
                [None, YES, None, NO],
            ),
            (
                "cassandra 3.11.19",
                "auto_snapshot: yes\nenable_materialized_views: yes\nenable_sasi_indexes: OFF\nenable_user_defined_functions: On",
                [YES, YES, NO, NO],
            ),
            // A node of now that is down.
            (
                "cassandra 5.0.5",
                "sasi_indexes_enabled: true\nuuid_sstable_identifiers_enabled: false",
                [None, None, YES, NO],
            ),
        ] {
            let release: Release = release.parse().unwrap();
            let settings = Settings::of_yaml(&release, &yaml(text));
            assert_eq!(features(&settings), expected, "{release} {text}");
        }
    }

    #[test]
    fn a_compatibility_mode_is_reported_if_there_is_one() {
        let mode = "storage_compatibility_mode";
        let five: Release = "cassandra 5.0.5".parse().unwrap();
        let running = Settings::of_rows(
            &five,
            &rows(&[(mode, "UPGRADING")]),
            &yaml("storage_compatibility_mode: NONE"),
        );
        assert_eq!(running.storage_compatibility_mode, "UPGRADING");
        for (release, text, expected) in [
            ("cassandra 5.0.5", "a: b", "CASSANDRA_4"),
            (
                "cassandra 5.0.5",
                "storage_compatibility_mode: NONE",
                "NONE",
            ),
            ("hcd 2.0.6", "a: b", ""),
            ("cassandra 4.1.9", "a: b", ""),
            ("cassandra 3.11.19", "a: b", ""),
        ] {
            let release: Release = release.parse().unwrap();
            let settings = Settings::of_yaml(&release, &yaml(text));
            assert_eq!(settings.storage_compatibility_mode, expected, "{release}");
        }
        let four: Release = "cassandra 4.1.9".parse().unwrap();
        let settings = Settings::of_rows(&four, &rows(&[]), &yaml("a: b"));
        assert_eq!(settings.storage_compatibility_mode, "");
    }

    #[test]
    fn what_is_written_follows_the_running_node() {
        let mode = "storage_compatibility_mode";
        let selected = "sstable.selected_format";
        for (release, settings, expected) in [
            ("cassandra 4.0.17", vec![], Some("big-nb")),
            (
                "cassandra 5.0.5",
                vec![(mode, "CASSANDRA_4")],
                Some("big-nb"),
            ),
            ("cassandra 5.0.5", vec![(mode, "NONE")], Some("big-oa")),
            (
                "cassandra 5.0.5",
                vec![(mode, "NONE"), (selected, "bti")],
                Some("bti-da"),
            ),
            ("hcd 1.2.1", vec![], Some("bti-cc")),
            ("hcd 2.0.6", vec![(selected, "bti")], Some("bti-cc")),
            ("hcd 2.0.6", vec![(selected, "big")], Some("big-oa")),
            ("cassandra 9.9.9", vec![], None),
        ] {
            let release: Release = release.parse().unwrap();
            let found = Settings::of_rows(&release, &rows(&settings), &yaml("a: b"));
            let written = cassandra_versions::written_format(&release, &found.formats);
            assert_eq!(written, expected, "{release} {settings:?}");
        }
    }
}
