use super::*;

fn parse(text: &str) -> CassandraYaml {
    CassandraYaml::parse(
        text,
        Path::new("cassandra.yaml"),
        Path::new("/var/lib/cassandra"),
    )
    .unwrap()
}

#[test]
fn absent_keys_are_as_cassandra_takes_them() {
    let yaml = parse("cluster_name: a\nrpc_address:\n");
    assert_eq!(
        yaml.data_directories,
        [Path::new("/var/lib/cassandra/data")]
    );
    assert_eq!(
        yaml.saved_caches_directory,
        Path::new("/var/lib/cassandra/saved_caches")
    );
    assert_eq!(
        yaml.commitlog_directory,
        Path::new("/var/lib/cassandra/commitlog")
    );
    assert_eq!(yaml.cql_address.as_deref(), Some("localhost:9042"));
    assert_eq!(yaml.hints_directory, Path::new("/var/lib/cassandra/hints"));
    assert_eq!(yaml.hints_flush_period.as_secs(), 10);
    assert!(!yaml.time_ids);
}

#[test]
fn the_hints_are_where_and_as_late_as_the_file_says() {
    let yaml = parse("hints_directory: /h\nhints_flush_period_in_ms: 2000\n");
    assert_eq!(yaml.hints_directory, Path::new("/h"));
    assert_eq!(yaml.hints_flush_period.as_secs(), 2);
    for (text, seconds) in [("1m", 60), ("fast", 10)] {
        let yaml = parse(&format!("hints_flush_period: {text}\n"));
        assert_eq!(yaml.hints_flush_period.as_secs(), seconds, "{text}");
    }
}

#[test]
fn several_data_directories_relative_ones_included_are_taken() {
    let yaml = parse("data_file_directories:\n  - /d1\n  - d2\n");
    assert_eq!(
        yaml.data_directories,
        [Path::new("/d1"), Path::new("/var/lib/cassandra/d2")]
    );
}

#[test]
fn cql_answers_on_loopback_where_it_listens_on_every_address() {
    for (text, expected) in [
        (
            "rpc_address: 0.0.0.0\nnative_transport_port: 9043",
            Some("127.0.0.1:9043"),
        ),
        ("rpc_address: '::'", Some("[::1]:9042")),
        ("rpc_address: 10.0.0.1", Some("10.0.0.1:9042")),
        ("listen_address: 10.0.0.2", Some("10.0.0.2:9042")),
        ("rpc_interface: eth0", None),
    ] {
        assert_eq!(parse(text).cql_address.as_deref(), expected, "{text}");
    }
}

#[test]
fn both_forms_of_the_selected_format_are_known() {
    for text in [
        "sstable:\n  selected_format: bti",
        "sstable.selected_format: bti",
    ] {
        assert_eq!(
            parse(text).selected_format.as_deref(),
            Some("bti"),
            "{text}"
        );
    }
}

#[test]
fn a_wrong_shape_is_named_by_its_key() {
    let error =
        CassandraYaml::parse("storage_port: x", Path::new("c.yaml"), Path::new("/")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`storage_port` in `c.yaml` is not a number"
    );
}
