//! The crates depend downwards only, and docs/crates.txt shows how.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// From the bottom to the top, as the folders below `crates` are named.
const LAYERS: [&str; 4] = ["facts", "seams", "services", "assemblies"];
/// Beside the layers: what only tests and fuzzing use.
const TOOLS: &str = "tools";

/// A crate, its layer, and the crates of the workspace that it is built from.
struct Package {
    name: String,
    layer: String,
    needs: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let mut found: Vec<Package> = packages.iter().filter_map(package).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// None for what lies outside of `crates`: the end-to-end tests and benchmarks may use anything.
fn package(package: &Value) -> Option<Package> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let layer = manifest.parent()?.parent()?;
    if layer.parent()?.file_name()? != "crates" {
        return None;
    }
    let dependencies = package["dependencies"].as_array()?.iter();
    let mut needs: Vec<String> = dependencies
        .filter(|dependency| dependency["kind"].is_null() && dependency["path"].is_string())
        .filter_map(|dependency| Some(dependency["name"].as_str()?.to_owned()))
        .collect();
    needs.sort();
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        layer: layer.file_name()?.to_str()?.to_owned(),
        needs,
    })
}

/// Whether a crate of one layer may be built from a crate of another.
fn may_need(from: &str, to: &str) -> bool {
    let height = |layer: &str| LAYERS.iter().position(|name| *name == layer);
    match (height(from), height(to)) {
        // Services meet through `api` only. Within the other layers cargo itself rules out circles.
        (Some(from), Some(to)) => to < from || to == from && LAYERS[from] != "services",
        // Tools may use everything, and nothing that is shipped uses a tool.
        (None, _) => from == TOOLS,
        (Some(_), None) => false,
    }
}

#[test]
fn dependencies_point_down() {
    let packages = packages();
    assert!(packages.len() > 20, "{} crates", packages.len());
    let layer_of: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package.name.as_str(), package.layer.as_str()))
        .collect();
    for package in &packages {
        for need in &package.needs {
            let to = layer_of.get(need.as_str()).unwrap_or(&"no layer");
            assert!(
                may_need(&package.layer, to),
                "{} ({}) depends on {need} ({to})",
                package.name,
                package.layer
            );
        }
    }
    // The command line reaches the services over the wire alone.
    let cli = packages.iter().find(|package| package.name == "cli");
    let cli = cli.expect("there is a command line");
    let service = cli
        .needs
        .iter()
        .find(|need| layer_of.get(need.as_str()) == Some(&"services"));
    assert_eq!(service, None, "the command line links a service");
}

#[test]
fn the_page_of_crates_is_that_of_the_workspace() {
    let packages = packages();
    let mut page = String::from(
        "# The crates by layer, from the bottom to the top, and the crates of the workspace that each is built from.\n\
         # Made by a test of crates/tools/testkit; run it with UPDATE=1 after a change, and read the difference.\n",
    );
    for layer in LAYERS.iter().chain(&[TOOLS]) {
        let _ = writeln!(page, "\n{layer}");
        for package in packages.iter().filter(|package| package.layer == *layer) {
            let needs = match package.needs.is_empty() {
                true => "-".to_owned(),
                false => package.needs.join(" "),
            };
            let _ = writeln!(page, "  {:<18} {needs}", package.name);
        }
    }
    let path = root().join("docs/crates.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("writes the page");
    }
    let checked_in = std::fs::read_to_string(&path).expect("reads the page");
    assert_eq!(
        page, checked_in,
        "run the test with UPDATE=1 and look at the difference"
    );
}
