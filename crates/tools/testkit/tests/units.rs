//! The systemd units fit what is shipped beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every process that is shipped: its settings' name and its command.
const PROCESSES: &[(&str, &str)] = &[
    ("node-agent", "/usr/bin/ringkeep-node-agent"),
    ("storage-catalog", "/usr/bin/ringkeep-storage-catalog"),
    ("planner", "/usr/bin/ringkeep-planner"),
    ("task-runner", "/usr/bin/ringkeep-task-runner"),
    ("standalone", "/usr/bin/ringkeep standalone"),
];
/// After the grace a process cuts its connections, sends its last spans and ends its threads.
const AFTER_GRACE_SECONDS: u64 = 15;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy")
}

/// Values by `Section.Key`; a key may stand more than once.
struct Unit(BTreeMap<String, Vec<String>>);

impl Unit {
    fn read(name: &str) -> Self {
        let path = deploy().join(format!("systemd/ringkeep-{name}.service"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut section = String::new();
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                section = name.to_owned();
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .unwrap_or_else(|| panic!("{name}: {line}"));
            values
                .entry(format!("{section}.{key}"))
                .or_default()
                .push(value.to_owned());
        }
        Self(values)
    }

    #[track_caller]
    fn one(&self, key: &str) -> &str {
        match self.0.get(key).map(Vec::as_slice) {
            Some([value]) => value,
            other => panic!("{key} is {other:?}"),
        }
    }
}

/// `server.shutdown_grace_seconds` of a sample, set or shown.
fn grace_seconds(name: &str) -> u64 {
    let path = deploy().join(format!("config/{name}.toml"));
    let text = std::fs::read_to_string(path).expect("a sample for each unit");
    let line = text.lines().find_map(|line| {
        line.trim_start_matches('#')
            .strip_prefix("shutdown_grace_seconds = ")
    });
    line.expect("the sample has the grace")
        .parse()
        .expect("seconds")
}

#[test]
fn every_unit_starts_a_shipped_binary_with_its_shipped_settings() {
    for (name, command) in PROCESSES {
        let unit = Unit::read(name);
        assert_eq!(
            unit.one("Service.ExecStart"),
            format!("{command} --config /etc/ringkeep/{name}.toml")
        );
        assert!(
            deploy().join(format!("config/{name}.toml")).is_file(),
            "{name}"
        );
    }
}

#[test]
fn every_unit_and_every_sample_belongs_to_a_process() {
    for (folder, prefix, suffix) in [
        ("systemd", "ringkeep-", ".service"),
        ("config", "", ".toml"),
    ] {
        let mut found: Vec<String> = std::fs::read_dir(deploy().join(folder))
            .expect(folder)
            .map(|entry| {
                entry
                    .expect(folder)
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect();
        found.sort();
        let mut expected: Vec<String> = PROCESSES
            .iter()
            .map(|(name, _)| format!("{prefix}{name}{suffix}"))
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{folder}");
    }
}

#[test]
fn every_binary_that_is_started_is_built() {
    for (_, command) in PROCESSES {
        let binary = command
            .split(' ')
            .next()
            .and_then(|path| path.strip_prefix("/usr/bin/"));
        let binary = binary.expect("a path in /usr/bin");
        let package = binary.strip_prefix("ringkeep-").unwrap_or(binary);
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let manifest = ["services", "assemblies"]
            .map(|layer| crates.join(layer).join(package).join("Cargo.toml"))
            .into_iter()
            .find(|manifest| manifest.is_file())
            .expect(package);
        let manifest: toml::Table = std::fs::read_to_string(manifest)
            .expect(package)
            .parse()
            .expect(package);
        // Without a [[bin]] of another name, the binary has the package's.
        let named = manifest
            .get("bin")
            .and_then(|bins| bins.get(0)?.get("name")?.as_str());
        assert_eq!(named.unwrap_or(package), binary);
    }
}

#[test]
fn a_drain_is_never_cut_by_a_kill() {
    for (name, _) in PROCESSES {
        let stop: u64 = Unit::read(name)
            .one("Service.TimeoutStopSec")
            .parse()
            .expect("seconds");
        assert!(
            stop >= grace_seconds(name) + AFTER_GRACE_SECONDS,
            "{name}: {stop}"
        );
    }
}

#[test]
fn every_unit_is_hardened_and_restarts_after_a_failure() {
    for (name, _) in PROCESSES {
        let unit = Unit::read(name);
        for (key, expected) in [
            ("NoNewPrivileges", "yes"),
            ("ProtectSystem", "strict"),
            ("ProtectHome", "yes"),
            ("PrivateTmp", "yes"),
            ("CapabilityBoundingSet", ""),
            ("Restart", "on-failure"),
            ("RestartPreventExitStatus", "2"),
        ] {
            assert_eq!(
                unit.one(&format!("Service.{key}")),
                expected,
                "{name}: {key}"
            );
        }
        assert_ne!(unit.one("Service.User"), "root", "{name}");
    }
}

#[test]
fn what_touches_cassandra_s_files_is_cassandra_and_gives_way_to_it() {
    for name in ["node-agent", "standalone"] {
        let unit = Unit::read(name);
        assert_eq!(unit.one("Service.User"), "cassandra");
        assert_eq!(unit.one("Service.IOSchedulingClass"), "idle");
        assert_eq!(unit.one("Service.Nice"), "10");
        assert_eq!(unit.one("Service.ReadWritePaths"), "/var/lib/cassandra");
    }
}
