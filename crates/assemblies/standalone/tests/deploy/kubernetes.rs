//! The manifests start programs that exist, with settings that they take, hardened, and reached on the ports that they have.

use std::process::Command;

use lab::go_tools::KUSTOMIZE;
use serde_yaml_ng::Value;

use crate::programs::{PROGRAMS, Program, check, started_by};
use crate::yaml::{documents, items, named, texts};
use crate::{read, root};

const BASE: &str = "deploy/kubernetes/base";
const SIDECAR: &str = "deploy/kubernetes/agent-sidecar";

/// The resources of a kustomization.
fn resources(folder: &str) -> Vec<Value> {
    let kustomization = &documents(&read(&format!("{folder}/kustomization.yaml")))[0];
    let mut all = Vec::new();
    for file in texts(&kustomization["resources"]) {
        all.extend(documents(&read(&format!("{folder}/{file}"))));
    }
    all
}

fn find<'a>(all: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = all
        .iter()
        .find(|one| one["kind"] == kind && one["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

#[track_caller]
fn check_hardened(container: &Value) {
    let context = &container["securityContext"];
    let name = container["name"].as_str().unwrap_or_default();
    assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
    assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
    assert_eq!(texts(&context["capabilities"]["drop"]), ["ALL"], "{name}");
    assert!(
        container["resources"]["limits"]["memory"].is_string(),
        "{name}"
    );
    assert!(container["readinessProbe"].is_mapping(), "{name}");
}

/// A container of ours: what it runs, with which settings and certificate, on which ports.
#[track_caller]
fn check_container(folder: &str, pod: &Value, container: &Value) -> &'static Program {
    let program = started_by(&texts(&container["command"]));
    let path = format!("{folder}/config/{}.toml", program.name);
    let server = check(program, &path);
    let ports: Vec<u64> = items(&container["ports"])
        .iter()
        .map(|port| port["containerPort"].as_u64().expect("a port"))
        .collect();
    assert_eq!(ports, [u64::from(program.port), u64::from(program.metrics)]);
    assert_eq!(server.listen.port(), program.port);
    assert_eq!(
        server.metrics_listen.map(|at| at.port()),
        Some(program.metrics)
    );
    let tls = server.tls.expect("beyond loopback there is TLS");
    assert!(tls.client_ca.is_some(), "{path}: callers need certificates");
    assert_eq!(container["image"], "ringkeep");
    check_hardened(container);
    check_volumes(folder, pod, container, program);
    program
}

#[track_caller]
fn check_volumes(folder: &str, pod: &Value, container: &Value, program: &Program) {
    let settings = format!("/etc/ringkeep/{}.toml", program.name);
    let mounts = items(&container["volumeMounts"]);
    let mount = |path: &str| {
        let found = mounts.iter().find(|mount| mount["mountPath"] == path);
        let name = &found.unwrap_or_else(|| panic!("nothing is mounted at {path}"))["name"];
        named(&pod["volumes"], name.as_str().expect("a name"))
    };
    let name = format!("ringkeep-{}", program.name);
    assert_eq!(mount(&settings)["configMap"]["name"], name.as_str());
    let secret = &mount("/etc/ringkeep/tls")["secret"]["secretName"];
    assert_eq!(*secret, format!("{name}-tls").as_str());
    let kustomization = &documents(&read(&format!("{folder}/kustomization.yaml")))[0];
    let files = &named(&kustomization["configMapGenerator"], &name)["files"];
    assert_eq!(texts(files), [format!("config/{}.toml", program.name)]);
}

#[test]
fn the_control_plane_starts_its_programs_with_settings_that_they_take() {
    let all = resources(BASE);
    for program in PROGRAMS.iter().filter(|one| one.name != "node-agent") {
        let name = format!("ringkeep-{}", program.name);
        let deployment = find(&all, "Deployment", &name);
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        let container = &items(&pod["containers"])[0];
        let started = check_container(BASE, pod, container);
        assert_eq!(started.name, program.name);
        assert!(container["livenessProbe"].is_mapping(), "{name}");

        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let service = find(&all, "Service", &name);
        let budget = find(&all, "PodDisruptionBudget", &name);
        assert_eq!(service["spec"]["selector"], *labels, "{name}");
        assert_eq!(budget["spec"]["selector"]["matchLabels"], *labels, "{name}");
        let ports = items(&service["spec"]["ports"]);
        assert_eq!(
            ports[0]["port"].as_u64(),
            Some(program.port.into()),
            "{name}"
        );
        // A drain is never cut by a kill.
        let server = check(program, &format!("{BASE}/config/{}.toml", program.name));
        let patience = pod["terminationGracePeriodSeconds"].as_u64();
        assert!(
            patience >= Some(server.shutdown_grace_seconds + 15),
            "{name}"
        );
    }
}

#[test]
fn the_task_runners_call_services_that_exist() {
    let all = resources(BASE);
    let settings: toml::Table = read(&format!("{BASE}/config/task-runner.toml"))
        .parse()
        .expect("TOML");
    for (key, name, port) in [
        ("catalog", "ringkeep-storage-catalog", 7402),
        ("planner", "ringkeep-planner", 7403),
    ] {
        find(&all, "Service", name);
        let address = settings["clients"][key].as_str();
        assert_eq!(address, Some(format!("https://{name}:{port}").as_str()));
    }
    let etcd = find(&all, "StatefulSet", "ringkeep-etcd");
    check_hardened(&items(&etcd["spec"]["template"]["spec"]["containers"])[0]);
    let replicas = etcd["spec"]["replicas"].as_u64().expect("a number");
    let endpoints = settings["state"]["etcd"]["endpoints"].as_array();
    let endpoints: Vec<&str> = endpoints
        .expect("endpoints")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let members = (0..replicas).map(|at| format!("http://ringkeep-etcd-{at}.ringkeep-etcd:2379"));
    assert_eq!(endpoints, members.collect::<Vec<_>>());
}

#[test]
fn the_sidecar_shares_the_data_and_the_settings_of_its_cassandra() {
    let cassandra = resources(SIDECAR);
    let cassandra = find(&cassandra, "StatefulSet", "cassandra");
    let patch = &documents(&read(&format!("{SIDECAR}/agent-patch.yaml")))[0];
    assert_eq!(patch["metadata"]["name"], cassandra["metadata"]["name"]);
    let pod = &patch["spec"]["template"]["spec"];
    let agent = named(&pod["containers"], "ringkeep-node-agent");
    check_container(SIDECAR, pod, agent);
    let server = named(
        &cassandra["spec"]["template"]["spec"]["containers"],
        "cassandra",
    );
    for volume in ["data", "settings"] {
        let of = |container: &Value| named(&container["volumeMounts"], volume)["mountPath"].clone();
        assert_eq!(of(agent), of(server), "{volume}");
    }
}

#[test]
fn the_nodes_of_the_sidecar_find_each_other_and_their_agents_before_they_are_ready() {
    let all = resources(SIDECAR);
    let service = find(&all, "Service", "cassandra");
    assert_eq!(service["spec"]["publishNotReadyAddresses"], true);
    let pod = &find(&all, "StatefulSet", "cassandra")["spec"]["template"]["spec"];
    let seeds = named(
        &named(&pod["containers"], "cassandra")["env"],
        "CASSANDRA_SEEDS",
    );
    assert_eq!(seeds["value"], "cassandra-0.cassandra");
    let patch = &documents(&read(&format!("{SIDECAR}/agent-patch.yaml")))[0];
    let context = &patch["spec"]["template"]["spec"]["securityContext"];
    assert_eq!(context["fsGroup"], pod["securityContext"]["fsGroup"]);
}

#[test]
fn operators_reach_all_that_the_command_line_calls() {
    let all = resources(BASE);
    let policy = find(&all, "NetworkPolicy", "ringkeep-services");
    let of_operators = items(&policy["spec"]["ingress"]).iter().find(|rule| {
        let from = &items(&rule["from"])[0];
        from["namespaceSelector"]["matchLabels"]["ringkeep/operators"] == "true"
    });
    let ports: Vec<u64> = items(&of_operators.expect("a rule")["ports"])
        .iter()
        .filter_map(|port| port["port"].as_u64())
        .collect();
    for program in PROGRAMS.iter().filter(|one| one.name != "node-agent") {
        assert!(ports.contains(&program.port.into()), "{}", program.name);
    }
}

#[test]
fn every_certificate_has_the_role_of_its_service() {
    let certificates = documents(&read("deploy/kubernetes/certificates.yaml"));
    for (name, role) in [
        ("storage-catalog", "catalog"),
        ("planner", "planner"),
        ("task-runner", "runner"),
    ] {
        let certificate = find(&certificates, "Certificate", &format!("ringkeep-{name}"));
        let spec = &certificate["spec"];
        assert_eq!(texts(&spec["uris"]), [format!("ringkeep://role/{role}")]);
        assert_eq!(spec["secretName"], format!("ringkeep-{name}-tls").as_str());
        assert!(texts(&spec["dnsNames"]).contains(&format!("ringkeep-{name}").as_str()));
    }
}

#[test]
fn kustomize_builds_both() {
    let Some(program) = KUSTOMIZE.or_skip("kustomize_builds_both") else {
        return;
    };
    for folder in [BASE, SIDECAR] {
        let output = Command::new(&program)
            .args(["build", folder])
            .current_dir(root())
            .output()
            .expect("kustomize runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{folder}: {errors}");
        let built = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(
            built.contains("image: registry.example/ringkeep:0.1.0"),
            "{built}"
        );
        // Names of the generated settings have a hash of their content, also where they are mounted.
        assert!(built.contains("name: ringkeep-"), "{built}");
        assert!(!documents(&built).is_empty());
    }
}
