//! Renders `cassandra.yaml` and the two small files beside it, in the words of each release line.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::addresses::{NATIVE_PORT, STORAGE_PORT};
use crate::node::Node;
use crate::release::Release;
use crate::tokens;

/// What all nodes of a cluster share.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    pub cluster_name: String,
    pub release: Release,
    pub seeds: Vec<IpAddr>,
    /// Passwords and permissions instead of open doors.
    pub authenticator: bool,
    /// Settings that win over the lab's own, as YAML text; an empty one takes the lab's own away.
    pub overrides: BTreeMap<String, String>,
}

impl ClusterConfig {
    fn has_random_partitioner(&self) -> bool {
        let partitioner = self.overrides.get("partitioner");
        partitioner.is_some_and(|class| class.ends_with("RandomPartitioner"))
    }
}

/// The whole `cassandra.yaml` of one node.
pub fn cassandra_yaml(config: &ClusterConfig, node: &Node) -> String {
    let mut settings = common_settings(config, node);
    settings.extend(line_settings(config.release).into_iter().map(owned));
    for (key, value) in &config.overrides {
        if value.is_empty() {
            settings.remove(key);
        } else {
            settings.insert(key.clone(), value.clone());
        }
    }
    settings
        .iter()
        .map(|(key, value)| format!("{key}: {value}\n"))
        .collect()
}

pub fn rackdc_properties(node: &Node) -> String {
    format!("dc={}\nrack={}\n", node.datacenter, node.rack)
}

/// Logs to one file; the tools log warnings to stderr, so that their stdout stays data.
pub fn logback_xml(node: &Node, tools: bool) -> String {
    let pattern = "%-5level [%thread] %date{ISO8601} %logger{0} - %msg%n";
    let (appender, level) = if tools {
        ("<appender name=\"A\" class=\"ch.qos.logback.core.ConsoleAppender\"><target>System.err</target>".to_owned(), "WARN")
    } else {
        let file = node.log_file.display();
        (
            format!(
                "<appender name=\"A\" class=\"ch.qos.logback.core.FileAppender\"><file>{file}</file>"
            ),
            "INFO",
        )
    };
    format!(
        "<configuration>\n  {appender}<encoder><pattern>{pattern}</pattern></encoder></appender>\n  \
         <root level=\"{level}\"><appender-ref ref=\"A\"/></root>\n</configuration>\n"
    )
}

fn common_settings(config: &ClusterConfig, node: &Node) -> BTreeMap<String, String> {
    let folder = |name: &str| quoted(&node.dir.join(name).display().to_string());
    let data_dirs: Vec<String> = node
        .data_dirs
        .iter()
        .map(|dir| quoted(&dir.display().to_string()))
        .collect();
    let seeds: Vec<String> = config.seeds.iter().map(IpAddr::to_string).collect();
    let tokens = tokens::texts(&node.tokens, config.has_random_partitioner());
    let (authenticator, authorizer) = if config.authenticator {
        ("PasswordAuthenticator", "CassandraAuthorizer")
    } else {
        ("AllowAllAuthenticator", "AllowAllAuthorizer")
    };
    let settings = [
        ("cluster_name", quoted(&config.cluster_name)),
        ("num_tokens", node.tokens.len().to_string()),
        ("initial_token", quoted(&tokens.join(","))),
        // Tokens are given and clusters start empty: there is nothing to stream and no need to wait.
        ("auto_bootstrap", "false".to_owned()),
        (
            "partitioner",
            "org.apache.cassandra.dht.Murmur3Partitioner".to_owned(),
        ),
        (
            "data_file_directories",
            format!("[{}]", data_dirs.join(", ")),
        ),
        ("commitlog_directory", folder("commitlog")),
        ("hints_directory", folder("hints")),
        ("saved_caches_directory", folder("saved_caches")),
        ("cdc_raw_directory", folder("cdc_raw")),
        ("commitlog_sync", "periodic".to_owned()),
        ("disk_failure_policy", "stop".to_owned()),
        ("listen_address", node.address.to_string()),
        ("rpc_address", node.address.to_string()),
        ("storage_port", STORAGE_PORT.to_string()),
        ("native_transport_port", NATIVE_PORT.to_string()),
        ("start_native_transport", "true".to_owned()),
        ("endpoint_snitch", "GossipingPropertyFileSnitch".to_owned()),
        ("authenticator", authenticator.to_owned()),
        ("authorizer", authorizer.to_owned()),
        ("auto_snapshot", "true".to_owned()),
        ("concurrent_reads", "8".to_owned()),
        ("concurrent_writes", "16".to_owned()),
        ("concurrent_counter_writes", "8".to_owned()),
        ("concurrent_compactors", "1".to_owned()),
        (
            "seed_provider",
            format!(
                "[{{class_name: org.apache.cassandra.locator.SimpleSeedProvider, \
                 parameters: [{{seeds: {}}}]}}]",
                quoted(&seeds.join(","))
            ),
        ),
    ];
    settings.into_iter().map(owned).collect()
}

/// The settings whose names or values differ between the lines; timeouts are long because test machines are busy.
fn line_settings(release: Release) -> Vec<(&'static str, &'static str)> {
    let mut settings = if release.has_unit_settings() {
        UNIT_SETTINGS.to_vec()
    } else {
        PLAIN_SETTINGS.to_vec()
    };
    match release {
        Release::C311 => settings.push(("start_rpc", "false")),
        Release::C40 | Release::C41 => {}
        Release::C50 => settings.extend([
            // Without it 5.0 writes the SSTables of 4.0.
            ("storage_compatibility_mode", "NONE"),
            ("sstable", "{selected_format: big}"),
        ]),
    }
    settings
}

const PLAIN_SETTINGS: [(&str, &str); 18] = [
    ("commitlog_sync_period_in_ms", "10000"),
    ("commitlog_segment_size_in_mb", "8"),
    ("commitlog_total_space_in_mb", "128"),
    ("memtable_heap_space_in_mb", "64"),
    ("memtable_offheap_space_in_mb", "64"),
    ("key_cache_size_in_mb", "8"),
    ("counter_cache_size_in_mb", "4"),
    ("batch_size_warn_threshold_in_kb", "64"),
    ("batch_size_fail_threshold_in_kb", "640"),
    ("read_request_timeout_in_ms", "30000"),
    ("range_request_timeout_in_ms", "30000"),
    ("write_request_timeout_in_ms", "30000"),
    ("counter_write_request_timeout_in_ms", "30000"),
    ("request_timeout_in_ms", "30000"),
    ("slow_query_log_timeout_in_ms", "0"),
    ("enable_materialized_views", "true"),
    ("enable_sasi_indexes", "true"),
    ("enable_user_defined_functions", "true"),
];

const UNIT_SETTINGS: [(&str, &str); 18] = [
    ("commitlog_sync_period", "10000ms"),
    ("commitlog_segment_size", "8MiB"),
    ("commitlog_total_space", "128MiB"),
    ("memtable_heap_space", "64MiB"),
    ("memtable_offheap_space", "64MiB"),
    ("key_cache_size", "8MiB"),
    ("counter_cache_size", "4MiB"),
    ("batch_size_warn_threshold", "64KiB"),
    ("batch_size_fail_threshold", "640KiB"),
    ("read_request_timeout", "30000ms"),
    ("range_request_timeout", "30000ms"),
    ("write_request_timeout", "30000ms"),
    ("counter_write_request_timeout", "30000ms"),
    ("request_timeout", "30000ms"),
    ("slow_query_log_timeout", "0ms"),
    ("materialized_views_enabled", "true"),
    ("sasi_indexes_enabled", "true"),
    ("user_defined_functions_enabled", "true"),
];

fn owned((key, value): (&str, impl Into<String>)) -> (String, String) {
    (key.to_owned(), value.into())
}

/// A single-quoted YAML scalar.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(release: Release, overrides: &[(&str, &str)]) -> String {
        let config = ClusterConfig {
            cluster_name: "it's a demo".to_owned(),
            release,
            seeds: vec!["127.64.1.1".parse().unwrap()],
            authenticator: false,
            overrides: overrides
                .iter()
                .map(|(key, value)| owned((key, *value)))
                .collect(),
        };
        cassandra_yaml(&config, &crate::node::tests::node())
    }

    #[test]
    fn each_line_gets_the_names_it_knows() {
        for release in [Release::C311, Release::C40] {
            let text = yaml(release, &[]);
            assert!(
                text.contains("commitlog_sync_period_in_ms: 10000\n"),
                "{text}"
            );
            assert!(text.contains("enable_materialized_views: true\n"), "{text}");
        }
        for release in [Release::C41, Release::C50] {
            let text = yaml(release, &[]);
            assert!(text.contains("commitlog_sync_period: 10000ms\n"), "{text}");
            assert!(
                text.contains("materialized_views_enabled: true\n"),
                "{text}"
            );
        }
        assert!(yaml(Release::C50, &[]).contains("storage_compatibility_mode: NONE\n"));
        assert!(!yaml(Release::C41, &[]).contains("storage_compatibility_mode"));
    }

    #[test]
    fn an_override_wins_and_quotes_survive() {
        let text = yaml(Release::C50, &[("sstable", "{selected_format: bti}")]);
        assert!(text.contains("sstable: {selected_format: bti}\n"), "{text}");
        assert_eq!(text.matches("sstable:").count(), 1);
        assert!(text.contains("cluster_name: 'it''s a demo'\n"), "{text}");
        let text = yaml(Release::C50, &[("sstable", "")]);
        assert!(!text.contains("sstable:"), "{text}");
        assert!(text.contains("initial_token: '-5,7'\n"), "{text}");
        let text = yaml(Release::C311, &[("partitioner", "RandomPartitioner")]);
        assert!(!text.contains("initial_token: '-"), "{text}");
    }
}
