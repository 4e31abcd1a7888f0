//! The trial in `deploy/compose` starts programs that exist, with settings that they take, on the ports that it publishes.

use serde_yaml_ng::Value;

use crate::programs::{check, started_by};
use crate::read;
use crate::yaml::texts;

#[test]
fn every_image_has_a_version() {
    for (name, service) in services() {
        let image = service["image"].as_str().expect("an image");
        let (_, tag) = image.rsplit_once(':').expect("a tag");
        assert_ne!(tag, "latest", "{name:?}");
    }
}

fn services() -> serde_yaml_ng::Mapping {
    let mut compose: Value =
        serde_yaml_ng::from_str(&read("deploy/compose/compose.yaml")).expect("YAML");
    // Task-runners merge what merges what all programs share.
    for _ in 0..2 {
        compose.apply_merge().expect("merges");
    }
    compose["services"].as_mapping().expect("services").clone()
}

#[test]
fn every_service_of_ours_starts_a_program_with_settings_that_it_takes() {
    let mut ours = Vec::new();
    for (name, service) in services() {
        if service["image"] != "ringkeep:trial" {
            continue;
        }
        let name = name.as_str().expect("a name");
        let program = started_by(&texts(&service["command"]));
        let mounts = texts(&service["volumes"]);
        let settings = format!("/etc/ringkeep/{}.toml:ro", program.name);
        let mounted = mounts
            .iter()
            .find_map(|mount| mount.strip_suffix(&settings)?.strip_suffix(':'));
        let file = mounted.unwrap_or_else(|| panic!("{name} mounts no settings: {mounts:?}"));
        let file = file.trim_start_matches("./");
        let server = check(program, &format!("deploy/compose/{file}"));
        assert_eq!(server.listen.port(), program.port, "{name}");
        let metrics = server.metrics_listen.map(|at| at.port());
        assert_eq!(metrics, Some(program.metrics), "{name}");
        for port in texts(&service["ports"]) {
            // Nothing of the trial is reached from another machine.
            let inside = port.strip_prefix("127.0.0.1:").expect(port);
            let inside = inside.split(':').nth(1).expect("a port inside");
            let inside: u16 = inside.parse().expect("a port");
            assert!([program.port, program.metrics].contains(&inside), "{name}");
        }
        ours.push(program.name);
    }
    ours.sort_unstable();
    let expected = [
        "planner",
        "storage-catalog",
        "task-runner",
        "task-runner",
        "task-runner",
    ];
    assert_eq!(ours, expected);
}

#[test]
fn what_the_settings_name_is_a_service() {
    let services = services();
    for (file, hosts) in [
        ("task-runner.toml", &["etcd", "catalog", "planner"][..]),
        ("storage-catalog.toml", &["minio"]),
    ] {
        let text = read(&format!("deploy/compose/{file}"));
        for host in hosts {
            assert!(text.contains(&format!("http://{host}:")), "{file}: {host}");
            assert!(services.contains_key(*host), "{host}");
        }
    }
}
