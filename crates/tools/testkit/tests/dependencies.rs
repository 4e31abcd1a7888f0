//! Cargo.lock keeps the rules of deny.toml that need no other tool: where dependencies come from, and which are banned.

use std::path::Path;

use toml::{Table, Value};

fn read(name: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn texts(value: &Value) -> Vec<&str> {
    let texts = value.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn every_dependency_comes_from_an_allowed_registry_and_none_is_banned() {
    let (deny, lock) = (read("deny.toml"), read("Cargo.lock"));
    let registries = texts(&deny["sources"]["allow-registry"]);
    let bans = deny["bans"]["deny"].as_array().expect("a list");
    let packages = lock["package"].as_array().expect("packages");
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        if bans.iter().any(|ban| ban["crate"].as_str() == Some(name)) {
            wrong.push(format!("{name} is banned"));
        }
        // Crates of the workspace have no source.
        let Some(source) = package.get("source").and_then(Value::as_str) else {
            continue;
        };
        let registry = source.strip_prefix("registry+").unwrap_or(source);
        if !registries.contains(&registry) {
            wrong.push(format!("{name} comes from {source}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(packages.len() > 100, "only {} packages", packages.len());
}
